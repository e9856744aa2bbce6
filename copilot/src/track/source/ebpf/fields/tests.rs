use super::*;
use crate::track::source::ebpf::bpftool::Dump;

#[test]
fn every_field_lies_where_bpftool_says() {
    let Some(dump) = Dump::of_the_kernel() else {
        return;
    };
    let fields = Fields::of_the_kernel().expect("the kernel describes its structures");
    let mut present = 0;
    for (slot, structure, field, add) in FIELDS {
        let expected = dump.offset(structure, field).map(|offset| offset + add);
        assert_eq!(fields.get(slot), expected, "{structure}.{field}");
        present += usize::from(expected.is_some());
    }
    // Kernels that have no `ancestor_ids` have the helper.
    assert!(present >= OFFSETS - 1, "only {present} fields are known");
    let arguments = dump.arguments(EXIT_HANDLER);
    assert_eq!(fields.has_group_dead, arguments == Some(2), "{arguments:?}");
}

#[test]
fn each_slot_has_its_field() {
    for (index, (slot, ..)) in FIELDS.into_iter().enumerate() {
        let found = FIELDS.iter().filter(|(other, ..)| *other == slot).count();
        assert_eq!(found, 1, "{slot:?}");
        assert!(index < OFFSETS);
    }
}

#[test]
fn what_a_kernel_does_not_have_is_absent() {
    let unknown = Fields::unknown();
    for (slot, ..) in FIELDS {
        assert_eq!(unknown.get(slot), None, "{slot:?}");
    }
    assert!(!unknown.has_group_dead);
}

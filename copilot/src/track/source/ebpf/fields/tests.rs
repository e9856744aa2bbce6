use super::*;
use crate::track::source::ebpf::bpftool::Dump;

#[test]
fn every_field_lies_where_bpftool_says() {
    let Some(dump) = Dump::from_kernel() else {
        return;
    };
    let fields = FieldOffsets::from_kernel(&[]).expect("the kernel describes its structures");
    let mut present = 0;
    for (slot, structure, field, add) in FIELDS {
        let expected = dump.offset(structure, field).map(|offset| offset + add);
        assert_eq!(fields.get(slot), expected, "{structure}.{field}");
        present += usize::from(expected.is_some());
    }
    // A kernel without `ancestor_ids` has the helper.
    assert!(present >= OFFSETS - 1, "only {present} fields are known");
    let arguments = dump.arguments(EXIT_HANDLER);
    assert_eq!(fields.has_group_dead, arguments == Some(2), "{arguments:?}");
}

#[test]
fn a_controllers_slot_lies_where_bpftool_says() {
    let Some(dump) = Dump::from_kernel() else {
        return;
    };
    let first = dump.offset("css_set", "subsys").expect("it is there");
    let mut checked = 0;
    for (controllers, name) in [
        (&["memory"][..], "memory_cgrp_id"),
        (&["blkio"], "io_cgrp_id"),
        (&["no such", "pids"], "pids_cgrp_id"),
        (&["no such"], "no such"),
    ] {
        let controllers: Vec<String> = controllers.iter().map(|&name| name.into()).collect();
        let fields = FieldOffsets::from_kernel(&controllers).expect("the kernel describes itself");
        let index = dump.value(CONTROLLERS, name);
        let expected = index.map(|index| first + index * POINTER);
        assert_eq!(
            fields.get(Offset::CssSetController),
            expected,
            "{controllers:?}"
        );
        let missing = expected.is_none().then_some(Offset::CssSetController);
        assert_eq!(fields.missing_for_a_walk(true), missing);
        assert_eq!(fields.missing_for_a_walk(false), None);
        checked += usize::from(expected.is_some());
    }
    assert!(checked >= 2, "only {checked} controllers are known");
}

#[test]
fn a_walk_needs_known_fields() {
    let missing = FieldOffsets::unknown().missing_for_a_walk(false);
    assert_eq!(missing, Some(Offset::TaskCgroups));
    let mut fields = FieldOffsets {
        offsets: [0; OFFSETS],
        has_group_dead: false,
    };
    for slot in [Offset::CssSetController, Offset::CssSetDflCgrp] {
        fields.offsets[slot as usize] = ABSENT;
    }
    assert_eq!(
        fields.missing_for_a_walk(true),
        Some(Offset::CssSetController)
    );
    assert_eq!(
        fields.missing_for_a_walk(false),
        Some(Offset::CssSetDflCgrp)
    );
    fields.offsets = [0; OFFSETS];
    // Either path to the ids is enough.
    fields.offsets[Offset::CgroupAncestorIds as usize] = ABSENT;
    assert_eq!(fields.missing_for_a_walk(false), None);
    fields.offsets[Offset::NodeId as usize] = ABSENT;
    assert_eq!(fields.missing_for_a_walk(false), Some(Offset::NodeId));
    fields.offsets[Offset::CgroupAncestorIds as usize] = 0;
    assert_eq!(fields.missing_for_a_walk(false), None);
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
fn a_field_that_the_kernel_lacks_is_absent() {
    let unknown = FieldOffsets::unknown();
    for (slot, ..) in FIELDS {
        assert_eq!(unknown.get(slot), None, "{slot:?}");
    }
    assert!(!unknown.has_group_dead);
}

#[test]
fn a_status_is_reported_only_if_all_its_fields_are_known() {
    let mut fields = FieldOffsets {
        offsets: [0; OFFSETS],
        has_group_dead: false,
    };
    assert!(fields.include_status());
    fields.offsets[Offset::SignalGroupExitCode as usize] = ABSENT;
    assert!(!fields.include_status());
}

#[test]
fn plain_reads_need_each_field_on_the_way_to_the_cgroup_above() {
    let mut fields = FieldOffsets {
        offsets: [0; OFFSETS],
        has_group_dead: false,
    };
    assert!(fields.allow_plain_reads());
    fields.offsets[Offset::CgroupSelf as usize] = ABSENT;
    assert!(!fields.allow_plain_reads());
    assert!(!FieldOffsets::unknown().allow_plain_reads());
}

mod made_up;

use proptest::prelude::*;

use self::made_up::{Kernel, Member};
use super::*;
use crate::track::source::ebpf::bpftool::Dump;

const NAMES: &[&str] = &["task", "btf_trace_exit", "loop", "ids"];

fn offset(kernel: &Kernel, field: &str) -> Option<u32> {
    let btf = Btf::parse(kernel.bytes(), NAMES).expect("it is well formed");
    btf.offset("task", field)
}

/// Structures that are large, nested, or full of bit fields, besides those that the programs need.
#[test]
fn the_kernels_structures_are_read_as_bpftool_reads_them() {
    let Some(dump) = Dump::from_kernel() else {
        return;
    };
    let fields = [
        ("task_struct", "pid"),
        ("task_struct", "mm"),
        ("task_struct", "comm"),
        ("task_struct", "no_such_field"),
        ("cgroup", "kn"),
        ("cgroup", "ancestors"),
        ("mm_struct", "pgd"),
        ("mm_struct", "exe_file"),
        ("page", "_refcount"),
        ("page", "lru"),
        ("sk_buff", "len"),
        ("sock", "sk_family"),
        ("no_such_structure", "pid"),
    ];
    let handlers = [
        "sched_process_exec",
        "sched_process_fork",
        "sched_process_exit",
        "sys_enter",
    ]
    .map(|tracepoint| format!("btf_trace_{tracepoint}"));
    let handlers: Vec<&'static str> = handlers.into_iter().map(|name| &*name.leak()).collect();
    let structures = fields.map(|(structure, _)| structure);
    let btf =
        Btf::from_kernel(&[&structures[..], &handlers[..]].concat()).expect("the kernel has BTF");
    let mut found = 0;
    for (structure, field) in fields {
        let expected = dump.offset(structure, field);
        assert_eq!(
            btf.offset(structure, field),
            expected,
            "{structure}.{field}"
        );
        found += usize::from(expected.is_some());
    }
    assert!(found >= 8, "only {found} fields are known to bpftool");
    for handler in handlers {
        let expected = dump.arguments(handler);
        assert!(expected.is_some(), "{handler}");
        assert_eq!(btf.tracepoint_arguments(handler), expected, "{handler}");
    }
}

#[test]
fn a_field_is_found_in_its_structure() {
    let mut kernel = Kernel::new();
    let number = kernel.integer();
    kernel.structure("other", &[Member::at("pid", number, 8)]);
    kernel.structure(
        "task",
        &[
            Member::at("state", number, 0),
            Member::at("pid", number, 32),
        ],
    );
    assert_eq!(offset(&kernel, "state"), Some(0));
    assert_eq!(offset(&kernel, "pid"), Some(4));
    assert_eq!(offset(&kernel, "pi"), None, "the whole name counts");
    assert_eq!(offset(&kernel, "pids"), None);
    assert_eq!(offset(&kernel, ""), None);
}

#[test]
fn fields_of_anonymous_members_belong_to_the_structure() {
    let mut kernel = Kernel::new();
    let number = kernel.integer();
    let deepest = kernel.union(
        "",
        &[Member::at("ids", number, 0), Member::at("ways", number, 0)],
    );
    let inner = kernel.structure(
        "",
        &[Member::at("first", number, 0), Member::at("", deepest, 64)],
    );
    let named = kernel.structure("", &[Member::at("hidden", number, 0)]);
    kernel.structure(
        "task",
        &[
            Member::at("state", number, 0),
            Member::at("", inner, 128),
            Member::at("named", named, 512),
            Member::at("last", number, 1024),
        ],
    );
    assert_eq!(offset(&kernel, "first"), Some(16));
    assert_eq!(offset(&kernel, "ids"), Some(24));
    assert_eq!(offset(&kernel, "ways"), Some(24));
    assert_eq!(offset(&kernel, "last"), Some(128));
    assert_eq!(
        offset(&kernel, "hidden"),
        None,
        "it belongs to a named member"
    );
}

#[test]
fn offsets_in_a_structure_with_bit_fields_are_their_low_24_bits() {
    let mut kernel = Kernel::new();
    let number = kernel.integer();
    let bits = |width: u32, offset: u32| width << 24 | offset;
    kernel.structure_with_bit_fields(
        "task",
        &[
            Member::at("flag", number, bits(1, 3)),
            Member::at("byte", number, bits(8, 64)),
            Member::at("whole", number, bits(0, 96)),
        ],
    );
    assert_eq!(offset(&kernel, "flag"), None, "it does not begin at a byte");
    assert_eq!(offset(&kernel, "byte"), Some(8));
    assert_eq!(offset(&kernel, "whole"), Some(12));
}

#[test]
fn a_tracepoints_arguments_are_counted_without_its_own_data() {
    for (parameters, expected) in [(3, 2), (2, 1), (1, 0), (0, 0)] {
        let mut kernel = Kernel::new();
        let number = kernel.integer();
        // A structure may have a handler's name, and a definition a structure's.
        kernel.structure("btf_trace_exit", &[]);
        kernel.definition("task", number);
        let function = kernel.function(parameters);
        let pointer = kernel.pointer(function);
        kernel.definition("btf_trace_exit", pointer);
        kernel.structure("task", &[Member::at("pid", number, 32)]);
        let btf = Btf::parse(kernel.bytes(), NAMES).expect("it is well formed");
        assert_eq!(btf.tracepoint_arguments("btf_trace_exit"), Some(expected));
        assert_eq!(btf.tracepoint_arguments("btf_trace_fork"), None);
        assert_eq!(btf.offset("task", "pid"), Some(4));
    }
    let mut kernel = Kernel::new();
    let number = kernel.integer();
    kernel.definition("btf_trace_exit", number);
    let btf = Btf::parse(kernel.bytes(), NAMES).expect("it is well formed");
    assert_eq!(
        btf.tracepoint_arguments("btf_trace_exit"),
        None,
        "it is not a pointer"
    );
}

#[test]
fn the_values_of_an_enumeration_are_found_by_name() {
    let mut kernel = Kernel::new();
    kernel.enumeration("other", &[("memory", 9)]);
    kernel.enumeration("ids", &[("cpu", 0), ("memory", 4), ("pids", 11)]);
    let btf = Btf::parse(kernel.bytes(), &["ids"]).expect("it is well formed");
    for (name, expected) in [
        ("cpu", Some(0)),
        ("memory", Some(4)),
        ("pids", Some(11)),
        ("mem", None),
        ("", None),
    ] {
        assert_eq!(btf.value("ids", name), expected, "{name}");
    }
    assert_eq!(
        btf.value("other", "memory"),
        None,
        "the caller did not name it"
    );
}

/// The bytes after the header are skipped for every kind that the format has.
#[test]
fn types_of_every_kind_are_skipped() {
    let mut kernel = Kernel::new();
    let number = kernel.integer();
    for (kind, elements, trailing) in [
        (3, 0, 12),
        (6, 2, 16),
        (7, 0, 0),
        (9, 0, 0),
        (10, 0, 0),
        (11, 0, 0),
        (12, 0, 0),
        (14, 0, 4),
        (15, 2, 24),
        (16, 0, 0),
        (17, 0, 4),
        (18, 0, 0),
        (19, 2, 24),
    ] {
        kernel.other(kind, elements, trailing);
    }
    kernel.structure("task", &[Member::at("pid", number, 32)]);
    assert_eq!(offset(&kernel, "pid"), Some(4));
    kernel.other(20, 0, 0);
    let error = Btf::parse(kernel.bytes(), NAMES)
        .err()
        .expect("the kind is unknown");
    assert!(error.to_string().contains("newer format"), "{error}");
}

#[test]
fn bytes_that_are_not_btf_are_refused() {
    for (bytes, word) in [
        (Vec::new(), "empty"),
        (vec![0x9f], "empty"),
        (b"ELF and more".to_vec(), "magic"),
        (MAGIC.swap_bytes().to_ne_bytes().to_vec(), "magic"),
        (MAGIC.to_ne_bytes().to_vec(), "cut short"),
    ] {
        let error = Btf::parse(bytes, NAMES).err().expect("it is refused");
        assert!(error.to_string().contains(word), "{error}");
    }
}

/// The search ends even if structures contain themselves, or each other.
#[test]
fn a_structure_that_holds_itself_is_searched_in_bounded_time() {
    let mut kernel = Kernel::new();
    let own = kernel.next_id();
    let members: Vec<Member> = (0..500).map(|_| Member::at("", own, 0)).collect();
    kernel.structure("task", &members);
    assert_eq!(offset(&kernel, "pid"), None);
}

#[test]
fn offsets_that_overflow_are_ignored() {
    let mut kernel = Kernel::new();
    let number = kernel.integer();
    let inner = kernel.structure("", &[Member::at("pid", number, u32::MAX - 7)]);
    kernel.structure("task", &[Member::at("", inner, u32::MAX - 7)]);
    assert_eq!(offset(&kernel, "pid"), None);
    let mut kernel = Kernel::new();
    kernel.structure(
        "task",
        &[Member::at("pid", u32::MAX, 32), Member::at("", u32::MAX, 0)],
    );
    assert_eq!(offset(&kernel, "pid"), Some(4));
    assert_eq!(offset(&kernel, "other"), None, "the type does not exist");
}

/// A well-formed file on which all kinds of look-ups succeed; tests then damage it.
fn sound() -> Vec<u8> {
    let mut kernel = Kernel::new();
    let number = kernel.integer();
    let union = kernel.union("", &[Member::at("pid", number, 0)]);
    kernel.structure(
        "task",
        &[Member::at("state", number, 0), Member::at("", union, 32)],
    );
    let function = kernel.function(3);
    let pointer = kernel.pointer(function);
    kernel.definition("btf_trace_exit", pointer);
    kernel.enumeration("ids", &[("cpu", 0), ("pids", 1)]);
    kernel.bytes()
}

fn ask_everything(bytes: Vec<u8>) {
    let length = bytes.len();
    if let Ok(btf) = Btf::parse(bytes, NAMES) {
        let _ = btf.offset("task", "pid");
        let _ = btf.offset("task", "nothing");
        let _ = btf.tracepoint_arguments("btf_trace_exit");
        let _ = btf.value("ids", "pids");
        assert!(
            btf.types.capacity() <= length,
            "more is allocated than the file can hold"
        );
    }
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        ask_everything(bytes);
    }

    #[test]
    fn garbage_behind_the_magic_never_panics(
        header in prop::collection::vec(0_u32..120, 5),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut file = MAGIC.to_ne_bytes().to_vec();
        file.extend([1, 0]);
        file.extend(header.into_iter().flat_map(u32::to_ne_bytes));
        file.extend(bytes);
        ask_everything(file);
    }

    #[test]
    fn a_truncated_or_damaged_file_never_panics(
        cut in any::<prop::sample::Index>(),
        spoilt in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut bytes = sound();
        for (at, value) in spoilt {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        ask_everything(bytes.clone());
        bytes.truncate(cut.index(bytes.len()));
        ask_everything(bytes);
    }
}

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use bytemuck::Zeroable as _;

use super::*;
use crate::track::place::PodPath;
use crate::track::scan::Scanner;

/// No process has this id: it is above the largest that Linux gives.
const GONE: u32 = 5_000_000;

const CONTAINER: u64 = 77;

fn place(directory: Option<&Path>) -> Place {
    Place {
        pod: PodPath::Absolute("/no/such/pod".to_owned()),
        unified: true,
        controllers: Vec::new(),
        directory: directory.map(Path::to_owned),
        level: None,
        above_us: None,
        own: Some(ContainerId::new("own")),
        evidence: MountEvidence::default(),
        proc_root: None,
    }
}

fn record(kind: u32, pid: u32) -> Record {
    Record {
        at: 5_000 * TICK,
        started: 4_000 * TICK + 1,
        cgroup: CONTAINER,
        kind,
        pid,
        host_pid: 100_000 + pid,
        inner_pid: pid,
        ..Record::zeroed()
    }
}

fn translate(records: &mut Records, record: &Record) -> Vec<Event> {
    let mut events = VecDeque::new();
    let mut nobody = Newcomers::beside(Scanner::new(place(None)), false);
    records.translate(record, &mut nobody, &mut events);
    events.into()
}

fn process_of(event: &Event) -> ProcessId {
    match event {
        Event::ProcessStarted { process, .. } | Event::ProcessExited { process, .. } => *process,
        other => panic!("{other:?} is about no process"),
    }
}

#[test]
fn an_exec_tells_the_container_and_then_the_process() {
    for (flags, entered) in [(0, true), (flag::CHILD, false)] {
        let mut records = Records::new(place(None), None);
        let exec = Record {
            flags,
            ..record(kind::EXEC, GONE)
        };
        let container = ContainerId::new("cgroup 77");
        let expected = [
            Event::ContainerSeen {
                container: container.clone(),
                evidence: None,
            },
            Event::ProcessStarted {
                process: ProcessId {
                    pid: GONE.into(),
                    started: 4_000,
                },
                container,
                at: Timestamp(5_000 * TICK),
                entered,
            },
        ];
        assert_eq!(translate(&mut records, &exec), expected);
    }
}

/// The runtime's last process in a container ends without having become its program.
#[test]
fn a_container_whose_program_never_began_is_told_of() {
    let fork = |pid, inner_pid| Record {
        host_pid: 4711,
        inner_pid,
        ..record(kind::FORK, pid)
    };
    let exit = |flags| Record {
        flags,
        ..record(kind::EXIT, GONE)
    };
    let hook = Record {
        flags: flag::CHILD,
        ..record(kind::EXEC, GONE + 1)
    };
    let undescribed = Record {
        started: 0,
        ..exit(0)
    };
    let told = |fork: &Record, before: &dyn Fn(&mut Records), exit: &Record| {
        let mut records = Records::new(place(None), None);
        records.expect_one(fork);
        before(&mut records);
        let expected = Event::ContainerExited {
            container: ContainerId::new("cgroup 77"),
            status: ExitStatus::NotStarted,
            alive: Timestamp(5_000 * TICK),
            at: Timestamp(5_000 * TICK),
        };
        translate(&mut records, exit).contains(&expected)
    };
    let nothing = |_: &mut Records| {};
    let runtime = fork(0, 4711);
    assert!(told(&runtime, &nothing, &exit(0)));
    assert!(!told(&runtime, &nothing, &exit(flag::CHILD)), "its child");
    assert!(!told(&runtime, &nothing, &undescribed), "maybe its child");
    for inside in [fork(GONE, 5), fork(0, 5), fork(0, 1)] {
        assert!(!told(&inside, &nothing, &exit(0)), "it runs for long");
    }
    let begins = |records: &mut Records| drop(translate(records, &record(kind::EXEC, GONE)));
    assert!(!told(&runtime, &begins, &exit(0)));
    let hooks = |records: &mut Records| drop(translate(records, &hook));
    assert!(told(&runtime, &hooks, &exit(0)));
    let loses = |records: &mut Records| records.expect_gaps();
    assert!(!told(&runtime, &loses, &exit(0)), "it may have begun");
}

#[test]
fn an_exit_tells_how_the_process_ended() {
    for (status, flags, expected) in [
        (0x700, flag::STATUS, ExitStatus::Code(7)),
        (9, flag::STATUS, ExitStatus::from_wait(9, false)),
        (9, flag::STATUS | flag::OOM, ExitStatus::from_wait(9, true)),
        (0x700, 0, ExitStatus::Unknown),
    ] {
        let mut records = Records::new(place(None), None);
        let exit = Record {
            status,
            flags,
            ..record(kind::EXIT, GONE)
        };
        let expected = Event::ProcessExited {
            process: ProcessId {
                pid: GONE.into(),
                started: 4_000,
            },
            container: None,
            status: expected,
            at: Timestamp(5_000 * TICK),
        };
        assert_eq!(translate(&mut records, &exit), [expected]);
    }
}

#[test]
fn the_runtimes_own_processes_are_nobody() {
    for (pid, inner_pid, cgroup, told) in [
        (GONE, GONE, CONTAINER, true),
        // The first process of a pid namespace that we cannot see.
        (0, 1, CONTAINER, true),
        // The kernel does not tell which it is.
        (0, 0, CONTAINER, true),
        // One of the node's.
        (0, 4711, CONTAINER, false),
        // In the pod's own cgroup.
        (GONE, GONE, 0, false),
    ] {
        let mut records = Records::new(place(None), None);
        let exec = Record {
            pid,
            inner_pid,
            cgroup,
            ..record(kind::EXEC, GONE)
        };
        assert_eq!(
            !translate(&mut records, &exec).is_empty(),
            told,
            "{pid} {inner_pid}"
        );
    }
}

#[test]
fn a_process_of_another_pid_namespace_has_the_nodes_id() {
    let mut records = Records::new(place(None), None);
    let exit = Record {
        pid: 0,
        inner_pid: 1,
        ..record(kind::EXIT, GONE)
    };
    let events = translate(&mut records, &exit);
    let process = process_of(events.last().expect("its end is told"));
    assert_eq!(process.visible_pid(), None);
    assert_eq!(process.pid, ProcessId::FOREIGN + u64::from(100_000 + GONE));
}

/// A sidecar that kubelet has started again: main began in its earlier life, in a pid namespace of its
/// own, so its end is all that is seen of it.
#[test]
fn the_end_of_a_first_process_that_began_unseen_tells_its_beginning_too() {
    let exit = Record {
        pid: 0,
        inner_pid: 1,
        status: 0x700,
        flags: flag::STATUS,
        ..record(kind::EXIT, GONE)
    };
    let begins = |event: &Event| matches!(event, Event::ProcessStarted { entered: true, .. });
    let mut records = Records::new(place(None), None);
    let events = translate(&mut records, &exit);
    assert!(begins(&events[1]), "{events:?}");
    let Event::ProcessExited {
        container, status, ..
    } = &events[2]
    else {
        panic!("{events:?} ends with the end");
    };
    assert_eq!(container.as_ref(), Some(&ContainerId::new("cgroup 77")));
    assert_eq!(*status, ExitStatus::Code(7));
    for other in [
        Record {
            inner_pid: 5,
            ..exit
        },
        Record {
            inner_pid: 0,
            ..exit
        },
        Record {
            flags: flag::CHILD,
            ..exit
        },
        record(kind::EXIT, GONE),
    ] {
        let mut records = Records::new(place(None), None);
        let events = translate(&mut records, &other);
        assert!(
            !events.iter().any(begins),
            "an exec session or a child: {events:?}"
        );
    }
    let mut records = Records::new(place(None), None);
    let exec = Record {
        kind: kind::EXEC,
        ..exit
    };
    translate(&mut records, &exec);
    assert!(
        !translate(&mut records, &exit).iter().any(begins),
        "it was told"
    );
}

/// An exit says less of its container than an exec: it must not give it a name for good.
#[test]
fn a_container_gets_the_name_of_its_directory_as_soon_as_that_can_be_read() {
    let pod = tempfile::tempdir().expect("a directory can be made");
    let mut records = Records::new(place(Some(pod.path())), None);
    let exit = translate(&mut records, &record(kind::EXIT, GONE));
    assert!(matches!(
        &exit[..],
        [Event::ProcessExited {
            container: None,
            ..
        }]
    ));
    let directory = pod.path().join("main");
    fs::create_dir(&directory).expect("a directory can be made");
    let cgroup = fs::metadata(&directory).expect("it is there").ino();
    for kind in [kind::EXIT, kind::EXEC] {
        let record = Record {
            cgroup,
            ..record(kind, GONE)
        };
        let events = translate(&mut records, &record);
        let container = match events.last() {
            Some(Event::ProcessExited { container, .. }) => container.clone(),
            Some(Event::ProcessStarted { container, .. }) => Some(container.clone()),
            other => panic!("{other:?}"),
        };
        assert_eq!(container, Some(ContainerId::new("main")));
    }
    let main = ContainerId::new("main");
    assert_eq!(records.cgroup_ids([&main].into_iter()), [cgroup]);
    assert_eq!(
        records.cgroup_ids([&ContainerId::new("other")].into_iter()),
        [0; 0]
    );
}

#[test]
fn of_a_container_that_cannot_be_read_its_program_is_told() {
    let mut records = Records::new(place(None), None);
    let named = |pid| {
        let mut exec = record(kind::EXEC, pid);
        exec.comm[..7].copy_from_slice(b"copilot");
        exec
    };
    let told = Event::ProgramSeen {
        container: ContainerId::new("cgroup 77"),
        program: "copilot".to_owned(),
    };
    assert!(translate(&mut records, &named(GONE)).contains(&told));
    assert!(!translate(&mut records, &named(std::process::id())).contains(&told));
}

#[test]
fn what_runs_in_our_own_container_is_told_but_not_described() {
    let mut records = Records::new(place(None), Some(CONTAINER));
    let events = translate(&mut records, &record(kind::EXEC, GONE));
    let [Event::ProcessStarted { container, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(container.as_str(), "own");
}

/// We run, so our mounts can be read: once, if we came into the container from outside, and until
/// somebody did so if not.
#[test]
fn a_container_is_described_once_by_who_entered_it() {
    let own = std::process::id();
    let described = |records: &mut Records, flags| {
        let exec = Record {
            flags,
            ..record(kind::EXEC, own)
        };
        let events = translate(records, &exec);
        matches!(
            &events[0],
            Event::ContainerSeen {
                evidence: Some(_),
                ..
            }
        )
    };
    let mut records = Records::new(place(None), None);
    assert!(described(&mut records, flag::CHILD));
    assert!(described(&mut records, 0));
    assert!(!described(&mut records, 0));
    assert!(!described(&mut records, flag::CHILD));
}

/// Without the kernel's BTF a record does not tell when its process was started.
#[test]
fn a_process_is_the_same_at_its_end_if_the_kernel_does_not_tell_its_start() {
    let unknown = |kind, pid| Record {
        started: 0,
        ..record(kind, pid)
    };
    let mut records = Records::new(place(None), None);
    let own = std::process::id();
    let exec = translate(&mut records, &unknown(kind::EXEC, own));
    let process = process_of(&exec[1]);
    assert_ne!(process.started, 0, "it is read from what runs");
    let exit = translate(&mut records, &unknown(kind::EXIT, own));
    assert_eq!(process_of(&exit[0]), process);

    // One that a look had shown, and that is gone when its record is read.
    let process = ProcessId {
        pid: GONE.into(),
        started: 1234,
    };
    records.learn(&[Event::ProcessStarted {
        process,
        container: ContainerId::new("main"),
        at: Timestamp(1234 * TICK),
        entered: true,
    }]);
    let exit = translate(&mut records, &unknown(kind::EXIT, GONE));
    assert_eq!(process_of(&exit[0]), process);
    let again = translate(&mut records, &unknown(kind::EXIT, GONE));
    assert_eq!(
        process_of(&again[0]).started,
        0,
        "a later one of that pid is not known"
    );
}

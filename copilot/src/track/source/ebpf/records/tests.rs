use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use bytemuck::Zeroable as _;

use super::*;
use crate::track::Job;
use crate::track::place::PodPath;
use crate::track::scan::Scanner;

/// A pid without a process: Linux never assigns one as large.
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
        hides_processes: false,
        kinship: None,
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
    let mut newcomers = Newcomers::new(Scanner::new(place(None)), false);
    records.translate(record, &mut newcomers, &mut events);
    events.into()
}

fn process_of(event: &Event) -> ProcessId {
    match event {
        Event::ProcessStarted { process, .. } | Event::ProcessExited { process, .. } => *process,
        other => panic!("{other:?} has no process"),
    }
}

#[test]
fn an_exec_reports_the_container_and_then_the_process() {
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

/// A runtime's last process in a container ends before it execs the program.
#[test]
fn a_container_whose_program_never_began_is_reported() {
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
    let is_reported = |fork: &Record, before: &dyn Fn(&mut Records), exit: &Record| {
        let mut records = Records::new(place(None), None);
        records.expect_container(fork);
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
    assert!(is_reported(&runtime, &nothing, &exit(0)));
    assert!(
        !is_reported(&runtime, &nothing, &exit(flag::CHILD)),
        "its child"
    );
    assert!(
        !is_reported(&runtime, &nothing, &undescribed),
        "perhaps its child"
    );
    for inside in [fork(GONE, 5), fork(0, 5), fork(0, 1)] {
        assert!(
            !is_reported(&inside, &nothing, &exit(0)),
            "a fork of the program itself"
        );
    }
    let begins = |records: &mut Records| drop(translate(records, &record(kind::EXEC, GONE)));
    assert!(!is_reported(&runtime, &begins, &exit(0)));
    let hooks = |records: &mut Records| drop(translate(records, &hook));
    assert!(is_reported(&runtime, &hooks, &exit(0)));
    let loses = |records: &mut Records| records.expect_gaps();
    assert!(
        !is_reported(&runtime, &loses, &exit(0)),
        "it may have begun"
    );
}

#[test]
fn an_exit_reports_how_the_process_ended() {
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
fn the_runtimes_own_processes_are_not_reported() {
    for (pid, inner_pid, cgroup, is_reported) in [
        (GONE, GONE, CONTAINER, true),
        // The first process of a pid namespace that we cannot see.
        (0, 1, CONTAINER, true),
        // The kernel does not record its inner pid.
        (0, 0, CONTAINER, true),
        // A process of the node.
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
            is_reported,
            "{pid} {inner_pid}"
        );
    }
}

#[test]
fn a_process_of_another_pid_namespace_has_its_pid_on_the_node() {
    let mut records = Records::new(place(None), None);
    let exit = Record {
        pid: 0,
        inner_pid: 1,
        ..record(kind::EXIT, GONE)
    };
    let events = translate(&mut records, &exit);
    let process = process_of(events.last().expect("its end is reported"));
    assert_eq!(process.visible_pid(), None);
    assert_eq!(process.pid, ProcessId::FOREIGN + u64::from(100_000 + GONE));
}

/// Kubelet has started the sidecar again. Main began during the sidecar's earlier life, in a pid
/// namespace of its own, so only its end is recorded.
#[test]
fn the_end_of_a_first_process_that_began_unseen_reports_its_start_too() {
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
        panic!("{events:?} does not end with the exit");
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
        "it was reported"
    );
}

/// An exit shows less of its container than an exec, so it must not give the container a name for good.
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
    let cgroup = fs::metadata(&directory).expect("it exists").ino();
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
fn the_program_of_a_container_that_proc_does_not_show_is_reported() {
    let mut records = Records::new(place(None), None);
    let named = |pid| {
        let mut exec = record(kind::EXEC, pid);
        exec.comm[..7].copy_from_slice(b"copilot");
        exec.command = 7;
        exec
    };
    let expected = Event::ProgramSeen {
        container: ContainerId::new("cgroup 77"),
        program: "copilot".to_owned(),
        command: Some(7),
    };
    assert!(translate(&mut records, &named(GONE)).contains(&expected));
    assert!(!translate(&mut records, &named(std::process::id())).contains(&expected));
}

fn jobs_seen(events: &[Event]) -> Vec<Option<Job>> {
    let jobs = events.iter().filter_map(|event| match event {
        Event::CopilotSeen { job, .. } => Some(*job),
        _ => None,
    });
    jobs.collect()
}

/// In a pid namespace that we do not see, the kernel side has read the command line.
#[test]
fn a_sidecar_in_another_pid_namespace_is_reported_before_its_start() {
    let mut records = Records::new(place(None), None);
    let exec = |flags| Record {
        flags,
        inner_pid: 1,
        pid: 0,
        ..record(kind::EXEC, GONE)
    };
    let line = |host_pid, words: &[u8]| {
        let mut line = CommandLine {
            host_pid,
            length: u32::try_from(words.len()).unwrap(),
            ..CommandLine::zeroed()
        };
        line.text[..words.len()].copy_from_slice(words);
        line
    };
    let pid = exec(0).host_pid;
    let sidecar = line(pid, b"/bin/copilot\0sidecar\0-o\0");
    records.expect_copilot(&sidecar);
    let events = translate(&mut records, &exec(0));
    assert_eq!(jobs_seen(&events), [Some(Job::Sidecar)], "{events:?}");
    assert!(matches!(events.last(), Some(Event::ProcessStarted { .. })));
    // The same process runs another program, and another one after that.
    assert_eq!(jobs_seen(&translate(&mut records, &exec(0))), [None]);
    assert_eq!(jobs_seen(&translate(&mut records, &exec(0))), []);
    // Its children are not the container's first process, and another process is not it.
    records.expect_copilot(&sidecar);
    assert_eq!(jobs_seen(&translate(&mut records, &exec(flag::CHILD))), []);
    for other in [
        line(pid + 1, b"copilot\0sidecar\0"),
        line(pid, b"copilot\0ready\0"),
    ] {
        records.expect_copilot(&other);
        assert_eq!(jobs_seen(&translate(&mut records, &exec(0))), []);
    }
    // What no kernel of ours sends.
    records.expect_copilot(&CommandLine {
        length: u32::MAX,
        ..sidecar
    });
    assert_eq!(jobs_seen(&translate(&mut records, &exec(0))), []);
}

/// It began before the programs were attached, so only the name that it has at its end is known.
#[test]
fn a_sidecar_that_began_before_us_is_recognised_at_its_end() {
    for (name, expected) in [
        ("copilot-ready", &[Some(Job::Sidecar)][..]),
        ("copilot", &[]),
    ] {
        let mut records = Records::new(place(None), None);
        let mut exit = Record {
            inner_pid: 1,
            pid: 0,
            ..record(kind::EXIT, GONE)
        };
        exit.comm[..name.len()].copy_from_slice(name.as_bytes());
        let events = translate(&mut records, &exit);
        assert_eq!(jobs_seen(&events), expected, "{name} {events:?}");
    }
}

#[test]
fn a_process_in_our_own_container_is_reported_but_not_described() {
    let mut records = Records::new(place(None), Some(CONTAINER));
    let events = translate(&mut records, &record(kind::EXEC, GONE));
    let [Event::ProcessStarted { container, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(container.as_str(), "own");
}

/// The test's own process stands in for the container's, so its mounts can be read: once for a process
/// that entered from outside, and repeatedly for children until then.
#[test]
fn a_container_is_described_once_by_the_process_that_entered_it() {
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

/// Without the kernel's BTF a record lacks the start time of its process.
#[test]
fn a_process_keeps_its_identity_if_the_kernel_does_not_record_its_start() {
    let unknown = |kind, pid| Record {
        started: 0,
        ..record(kind, pid)
    };
    let mut records = Records::new(place(None), None);
    let own = std::process::id();
    let exec = translate(&mut records, &unknown(kind::EXEC, own));
    let process = process_of(&exec[1]);
    assert_ne!(process.started, 0, "it is read from the running process");
    let exit = translate(&mut records, &unknown(kind::EXIT, own));
    assert_eq!(process_of(&exit[0]), process);

    // A process that a scan has found, and that is gone when its record is read.
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

//! Made-up processes, for cases that the recordings lack.

use super::{
    fake_proc::{FakeProc, FakeProcess, POD, UID, mounts_of},
    *,
};
use crate::track::process::{MAKING, MAKING_BY_PLAIN_NAME, TICKS_PER_SECOND};

#[test]
fn a_zombie_has_ended_unless_its_other_threads_live() {
    let mut proc = FakeProc::new();
    for (pid, state, threads, lives) in [
        (1, 'S', 1, true),
        (2, 'Z', 1, false),
        (3, 'Z', 2, true),
        (4, 'X', 1, false),
        (5, 'D', 1, true),
        (6, 'T', 1, true),
    ] {
        proc.put(&FakeProcess {
            state,
            threads,
            ..FakeProcess::main(pid)
        });
        let alive = proc.alive(101).expect("the scan is complete");
        assert_eq!(
            alive.contains(&u64::try_from(pid).unwrap()),
            lives,
            "{state} {threads}"
        );
    }
}

#[test]
fn the_runtimes_own_first_process_has_not_started_before_it_execs() {
    for name in ["runc:[2:INIT]", "runc:[1:CHILD]", "youki:[2:INIT]", "crun"] {
        let mut proc = FakeProc::new();
        proc.put(&FakeProcess {
            name,
            ..FakeProcess::main(7)
        });
        assert_eq!(proc.started(101), [], "{name}");
        assert_eq!(proc.alive(102), Some(vec![7]), "{name} lives");
        proc.put(&FakeProcess::main(7));
        assert_eq!(proc.started(103), [(7, true)], "{name}");
        assert_eq!(proc.started(104), [], "{name} is reported once");
    }
}

#[test]
fn a_program_with_a_similar_name_has_started() {
    for name in [
        "crunch",
        "crun2",
        "runc",
        "runc-like",
        "app) S 1 (",
        "ein Löwe",
    ] {
        let mut proc = FakeProc::new();
        proc.put(&FakeProcess {
            name,
            ..FakeProcess::main(7)
        });
        assert_eq!(proc.started(101), [(7, true)], "{name}");
    }
}

/// Any program may be called `crun`, and must not be overlooked for ever.
#[test]
fn a_runtimes_name_counts_only_for_a_while() {
    for (name, bound) in [("crun", MAKING_BY_PLAIN_NAME), ("runc:[2:INIT]", MAKING)] {
        let mut proc = FakeProc::new();
        proc.put(&FakeProcess {
            name,
            ..FakeProcess::main(7)
        });
        assert_eq!(proc.started(100 + bound - 1), [], "{name}");
        assert_eq!(proc.started(100 + bound), [(7, true)], "{name}");
    }
}

/// On a busy node the runtime takes a minute, and the first reading holds more mounts than the last.
#[test]
fn the_mounts_of_a_container_are_read_until_its_program_runs() {
    let [before, after] = recorded::half_made();
    let mut proc = FakeProc::new();
    let mut stages = |name: &str, mounts: &str, at: u64| -> Vec<Option<Stage>> {
        proc.put(&FakeProcess {
            name,
            ..FakeProcess::main(7)
        });
        proc.write(7, "mountinfo", mounts);
        let seen = proc.scan(at).into_iter().filter_map(|event| match event {
            Event::ContainerSeen { evidence, .. } => Some(evidence.map(|evidence| evidence.stage)),
            _ => None,
        });
        seen.collect()
    };
    let is_the_nodes = |line: &&str| !line.contains("rootfs/");
    let nodes: Vec<&str> = before.lines().filter(is_the_nodes).collect();
    let minute = 60 * TICKS_PER_SECOND;
    assert_eq!(stages("runc:[2:INIT]", &nodes.join("\n"), 101), [None]);
    assert_eq!(
        stages("runc:[2:INIT]", &before, minute),
        [Some(Stage::BeforePivot)]
    );
    assert_eq!(
        stages("runc:[2:INIT]", &before, minute + 1),
        [Some(Stage::BeforePivot)]
    );
    assert_eq!(
        stages("runc:[2:INIT]", &after, minute + 2),
        [Some(Stage::BeforeStart)]
    );
    assert_eq!(stages("runc:[2:INIT]", &after, minute + 3), []);
    assert_eq!(stages("app", &after, minute + 4), [Some(Stage::Complete)]);
    assert_eq!(stages("app", &after, minute + 5), []);
}

#[test]
fn a_process_with_a_parent_in_the_container_has_not_entered_it() {
    let mut proc = FakeProc::new();
    proc.put(&FakeProcess::main(7));
    proc.put(&FakeProcess {
        parent: 7,
        ..FakeProcess::main(8)
    });
    proc.put(&FakeProcess {
        parent: 8,
        cgroup: format!("{POD}/main/deeper"),
        ..FakeProcess::main(9)
    });
    proc.put(&FakeProcess {
        parent: 0,
        ..FakeProcess::main(10)
    });
    proc.put(&FakeProcess {
        parent: 1,
        ..FakeProcess::main(11)
    });
    proc.put(&FakeProcess {
        cgroup: format!("{POD}/pause"),
        ..FakeProcess::main(1)
    });
    // Its parent is gone, or hidden from us.
    proc.put(&FakeProcess {
        parent: 4711,
        ..FakeProcess::main(12)
    });
    let mut started = proc.started(101);
    started.sort_unstable();
    let expected = [
        (1, true),
        (7, true),
        (8, false),
        (9, false),
        (10, true),
        (11, true),
        (12, true),
    ];
    assert_eq!(started, expected);
}

#[test]
fn a_young_process_may_still_be_moved_into_its_container() {
    let mut proc = FakeProc::new();
    let outside = || "/system.slice/containerd.service".to_owned();
    proc.put(&FakeProcess {
        cgroup: outside(),
        ..FakeProcess::main(7)
    });
    proc.put(&FakeProcess {
        cgroup: outside(),
        ..FakeProcess::main(8)
    });
    assert_eq!(proc.started(101), []);
    proc.put(&FakeProcess::main(7));
    assert_eq!(proc.started(102), [(7, true)]);
    proc.started(101 + YOUTH);
    proc.put(&FakeProcess::main(8));
    assert_eq!(proc.started(102 + YOUTH), [], "it is not read any more");
}

#[test]
fn a_recycled_pid_is_reported_again() {
    let mut proc = FakeProc::new();
    proc.put(&FakeProcess::main(7));
    assert_eq!(proc.started(101), [(7, true)]);
    proc.put(&FakeProcess {
        started: 150,
        ..FakeProcess::main(7)
    });
    assert_eq!(proc.started(151), [(7, true)]);
    proc.remove(7);
    assert_eq!(proc.alive(152), Some(Vec::new()));
}

#[test]
fn a_scan_that_may_have_missed_a_process_does_not_report_who_lives() {
    let mut proc = FakeProc::new();
    proc.put(&FakeProcess::main(7));
    proc.put(&FakeProcess::main(8));
    proc.write(8, "stat", "garbage");
    assert_eq!(proc.alive(101), None);
    assert_eq!(proc.scanner.living_in(&[ContainerId::new("main")]), None);
    proc.remove(8);
    assert_eq!(proc.alive(102), Some(vec![7]));
    assert_eq!(proc.scanner.living_in(&[ContainerId::new("main")]), Some(1));
    // A process that goes away during the scan does not make it incomplete.
    proc.write(9, "comm", "app\n");
    assert_eq!(proc.alive(103), Some(vec![7]));
    fs::remove_dir_all(proc.root.path()).expect("it is there");
    assert_eq!(proc.alive(104), None);
}

/// As with too many open files. An old process is not read again once its container is known not to be the pod's.
#[test]
fn a_process_whose_cgroup_cannot_be_read_is_not_taken_for_another_pods() {
    let mut proc = FakeProc::new();
    proc.put(&FakeProcess::main(7));
    let cgroup = proc.root.path().join("7/cgroup");
    fs::remove_file(&cgroup).expect("it is there");
    // It can be opened, and a read fails: nothing is mapped at the address 0.
    std::os::unix::fs::symlink("/proc/self/mem", &cgroup).expect("a link can be made");
    assert!(proc.scanner.try_out().is_err());
    let events = proc.scan(101 + YOUTH);
    assert!(events.is_empty(), "{events:?}");
    let failure = proc.scanner.failure().expect("the scan has failed");
    assert!(failure.contains("Input/output error"), "{failure}");
    assert_eq!(proc.scanner.living_in(&[ContainerId::new("main")]), None);
    fs::remove_file(&cgroup).expect("it is there");
    fs::write(&cgroup, format!("0::{POD}/main\n")).expect("a file can be written");
    assert_eq!(proc.started(102 + YOUTH), [(7, true)]);
    assert_eq!(proc.scanner.failure(), None);
    assert!(proc.scanner.try_out().is_ok());
}

#[test]
fn a_process_whose_leader_has_ended_is_described_by_its_other_threads() {
    let mut proc = FakeProc::new();
    proc.put(&FakeProcess {
        state: 'Z',
        threads: 2,
        ..FakeProcess::main(7)
    });
    let mountinfo = proc.root.path().join("7/mountinfo");
    fs::remove_file(&mountinfo).expect("it is there");
    // Like the kernel's file, this can be opened but not read.
    fs::create_dir(&mountinfo).expect("a directory can be proc");
    proc.write(7, "task/9/mountinfo", &mounts_of("main"));
    let name = proc.scan(101).into_iter().find_map(|event| match event {
        Event::ContainerSeen { evidence, .. } => evidence?.name,
        _ => None,
    });
    assert_eq!(name.as_deref(), Some("main"));
}

#[test]
fn names_that_are_not_utf8_hide_no_others() {
    let mut proc = FakeProc::new();
    proc.put(&FakeProcess::main(7));
    let path = proc.root.path().join("7/mountinfo");
    let mut bytes = b"8 1 0:9 /\xff\xfe /data/\xff rw - ext4 /dev/vda rw\n".to_vec();
    bytes.extend(mounts_of("main").into_bytes());
    fs::write(path, bytes).expect("a file can be written");
    let name = proc.scan(101).into_iter().find_map(|event| match event {
        Event::ContainerSeen { evidence, .. } => evidence?.name,
        _ => None,
    });
    assert_eq!(name.as_deref(), Some("main"));
}

#[test]
fn a_container_is_described_until_its_name_is_known_or_its_process_is_old() {
    let described = |proc: &mut FakeProc, ticks| {
        let events = proc.scan(ticks);
        events
            .iter()
            .any(|event| matches!(event, Event::ContainerSeen { .. }))
    };
    let mut proc = FakeProc::new();
    proc.put(&FakeProcess::main(7));
    proc.write(7, "mountinfo", "9 1 0:9 / / rw - overlay overlay rw\n");
    assert!(described(&mut proc, 101));
    assert!(described(&mut proc, 102));
    proc.write(7, "mountinfo", &mounts_of("main"));
    assert!(described(&mut proc, 103));
    assert!(!described(&mut proc, 104));

    let mut nameless = FakeProc::new();
    nameless.put(&FakeProcess::main(7));
    nameless.write(7, "mountinfo", "9 1 0:9 / / rw - overlay overlay rw\n");
    assert!(described(&mut nameless, 100 + YOUTH));
    assert!(!described(&mut nameless, 101 + YOUTH));
}

/// An old process that goes away during the scan must not leave its container unknown for good.
#[test]
fn a_container_without_readable_mounts_is_read_again() {
    let mut proc = FakeProc::new();
    proc.put(&FakeProcess::main(7));
    fs::remove_file(proc.root.path().join("7/mountinfo")).expect("it is there");
    let named = |events: Vec<Event>| {
        events.into_iter().any(|event| match event {
            Event::ContainerSeen { evidence, .. } => {
                evidence.is_some_and(|evidence| evidence.name.is_some())
            }
            _ => false,
        })
    };
    assert!(!named(proc.scan(100 + YOUTH)));
    proc.put(&FakeProcess::main(7));
    assert!(named(proc.scan(101 + YOUTH)));
}

#[test]
fn where_all_containers_share_a_cgroup_the_mounts_name_the_container() {
    let uid = UID.to_owned();
    let mut proc = FakeProc::with_pod(PodPath::SharedCgroup { uid });
    let cgroup = || "/one/for/all".to_owned();
    for (pid, mounts) in [
        (7, mounts_of("main")),
        (8, mounts_of("istio-proxy")),
        (9, mounts_of("main").replace(UID, &UID.replace('8', "9"))),
        (10, String::new()),
    ] {
        proc.put(&FakeProcess {
            cgroup: cgroup(),
            ..FakeProcess::main(pid)
        });
        proc.write(pid, "mountinfo", &mounts);
    }
    let containers: Vec<String> = proc
        .scan(100 + YOUTH)
        .into_iter()
        .filter_map(|event| match event {
            Event::ProcessStarted { container, .. } => Some(container.to_string()),
            _ => None,
        })
        .collect();
    let containers: BTreeSet<&str> = containers.iter().map(String::as_str).collect();
    assert_eq!(containers, BTreeSet::from(["main", "istio-proxy"]));
}

//! Made-up processes in a directory like `/proc`, for cases that the recordings lack.

use super::*;
use crate::track::process::{MAKING, MAKING_BY_PLAIN_NAME};

const POD: &str = "/kubepods/pod8da70f9aa63c9d400f807eee79390d18";
const UID: &str = "8da70f9aa63c9d400f807eee79390d18";

/// A directory like `/proc`.
struct Proc {
    root: tempfile::TempDir,
    scanner: Scanner,
}

/// One of its processes.
struct Made<'a> {
    pid: i32,
    name: &'a str,
    state: char,
    parent: i32,
    threads: u32,
    started: u64,
    cgroup: String,
}

impl Made<'_> {
    fn main(pid: i32) -> Self {
        Self {
            pid,
            name: "app",
            state: 'S',
            parent: 0,
            threads: 1,
            started: 100,
            cgroup: format!("{POD}/main"),
        }
    }
}

fn mounts_of(container: &str) -> String {
    format!(
        "9 1 254:0 /pods/{UID}/containers/{container}/5e5df18f /dev/termination-log rw - ext4 /dev/vda rw\n"
    )
}

impl Proc {
    fn new() -> Self {
        Self::with_pod(PodPath::Absolute(POD.to_owned()))
    }

    fn with_pod(pod: PodPath) -> Self {
        let root = tempfile::tempdir().expect("a directory can be made");
        let place = Place { pod, ..no_place() };
        let scanner = Scanner::at(root.path().to_owned(), place);
        Self { root, scanner }
    }

    fn write(&self, pid: i32, file: &str, text: &str) {
        let path = self.root.path().join(pid.to_string()).join(file);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory can be made");
        fs::write(path, text).expect("a file can be written");
    }

    fn put(&self, made: &Made<'_>) {
        let stat = format!(
            "{} ({}) {} {} 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 {} 0 {} 2314240 436 \
             18446744073709551615 1 1 0 0 0 0 0 4 65538 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
            made.pid, made.name, made.state, made.parent, made.threads, made.started
        );
        self.write(made.pid, "stat", &stat);
        self.write(made.pid, "cgroup", &format!("0::{}\n", made.cgroup));
        let container = made.cgroup.rsplit('/').next().unwrap_or_default();
        self.write(made.pid, "mountinfo", &mounts_of(container));
    }

    fn remove(&self, pid: i32) {
        fs::remove_dir_all(self.root.path().join(pid.to_string())).expect("it is there");
    }

    /// Scans at a moment, in ticks.
    fn look(&mut self, ticks: u64) -> Vec<Event> {
        self.scanner.scan_at(Timestamp(ticks * TICK))
    }

    /// Scans; the pids of the processes whose start is reported, and whether each entered its
    /// container from outside.
    fn started(&mut self, ticks: u64) -> Vec<(u64, bool)> {
        let events = self.look(ticks);
        let started = events.iter().filter_map(|event| match event {
            Event::ProcessStarted {
                process, entered, ..
            } => Some((process.pid, *entered)),
            _ => None,
        });
        started.collect()
    }

    /// Scans; the pids of the processes that live, if the scan was complete.
    fn alive(&mut self, ticks: u64) -> Option<Vec<u64>> {
        match self.look(ticks).pop() {
            Some(Event::Scanned { alive, .. }) => {
                Some(alive.into_iter().map(|process| process.pid).collect())
            }
            _ => None,
        }
    }
}

#[test]
fn a_zombie_has_ended_unless_its_other_threads_live() {
    let mut made = Proc::new();
    for (pid, state, threads, lives) in [
        (1, 'S', 1, true),
        (2, 'Z', 1, false),
        (3, 'Z', 2, true),
        (4, 'X', 1, false),
        (5, 'D', 1, true),
        (6, 'T', 1, true),
    ] {
        made.put(&Made {
            state,
            threads,
            ..Made::main(pid)
        });
        let alive = made.alive(101).expect("the scan is complete");
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
        let mut made = Proc::new();
        made.put(&Made {
            name,
            ..Made::main(7)
        });
        assert_eq!(made.started(101), [], "{name}");
        assert_eq!(made.alive(102), Some(vec![7]), "{name} lives");
        made.put(&Made::main(7));
        assert_eq!(made.started(103), [(7, true)], "{name}");
        assert_eq!(made.started(104), [], "{name} is reported once");
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
        let mut made = Proc::new();
        made.put(&Made {
            name,
            ..Made::main(7)
        });
        assert_eq!(made.started(101), [(7, true)], "{name}");
    }
}

/// Any program may be called `crun`, and must not be overlooked for ever.
#[test]
fn a_runtimes_name_counts_only_for_a_while() {
    for (name, bound) in [("crun", MAKING_BY_PLAIN_NAME), ("runc:[2:INIT]", MAKING)] {
        let mut made = Proc::new();
        made.put(&Made {
            name,
            ..Made::main(7)
        });
        assert_eq!(made.started(100 + bound - 1), [], "{name}");
        assert_eq!(made.started(100 + bound), [(7, true)], "{name}");
    }
}

/// On a busy node the runtime takes a minute, and the first reading holds more mounts than the last.
#[test]
fn the_mounts_of_a_container_are_read_until_its_program_runs() {
    let [before, after] = recorded::half_made();
    let mut made = Proc::new();
    let mut stages = |name: &str, mounts: &str, at: u64| -> Vec<Option<Stage>> {
        made.put(&Made {
            name,
            ..Made::main(7)
        });
        made.write(7, "mountinfo", mounts);
        let seen = made.look(at).into_iter().filter_map(|event| match event {
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
    let mut made = Proc::new();
    made.put(&Made::main(7));
    made.put(&Made {
        parent: 7,
        ..Made::main(8)
    });
    made.put(&Made {
        parent: 8,
        cgroup: format!("{POD}/main/deeper"),
        ..Made::main(9)
    });
    made.put(&Made {
        parent: 0,
        ..Made::main(10)
    });
    made.put(&Made {
        parent: 1,
        ..Made::main(11)
    });
    made.put(&Made {
        cgroup: format!("{POD}/pause"),
        ..Made::main(1)
    });
    // Its parent is gone, or hidden from us.
    made.put(&Made {
        parent: 4711,
        ..Made::main(12)
    });
    let mut started = made.started(101);
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
    let mut made = Proc::new();
    let outside = || "/system.slice/containerd.service".to_owned();
    made.put(&Made {
        cgroup: outside(),
        ..Made::main(7)
    });
    made.put(&Made {
        cgroup: outside(),
        ..Made::main(8)
    });
    assert_eq!(made.started(101), []);
    made.put(&Made::main(7));
    assert_eq!(made.started(102), [(7, true)]);
    made.started(101 + YOUTH);
    made.put(&Made::main(8));
    assert_eq!(made.started(102 + YOUTH), [], "it is not read any more");
}

#[test]
fn a_recycled_pid_is_reported_again() {
    let mut made = Proc::new();
    made.put(&Made::main(7));
    assert_eq!(made.started(101), [(7, true)]);
    made.put(&Made {
        started: 150,
        ..Made::main(7)
    });
    assert_eq!(made.started(151), [(7, true)]);
    made.remove(7);
    assert_eq!(made.alive(152), Some(Vec::new()));
}

#[test]
fn a_scan_that_may_have_missed_a_process_does_not_report_who_lives() {
    let mut made = Proc::new();
    made.put(&Made::main(7));
    made.put(&Made::main(8));
    made.write(8, "stat", "garbage");
    assert_eq!(made.alive(101), None);
    assert_eq!(made.scanner.living_in(&[ContainerId::new("main")]), None);
    made.remove(8);
    assert_eq!(made.alive(102), Some(vec![7]));
    assert_eq!(made.scanner.living_in(&[ContainerId::new("main")]), Some(1));
    // A process that goes away during the scan does not make it incomplete.
    made.write(9, "comm", "app\n");
    assert_eq!(made.alive(103), Some(vec![7]));
    fs::remove_dir_all(made.root.path()).expect("it is there");
    assert_eq!(made.alive(104), None);
}

#[test]
fn a_process_whose_leader_has_ended_is_described_by_its_other_threads() {
    let mut made = Proc::new();
    made.put(&Made {
        state: 'Z',
        threads: 2,
        ..Made::main(7)
    });
    let mountinfo = made.root.path().join("7/mountinfo");
    fs::remove_file(&mountinfo).expect("it is there");
    // Like the kernel's file, this can be opened but not read.
    fs::create_dir(&mountinfo).expect("a directory can be made");
    made.write(7, "task/9/mountinfo", &mounts_of("main"));
    let name = made.look(101).into_iter().find_map(|event| match event {
        Event::ContainerSeen { evidence, .. } => evidence?.name,
        _ => None,
    });
    assert_eq!(name.as_deref(), Some("main"));
}

#[test]
fn names_that_are_not_utf8_hide_no_others() {
    let mut made = Proc::new();
    made.put(&Made::main(7));
    let path = made.root.path().join("7/mountinfo");
    let mut bytes = b"8 1 0:9 /\xff\xfe /data/\xff rw - ext4 /dev/vda rw\n".to_vec();
    bytes.extend(mounts_of("main").into_bytes());
    fs::write(path, bytes).expect("a file can be written");
    let name = made.look(101).into_iter().find_map(|event| match event {
        Event::ContainerSeen { evidence, .. } => evidence?.name,
        _ => None,
    });
    assert_eq!(name.as_deref(), Some("main"));
}

#[test]
fn a_container_is_described_until_its_name_is_known_or_its_process_is_old() {
    let described = |made: &mut Proc, ticks| {
        let events = made.look(ticks);
        events
            .iter()
            .any(|event| matches!(event, Event::ContainerSeen { .. }))
    };
    let mut made = Proc::new();
    made.put(&Made::main(7));
    made.write(7, "mountinfo", "9 1 0:9 / / rw - overlay overlay rw\n");
    assert!(described(&mut made, 101));
    assert!(described(&mut made, 102));
    made.write(7, "mountinfo", &mounts_of("main"));
    assert!(described(&mut made, 103));
    assert!(!described(&mut made, 104));

    let mut nameless = Proc::new();
    nameless.put(&Made::main(7));
    nameless.write(7, "mountinfo", "9 1 0:9 / / rw - overlay overlay rw\n");
    assert!(described(&mut nameless, 100 + YOUTH));
    assert!(!described(&mut nameless, 101 + YOUTH));
}

/// An old process that goes away during the scan must not leave its container unknown for good.
#[test]
fn a_container_without_readable_mounts_is_read_again() {
    let mut made = Proc::new();
    made.put(&Made::main(7));
    fs::remove_file(made.root.path().join("7/mountinfo")).expect("it is there");
    let named = |events: Vec<Event>| {
        events.into_iter().any(|event| match event {
            Event::ContainerSeen { evidence, .. } => {
                evidence.is_some_and(|evidence| evidence.name.is_some())
            }
            _ => false,
        })
    };
    assert!(!named(made.look(100 + YOUTH)));
    made.put(&Made::main(7));
    assert!(named(made.look(101 + YOUTH)));
}

#[test]
fn where_all_containers_share_a_cgroup_the_mounts_name_the_container() {
    let uid = UID.to_owned();
    let mut made = Proc::with_pod(PodPath::SharedCgroup { uid });
    let cgroup = || "/one/for/all".to_owned();
    for (pid, mounts) in [
        (7, mounts_of("main")),
        (8, mounts_of("istio-proxy")),
        (9, mounts_of("main").replace(UID, &UID.replace('8', "9"))),
        (10, String::new()),
    ] {
        made.put(&Made {
            cgroup: cgroup(),
            ..Made::main(pid)
        });
        made.write(pid, "mountinfo", &mounts);
    }
    let containers: Vec<String> = made
        .look(100 + YOUTH)
        .into_iter()
        .filter_map(|event| match event {
            Event::ProcessStarted { container, .. } => Some(container.to_string()),
            _ => None,
        })
        .collect();
    let containers: BTreeSet<&str> = containers.iter().map(String::as_str).collect();
    assert_eq!(containers, BTreeSet::from(["main", "istio-proxy"]));
}

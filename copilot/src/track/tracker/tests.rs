mod copilots;
mod doubt;
mod history;
mod properties;
mod telling;
mod words;

use super::*;
use crate::track::{ExitStatus, mounts::MountEvidence};

const MAIN: &str = "main";
const SHELL: ProcessId = process(20, 2000);
const FIRST: ProcessId = process(10, 1000);

const fn process(pid: u64, started: u64) -> ProcessId {
    ProcessId { started, pid }
}

fn named_main() -> Tracker {
    Tracker::new(Rules {
        main_container: Some(MAIN.to_owned()),
        ..Rules::default()
    })
}

fn seen(container: &str) -> Event {
    Event::ContainerSeen {
        container: ContainerId::new(container),
        evidence: Some(MountEvidence {
            name: Some(container.to_owned()),
            pod_uid: Some("uid".to_owned()),
            ..MountEvidence::default()
        }),
    }
}

fn start_in(container: &str, process: ProcessId, entered: bool) -> Event {
    Event::ProcessStarted {
        process,
        container: ContainerId::new(container),
        at: Timestamp(process.started),
        entered,
    }
}

fn start(process: ProcessId) -> Event {
    start_in(MAIN, process, true)
}

fn exit(process: ProcessId, code: u8, at: u64) -> Event {
    Event::ProcessExited {
        process,
        container: Some(ContainerId::new(MAIN)),
        status: ExitStatus::Code(code),
        at: Timestamp(at),
    }
}

fn scan(alive: &[ProcessId], began: u64) -> Event {
    Event::Scanned {
        alive: alive.iter().copied().collect(),
        began: Timestamp(began),
    }
}

fn lost(at: u64) -> Event {
    Event::Lost {
        count: 1,
        at: Timestamp(at),
    }
}

/// All transitions of these events but `MainFound`.
fn told(tracker: &mut Tracker, events: impl IntoIterator<Item = Event>) -> Vec<Transition> {
    events
        .into_iter()
        .flat_map(|event| tracker.observe(event))
        .filter(|transition| !matches!(transition, Transition::MainFound { .. }))
        .collect()
}

fn started(process: ProcessId) -> Transition {
    Transition::MainStarted {
        processes: vec![process],
        at: Timestamp(process.started),
    }
}

fn exited(status: ExitStatus, at: u64) -> Transition {
    Transition::MainExited {
        status,
        at: Timestamp(at),
    }
}

#[test]
fn main_starts_with_its_first_process_and_ends_with_it() {
    let mut tracker = named_main();
    let child = process(15, 1500);
    let events = [
        seen(MAIN),
        start(FIRST),
        start_in(MAIN, child, false),
        start(SHELL),
        exit(child, 1, 2100),
        exit(SHELL, 130, 2200),
    ];
    assert_eq!(told(&mut tracker, events), [started(FIRST)]);
    assert_eq!(tracker.main_processes(), [FIRST]);
    assert!(tracker.has_started());
    let end = told(&mut tracker, [exit(FIRST, 7, 3000)]);
    assert_eq!(end, [exited(ExitStatus::Code(7), 3000)]);
}

#[test]
fn nothing_is_said_of_a_container_that_nobody_has_described() {
    let mut tracker = named_main();
    let early = [start(FIRST), exit(FIRST, 0, 1001)];
    assert_eq!(told(&mut tracker, early), []);
    let late = told(&mut tracker, [seen(MAIN)]);
    assert_eq!(late, [started(FIRST), exited(ExitStatus::Code(0), 1001)]);
}

#[test]
fn an_exit_that_is_told_before_the_start_is_kept() {
    let mut tracker = named_main();
    let events = [seen(MAIN), exit(FIRST, 3, 1001), start(FIRST)];
    let expected = [started(FIRST), exited(ExitStatus::Code(3), 1001)];
    assert_eq!(told(&mut tracker, events), expected);
}

/// Before its container's name is known a process may be told under another name of it.
#[test]
fn a_process_that_was_told_in_two_containers_ends_in_both() {
    let mut tracker = named_main();
    let events = [
        start_in("cgroup 7", FIRST, true),
        seen(MAIN),
        start(FIRST),
        exit(FIRST, 0, 1001),
    ];
    let expected = [started(FIRST), exited(ExitStatus::Code(0), 1001)];
    assert_eq!(told(&mut tracker, events), expected);
}

#[test]
fn what_was_lost_is_made_up_for_by_a_later_scan_only() {
    let mut tracker = named_main();
    told(&mut tracker, [seen(MAIN), start(FIRST)]);
    let silent = [
        lost(1500),
        start(SHELL),
        exit(FIRST, 4, 1400),
        scan(&[], 1450),
    ];
    assert_eq!(
        told(&mut tracker, silent),
        [],
        "the scan began before the loss"
    );
    let end = told(&mut tracker, [scan(&[SHELL], 1500)]);
    assert_eq!(end, [exited(ExitStatus::Code(4), 1400)]);
}

#[test]
fn who_is_missing_from_a_scan_is_gone_unless_it_could_not_be_in_it() {
    let foreign = process(ProcessId::FOREIGN + 5, 900);
    for (first, began, expected) in [
        (FIRST, 1200, true),
        (FIRST, 1000, false),
        (FIRST, 900, false),
        (foreign, 1200, false),
    ] {
        let mut tracker = named_main();
        told(&mut tracker, [seen(MAIN), start(first)]);
        let end = told(&mut tracker, [scan(&[], began)]);
        assert_eq!(!end.is_empty(), expected, "{first:?} {began}");
    }
}

/// One of two mains was missed by a scan, and its own record came late: it says how it ended.
#[test]
fn a_status_that_is_told_late_replaces_an_unknown_one() {
    let mut tracker = Tracker::new(Rules {
        host_name: Some("pod".to_owned()),
        ..Rules::default()
    });
    let begun = [
        seen("pod"),
        seen("primary"),
        start_in("pod", FIRST, true),
        start_in("primary", SHELL, true),
    ];
    told(&mut tracker, begun);
    let missed = [
        scan(&[SHELL], 2500),
        exit(FIRST, 7, 2400),
        scan(&[SHELL], 2600),
    ];
    assert_eq!(told(&mut tracker, missed), []);
    let end = told(&mut tracker, [exit(SHELL, 0, 3000)]);
    assert_eq!(end, [exited(ExitStatus::Code(7), 3000)]);
}

#[test]
fn a_recycled_pid_is_another_process() {
    let mut tracker = named_main();
    told(&mut tracker, [seen(MAIN), start(FIRST)]);
    let recycled = process(FIRST.pid, 9000);
    let end = told(&mut tracker, [exit(recycled, 1, 9001)]);
    assert_eq!(end, []);
    let end = told(&mut tracker, [scan(&[recycled], 9002)]);
    assert_eq!(end, [exited(ExitStatus::Unknown, 9002)]);
}

/// A container that shares the volume was taken for main until main, by its name, came.
#[test]
fn who_is_main_may_change_until_main_has_ended() {
    let mut tracker = Tracker::new(Rules {
        host_name: Some("pod".to_owned()),
        ..Rules::default()
    });
    let other = process(5, 500);
    told(
        &mut tracker,
        [seen("other"), start_in("other", other, true)],
    );
    assert_eq!(tracker.main_processes(), [other]);
    told(&mut tracker, [seen("pod"), start_in("pod", FIRST, true)]);
    assert_eq!(tracker.main_processes(), [FIRST]);
    assert_eq!(told(&mut tracker, [exit(other, 0, 1100)]), []);
    let end = told(&mut tracker, [exit(FIRST, 0, 1200)]);
    assert_eq!(end, [exited(ExitStatus::Code(0), 1200)]);
}

#[test]
fn a_main_that_forks_all_day_does_not_fill_our_memory() {
    let mut tracker = named_main();
    told(&mut tracker, [seen(MAIN), start(FIRST)]);
    for pid in 2_000..100_000 {
        let orphan = process(pid, pid);
        tracker.observe(start_in(MAIN, orphan, pid % 2 == 0));
        tracker.observe(exit(orphan, 0, pid + 1));
    }
    assert!(tracker.strays.is_empty());
    assert_eq!(tracker.containers.len(), 1);
    let end = told(&mut tracker, [exit(FIRST, 7, 200_000)]);
    assert_eq!(end, [exited(ExitStatus::Code(7), 200_000)]);
}

/// The first process's start was lost: its exit outlives those of its many children.
#[test]
fn the_exit_of_a_process_not_known_yet_survives_a_flood_of_younger_ones() {
    let mut tracker = named_main();
    told(
        &mut tracker,
        [seen(MAIN), lost(50_000), exit(FIRST, 7, 40_000)],
    );
    for pid in 10_000..20_000 {
        tracker.observe(exit(process(pid, pid), 0, pid + 1));
    }
    assert!(tracker.strays.len() <= STRAYS);
    let end = told(&mut tracker, [start(FIRST), scan(&[], 50_000)]);
    assert_eq!(end, [started(FIRST), exited(ExitStatus::Code(7), 40_000)]);
    assert!(tracker.strays.is_empty(), "nobody can claim the others");
}

/// A look while the runtime makes the mounts shows some of them: without the name, a mesh that has
/// our output volume would pass for main.
#[test]
fn a_container_whose_mounts_are_being_made_is_not_judged() {
    let mount = crate::track::mounts::Mount {
        device: "254:0".to_owned(),
        root: "/pods/uid/volumes/kubernetes.io~empty-dir/out".into(),
        target: "/outputs".into(),
    };
    let mut tracker = Tracker::new(Rules {
        pod_uid: Some("uid".to_owned()),
        output_mount: Some(mount.clone()),
        ..Rules::default()
    });
    let mut half = MountEvidence {
        pod_uid: Some("uid".to_owned()),
        mounts: vec![mount],
        ..MountEvidence::default()
    };
    let seen = |evidence: &MountEvidence| Event::ContainerSeen {
        container: ContainerId::new(MAIN),
        evidence: Some(evidence.clone()),
    };
    assert_eq!(tracker.observe(seen(&half)), []);
    half.name = Some("istio-proxy".to_owned());
    assert_eq!(tracker.observe(seen(&half)), []);
    assert_eq!(tracker.observe(start(FIRST)), []);
    half.name = Some("trainer".to_owned());
    let found = Transition::MainFound {
        containers: vec![ContainerId::new(MAIN)],
        why: Why::OutputVolume,
    };
    assert_eq!(tracker.observe(seen(&half)).first(), Some(&found));
}

/// What a source reads of one container while a real node makes it: the reading before the pivot has
/// more mounts, and not the output volume.
#[test]
fn a_reading_before_the_pivot_never_hides_the_complete_one() {
    let [before, after] = crate::track::recorded::half_made();
    let complete = MountEvidence::from_mountinfo(&after);
    let rules = Rules {
        pod_uid: complete.pod_uid.clone(),
        host_name: Some("node-hybrid".to_owned()),
        output_mount: complete.mount_of("/var/flyte/outputs".as_ref()).cloned(),
        ..Rules::default()
    };
    let seen = |evidence: Option<MountEvidence>| Event::ContainerSeen {
        container: ContainerId::new(MAIN),
        evidence,
    };
    let half = || seen(MountEvidence::from_runtimes_mountinfo(&before));
    let whole = || seen(Some(complete.clone()));
    let found = Transition::MainFound {
        containers: vec![ContainerId::new(MAIN)],
        why: Why::OutputVolume,
    };
    for events in [
        vec![half(), whole(), start(FIRST)],
        vec![whole(), half(), start(FIRST)],
        vec![half(), start(FIRST), whole()],
        vec![start(FIRST), seen(None), whole(), half(), seen(None)],
    ] {
        let mut tracker = Tracker::new(rules.clone());
        let said: Vec<Transition> = events
            .into_iter()
            .flat_map(|event| tracker.observe(event))
            .collect();
        assert_eq!(said, [found.clone(), started(FIRST)]);
    }
}

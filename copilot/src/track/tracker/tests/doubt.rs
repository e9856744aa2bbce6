//! An end that may be an init container's is not called main's while main may still come.

use super::*;
use crate::track::{ExitStatus, Marker, mounts::Mount};

const INIT: ProcessId = process(5, 500);
const LOADER: ProcessId = process(7, 700);

fn volume() -> Mount {
    Mount {
        device: "254:0".to_owned(),
        root: "/pods/uid/volumes/kubernetes.io~empty-dir/out".into(),
        target: "/outputs".into(),
    }
}

/// A pod of kubelet's whose main is told by the output volume, or called `pod`.
fn in_a_pod() -> Tracker {
    Tracker::new(Rules {
        pod_uid: Some("uid".to_owned()),
        host_name: Some("pod".to_owned()),
        output_mount: Some(volume()),
        ..Rules::default()
    })
}

fn sharer(container: &str) -> Event {
    Event::ContainerSeen {
        container: ContainerId::new(container),
        evidence: Some(MountEvidence {
            name: Some(container.to_owned()),
            pod_uid: Some("uid".to_owned()),
            mounts: vec![volume()],
            ..MountEvidence::default()
        }),
    }
}

fn end(container: &str, process: ProcessId, status: ExitStatus, at: u64) -> Event {
    Event::ProcessExited {
        process,
        container: Some(ContainerId::new(container)),
        status,
        at: Timestamp(at),
    }
}

const WELL: ExitStatus = ExitStatus::Code(0);

fn life(container: &str, process: ProcessId, status: ExitStatus, at: u64) -> [Event; 3] {
    [
        sharer(container),
        start_in(container, process, true),
        end(container, process, status, at),
    ]
}

fn in_doubt(status: ExitStatus, at: u64) -> Transition {
    Transition::MainInDoubt {
        status,
        at: Timestamp(at),
    }
}

#[test]
fn an_init_container_that_shares_the_volume_is_not_main_once_main_comes() {
    for (main, confirms) in [("pod", false), ("trainer", true)] {
        let mut tracker = in_a_pod();
        let early = told(&mut tracker, life("init", INIT, WELL, 600));
        assert_eq!(early, [started(INIT), in_doubt(WELL, 600)]);
        assert!(tracker.is_in_doubt() && !tracker.has_started());
        assert!(!tracker.is_anybody_there());
        let begun = told(&mut tracker, [sharer(main), start_in(main, FIRST, true)]);
        assert_eq!(begun, [started(FIRST)]);
        assert!(!tracker.is_in_doubt() && tracker.has_started());
        let mut over = told(&mut tracker, [end(main, FIRST, WELL, 2000)]);
        if confirms {
            assert_eq!(over, [in_doubt(WELL, 2000)]);
            over = tracker.confirm();
            assert_eq!(over.remove(0), started(FIRST), "it was taken back");
        }
        assert_eq!(over, [exited(WELL, 2000)], "{main}");
    }
}

/// A pod template may put an init container behind it, and two mains begin one after the other.
#[test]
fn behind_our_downloader_there_is_doubt_as_well() {
    let downloader = "flyte-copilot-downloader";
    let mut tracker = in_a_pod();
    told(&mut tracker, life("init", INIT, WELL, 600));
    let events = [
        seen(downloader),
        start_in(downloader, LOADER, true),
        end(downloader, LOADER, WELL, 800),
    ];
    assert_eq!(told(&mut tracker, events), []);
    let over = told(&mut tracker, life("late", FIRST, WELL, 2000));
    assert_eq!(over, [started(FIRST), in_doubt(WELL, 2000)]);
    let failed = ExitStatus::Code(7);
    let main = process(30, 3000);
    let over = told(&mut tracker, life("trainer", main, failed, 4000));
    assert_eq!(over, [started(main), exited(failed, 4000)]);
}

/// No other container comes after these.
#[test]
fn a_failure_the_word_of_sigterm_and_marker_files_leave_no_doubt() {
    let failed = ExitStatus::Code(3);
    let mut tracker = in_a_pod();
    let over = told(&mut tracker, life("trainer", FIRST, failed, 2000));
    assert_eq!(over, [started(FIRST), exited(failed, 2000)]);

    let mut tracker = in_a_pod();
    assert_eq!(tracker.confirm(), [], "nobody has come yet");
    let over = told(&mut tracker, life("trainer", FIRST, WELL, 2000));
    assert_eq!(over, [started(FIRST), exited(WELL, 2000)]);

    let mut tracker = in_a_pod();
    let marker = Event::MarkerWritten {
        marker: Marker::Start,
        at: Timestamp(900),
    };
    told(&mut tracker, [marker]);
    let over = told(&mut tracker, life("trainer", FIRST, WELL, 2000));
    assert_eq!(over, [exited(WELL, 2000)]);
}

#[test]
fn a_doubt_is_said_once_and_again_only_if_more_is_learnt() {
    let mut tracker = in_a_pod();
    told(
        &mut tracker,
        [sharer("trainer"), start_in("trainer", FIRST, true)],
    );
    let unknown = ExitStatus::Unknown;
    let first = told(&mut tracker, [scan(&[], 2000), scan(&[], 2100)]);
    assert_eq!(first, [in_doubt(unknown, 2000)]);
    let late = told(&mut tracker, [end("trainer", FIRST, WELL, 1900)]);
    assert_eq!(late, [in_doubt(WELL, 1900)]);
    assert_eq!(told(&mut tracker, [scan(&[], 2200)]), []);
}

/// Outside of Kubernetes there are no init containers, and a name leaves no doubt anywhere.
#[test]
fn by_name_and_outside_of_a_pod_there_is_no_doubt() {
    let mut outside = Tracker::new(Rules::default());
    let mut named = Tracker::new(Rules {
        pod_uid: Some("uid".to_owned()),
        main_container: Some("trainer".to_owned()),
        ..Rules::default()
    });
    for tracker in [&mut outside, &mut named] {
        let over = told(tracker, life("trainer", FIRST, WELL, 2000));
        assert_eq!(over, [started(FIRST), exited(WELL, 2000)]);
    }
}

//! What is said of containers as a whole, and by main itself.

use super::*;
use crate::track::{ExitStatus, Marker};

fn begun(at: u64) -> Event {
    Event::ContainerStarted {
        container: ContainerId::new(MAIN),
        at: Timestamp(at),
    }
}

fn over(status: ExitStatus, at: u64) -> Event {
    Event::ContainerExited {
        container: ContainerId::new(MAIN),
        status,
        at: Timestamp(at),
        alive: Timestamp(at),
    }
}

fn marked(marker: Marker, at: u64) -> Event {
    Event::MarkerWritten {
        marker,
        at: Timestamp(at),
    }
}

#[test]
fn a_container_that_is_told_of_as_a_whole_starts_and_ends_once() {
    let mut tracker = named_main();
    let events = [
        seen(MAIN),
        begun(1000),
        begun(1000),
        over(ExitStatus::Code(7), 2000),
        over(ExitStatus::Code(7), 2000),
    ];
    let started = Transition::MainStarted {
        processes: Vec::new(),
        at: Timestamp(1000),
    };
    let expected = [started, exited(ExitStatus::Code(7), 2000)];
    assert_eq!(told(&mut tracker, events), expected);
}

/// Nothing has begun, and nothing of main has ended.
#[test]
fn a_container_whose_program_never_began_is_over_and_never_started() {
    let failed = ExitStatus::NotStarted;
    let mut tracker = named_main();
    let over_at_once = told(&mut tracker, [seen(MAIN), over(failed, 2000)]);
    assert_eq!(over_at_once, [exited(failed, 2000)]);
    assert!(!tracker.has_started());

    let mut tracker = named_main();
    let told_by_mistake = [
        seen(MAIN),
        lost(1),
        over(failed, 900),
        start(FIRST),
        scan(&[FIRST], 1),
    ];
    assert_eq!(told(&mut tracker, told_by_mistake), [started(FIRST)]);
    let end = told(&mut tracker, [exit(FIRST, 0, 2000)]);
    assert_eq!(end, [exited(ExitStatus::Code(0), 2000)]);
}

/// A watch of the API that began late hears of the end only.
#[test]
fn a_container_that_has_ended_had_begun() {
    let mut tracker = named_main();
    let transitions = told(&mut tracker, [seen(MAIN), over(ExitStatus::Code(0), 2000)]);
    assert!(matches!(
        transitions.as_slice(),
        [
            Transition::MainStarted { .. },
            Transition::MainExited { .. }
        ]
    ));
}

#[test]
fn whoever_saw_the_process_knows_when_and_whoever_knows_the_status_knows_how() {
    for (first, then) in [
        (over(ExitStatus::Unknown, 3000), exit(FIRST, 7, 2000)),
        (exit(FIRST, 7, 2000), over(ExitStatus::Code(143), 3000)),
    ] {
        let mut tracker = named_main();
        told(
            &mut tracker,
            [seen(MAIN), lost(1), start(FIRST), first, then],
        );
        let end = told(&mut tracker, [scan(&[], 1)]);
        let expected = [started(FIRST), exited(ExitStatus::Code(7), 2000)];
        assert_eq!(end, expected);
    }
    let mut tracker = named_main();
    let missed = scan(&[], 2000);
    told(&mut tracker, [seen(MAIN), lost(2500), start(FIRST), missed]);
    let end = told(
        &mut tracker,
        [over(ExitStatus::Code(9), 2600), scan(&[], 2700)],
    );
    assert_eq!(end[1], exited(ExitStatus::Code(9), 2000));
}

#[test]
fn main_may_say_itself_that_it_is_over_while_it_is_seen_to_run() {
    let mut tracker = named_main();
    told(&mut tracker, [seen(MAIN), start(FIRST)]);
    assert_eq!(told(&mut tracker, [marked(Marker::Start, 1100)]), []);
    let said = told(&mut tracker, [marked(Marker::Success, 1200)]);
    let expected = Transition::MainMarked {
        marker: Marker::Success,
        at: Timestamp(1200),
    };
    assert_eq!(said, [expected]);
    assert!(tracker.is_main_alive());
    let end = told(&mut tracker, [exit(FIRST, 0, 1300)]);
    assert_eq!(end, [exited(ExitStatus::Code(0), 1300)]);
    assert!(!tracker.is_main_alive());
}

#[test]
fn a_main_that_only_its_files_tell_of_is_never_alive() {
    let mut tracker = named_main();
    let said = told(&mut tracker, [marked(Marker::Start, 1000)]);
    assert!(matches!(said.as_slice(), [Transition::MainStarted { .. }]));
    assert!(!tracker.is_main_alive(), "nobody would see it end");
    let said = told(&mut tracker, [marked(Marker::Error, 1100)]);
    assert!(matches!(said.as_slice(), [Transition::MainMarked { .. }]));
    assert_eq!(told(&mut tracker, [marked(Marker::Success, 1200)]), []);
}

/// What was lost in the kernel was no file.
#[test]
fn a_marker_is_heeded_while_events_are_lost() {
    let mut tracker = named_main();
    let said = told(&mut tracker, [lost(2000), marked(Marker::Success, 1000)]);
    assert_eq!(said.len(), 2);
}

#[test]
fn nobody_is_there_but_those_who_can_never_be_main() {
    let mut tracker = Tracker::new(Rules {
        own: Some(ContainerId::new("us")),
        pod_uid: Some("uid".to_owned()),
        ..Rules::default()
    });
    let pause = Event::ContainerSeen {
        container: ContainerId::new("pause"),
        evidence: Some(MountEvidence {
            is_sandbox: true,
            ..MountEvidence::default()
        }),
    };
    for (event, anybody) in [
        (pause, false),
        (seen("us"), false),
        (seen("istio-proxy"), false),
        (seen(MAIN), true),
        (start(FIRST), true),
        (exit(FIRST, 0, 1500), false),
    ] {
        tracker.observe(event.clone());
        assert_eq!(tracker.is_anybody_there(), anybody, "{event:?}");
    }
}

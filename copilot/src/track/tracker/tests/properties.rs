//! What must hold of every history, however it is told.

use proptest::prelude::*;

use super::history::{CONTAINERS, History, INIT, Naming, any_event, histories};
use super::telling::{Telling, tellings};
use super::*;
use crate::track::ExitStatus;

/// What was said, each with the moment at which the event came that made the tracker say it; at last
/// kubelet stops us.
fn said(history: &History, telling: &Telling) -> Vec<(u64, Transition)> {
    let mut tracker = Tracker::new(history.rules());
    let (told, _) = history.tell(telling);
    let mut said = Vec::new();
    let mut last = 0;
    for (at, event) in told {
        let transitions = tracker.observe(event);
        said.extend(transitions.into_iter().map(|each| (at, each)));
        last = at;
    }
    said.extend(tracker.confirm().into_iter().map(|each| (last, each)));
    said
}

/// The status to be reported: the worst, each unknown whose record was lost.
fn expected_status(history: &History, lost_exits: &[ProcessId]) -> ExitStatus {
    let statuses = history.mains.iter().map(|main| {
        let life = &history.lives[*main];
        if lost_exits.contains(&life.id) {
            ExitStatus::Unknown
        } else {
            life.status
        }
    });
    statuses.fold(ExitStatus::Code(0), ExitStatus::worse)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn main_starts_once_and_ends_once_and_never_too_early(
        history in histories(),
        telling in tellings(),
    ) {
        let ids: Vec<ProcessId> = history.mains.iter().map(|main| history.lives[*main].id).collect();
        let (_, lost_exits) = history.tell(&telling);
        let (mut started, mut exited, mut last_why) = (0, 0, None);
        let mut last_found = Vec::new();
        for (at, transition) in said(&history, &telling) {
            match transition {
                Transition::MainFound { why, containers } => {
                    // Until main comes it may look like one.
                    let init_alone = containers == [ContainerId::new(CONTAINERS[INIT])];
                    prop_assert!(init_alone && started == 0 || containers.iter().all(|main| {
                        history.mains.iter().any(|each| CONTAINERS[*each] == main.as_str())
                    }), "{containers:?}");
                    last_why = Some(why);
                    last_found = containers;
                }
                Transition::MainStarted { processes, .. } => {
                    started += 1;
                    prop_assert_eq!(exited, 0);
                    let init_alone = last_found == [ContainerId::new(CONTAINERS[INIT])];
                    prop_assert!(init_alone || processes.iter().all(|each| ids.contains(each)));
                }
                Transition::MainDismissed => {
                    return Err(TestCaseError::fail("no process runs our program"));
                }
                Transition::MainInDoubt { .. } => {
                    prop_assert_ne!(history.naming, Naming::Named);
                    prop_assert_eq!(exited, 0);
                    started = 0;
                }
                Transition::MainExited { status, .. } => {
                    exited += 1;
                    prop_assert_eq!(started, 1);
                    prop_assert_eq!(status, expected_status(&history, &lost_exits));
                    let ends = history.mains.iter().filter_map(|main| history.lives[*main].end);
                    let end = ends.max().unwrap() * crate::track::process::TICK;
                    prop_assert!(at > end, "said at {at}, ended at {end}");
                }
                Transition::MainMarked { .. } => prop_assert!(false, "nobody wrote a marker"),
            }
        }
        prop_assert_eq!((started, exited), (1, 1));
        prop_assert_eq!(last_why, Some(history.why()));
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Nothing lost, nothing twice, nobody who looks like main: then the times are exact as well.
    #[test]
    fn told_plainly_the_times_are_exact(history in histories()) {
        let history = history.without_doubt();
        let lives = history.mains.iter().map(|main| &history.lives[*main]);
        let first = lives.clone().map(|life| life.id.started).min().unwrap();
        let last = lives.filter_map(|life| life.end).max().unwrap();
        for (now, transition) in said(&history, &Telling::plain()) {
            let (at, tick) = match transition {
                Transition::MainFound { .. } | Transition::MainMarked { .. } => continue,
                Transition::MainInDoubt { .. } | Transition::MainDismissed => {
                    return Err(TestCaseError::fail("no doubt here"));
                }
                Transition::MainStarted { at, .. } => (at.0, first),
                Transition::MainExited { at, .. } => (at.0, last),
            };
            prop_assert_eq!(at, now);
            prop_assert_eq!(at / crate::track::process::TICK, tick);
        }
    }

    #[test]
    fn what_cannot_happen_never_panics_and_never_ends_main_twice(
        history in histories(),
        events in prop::collection::vec(any_event(), 0..80),
    ) {
        let mut tracker = Tracker::new(history.rules());
        let (mut started, mut exited, mut marked) = (0, 0, 0);
        for event in events {
            for transition in tracker.observe(event) {
                match transition {
                    Transition::MainFound { containers, .. } => {
                        prop_assert!(!containers.is_empty() && exited == 0);
                    }
                    Transition::MainStarted { .. } => {
                        started += 1;
                        prop_assert_eq!(exited, 0);
                    }
                    Transition::MainInDoubt { .. } | Transition::MainDismissed => {
                        prop_assert_eq!((exited, marked), (0, 0));
                        started = 0;
                    }
                    Transition::MainExited { status, .. } => {
                        exited += 1;
                        prop_assert!(started == 1 || status == ExitStatus::NotStarted);
                    }
                    Transition::MainMarked { .. } => {
                        marked += 1;
                        prop_assert_eq!(started, 1);
                    }
                }
            }
        }
        prop_assert!(started <= 1 && exited <= 1 && marked <= 1);
    }
}

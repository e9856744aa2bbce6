//! Processes of our own program, as they become known.

use super::*;
use crate::track::{ExitStatus, Job, mounts::MountEvidence};

fn outside(container: &str) -> Event {
    Event::ContainerSeen {
        container: ContainerId::new(container),
        evidence: Some(MountEvidence::default()),
    }
}

fn copilot(container: &str, process: ProcessId, job: Option<Job>) -> Event {
    Event::CopilotSeen {
        container: ContainerId::new(container),
        process,
        job,
    }
}

const SECOND: ProcessId = process(5, 500);

fn second() -> [Event; 3] {
    [
        outside("second"),
        copilot("second", SECOND, Some(Job::Sidecar)),
        start_in("second", SECOND, true),
    ]
}

/// Two sidecars outside Kubernetes, whom nobody names: h2.
#[test]
fn a_second_sidecar_does_not_keep_us_from_seeing_mains_end() {
    let mut tracker = Tracker::new(Rules::default());
    assert_eq!(told(&mut tracker, second()), []);
    assert!(tracker.mains().is_empty());
    let main = [outside(MAIN), start(FIRST), exit(FIRST, 0, 2000)];
    let transitions = told(&mut tracker, main);
    let [
        Transition::MainStarted { processes, .. },
        Transition::MainExited { status, .. },
    ] = transitions.as_slice()
    else {
        panic!("{transitions:?}");
    };
    assert_eq!(
        (processes.as_slice(), *status),
        (&[FIRST][..], ExitStatus::Code(0))
    );
}

/// A shell replaces itself by our program, after a look at `/proc`.
#[test]
fn what_seemed_to_be_main_and_becomes_a_sidecar_is_dismissed() {
    let mut tracker = Tracker::new(Rules::default());
    let shell = [outside("second"), start_in("second", SECOND, true)];
    assert!(matches!(
        told(&mut tracker, shell)[..],
        [Transition::MainStarted { .. }]
    ));
    let becomes = copilot("second", SECOND, Some(Job::Sidecar));
    assert_eq!(
        told(&mut tracker, [becomes.clone()]),
        [Transition::MainDismissed]
    );
    assert!(tracker.mains().is_empty() && !tracker.has_started());
    assert_eq!(told(&mut tracker, [becomes]), []);
    // And it may become another program again.
    let other = told(&mut tracker, [copilot("second", SECOND, None)]);
    assert!(
        matches!(other[..], [Transition::MainStarted { .. }]),
        "{other:?}"
    );
}

/// `kubectl exec` of our program in main's container.
#[test]
fn an_exec_session_that_runs_our_program_does_not_hide_main() {
    let mut tracker = Tracker::new(Rules::default());
    let session = [
        outside(MAIN),
        start(FIRST),
        copilot(MAIN, SHELL, Some(Job::Sidecar)),
        start(SHELL),
    ];
    assert!(matches!(
        told(&mut tracker, session)[..],
        [Transition::MainStarted { .. }]
    ));
    assert!(matches!(
        told(&mut tracker, [exit(FIRST, 3, 3000)])[..],
        [Transition::MainExited {
            status: ExitStatus::Code(3),
            ..
        }]
    ));
}

//! Decides by main's end: upload, or report a failure. Pure.

use super::request::MainFailure;
use crate::report::{Failure, FailureOrigin, Recoverability};
use crate::track::identify::Why;
use crate::track::watch::{Ending, KillCause, Watched};
use crate::track::{ContainerId, ExitStatus};

const SIGKILL: u8 = 9;

/// Signals from outside: SIGKILL, and SIGTERM, which kubelet sends to a pod that it stops.
const FROM_OUTSIDE: [u8; 2] = [SIGKILL, 15];

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Upload the outputs.
    Upload,
    /// Upload nothing, and report this failure.
    Report(Failure),
}

/// What a person can do who wants the outputs of a main that failed.
const ANYWAY: &str = "--on-main-failure upload uploads them anyway";

/// Judges main's end. If its exit status cannot be known the outputs decide, as in the reference.
pub(super) fn judge(watched: &Watched, on_failure: MainFailure) -> Verdict {
    judge_with(watched, on_failure, Some(ANYWAY))
}

/// The same for a tree, which a bad end never publishes.
pub(super) fn judge_end(watched: &Watched) -> Verdict {
    judge_with(watched, MainFailure::Report, None)
}

fn judge_with(watched: &Watched, on_failure: MainFailure, advice: Option<&str>) -> Verdict {
    match watched.ending {
        Ending::Exited(status) if status.is_failure() && on_failure != MainFailure::Upload => {
            Verdict::Report(failed(watched, status, advice))
        }
        Ending::StatusLost if on_failure != MainFailure::Upload => Verdict::Report(Failure {
            code: "MainStatusUnknown".into(),
            message: status_lost(watched, advice),
            kind: Recoverability::Recoverable,
            origin: FailureOrigin::System,
        }),
        Ending::Exited(_) | Ending::StatusLost | Ending::Marked(_) | Ending::Unseen => {
            Verdict::Upload
        }
        Ending::StillRunning => Verdict::Report(Failure {
            code: "Interrupted".into(),
            message: format!(
                "stopped while {} was still running: its outputs may be incomplete and are not \
                 uploaded. --term-wait is the time to wait for its end",
                main(watched)
            ),
            kind: Recoverability::Recoverable,
            origin: FailureOrigin::System,
        }),
        Ending::Untold => Verdict::Report(Failure {
            code: "Interrupted".into(),
            message: untold(watched),
            kind: Recoverability::Recoverable,
            origin: FailureOrigin::System,
        }),
        Ending::OnlyCopilots => Verdict::Report(Failure {
            code: "MainStatusUnknown".into(),
            message: only_copilots(watched),
            kind: Recoverability::Recoverable,
            origin: FailureOrigin::System,
        }),
        Ending::NeverStarted => Verdict::Report(Failure {
            code: "MainNotStarted".into(),
            message: never_started(watched),
            kind: Recoverability::NonRecoverable,
            origin: FailureOrigin::User,
        }),
    }
}

fn failed(watched: &Watched, status: ExitStatus, advice: Option<&str>) -> Failure {
    let counted = match (status, watched.kill) {
        (
            ExitStatus::Signal {
                number: SIGKILL,
                out_of_memory: false,
                ..
            },
            kill,
        ) => kill,
        _ => KillCause::Seen,
    };
    let (code, origin) = match status {
        ExitStatus::Signal {
            out_of_memory: true,
            ..
        } => ("OOMKilled", FailureOrigin::User),
        _ if counted == KillCause::OutOfMemory => ("OOMKilled", FailureOrigin::User),
        ExitStatus::NotStarted => ("MainNotStarted", FailureOrigin::User),
        ExitStatus::Signal { number, .. } if FROM_OUTSIDE.contains(&number) => {
            ("Interrupted", FailureOrigin::System)
        }
        _ => ("MainFailed", FailureOrigin::User),
    };
    let kind = match status {
        // The next try would fail the same way.
        ExitStatus::NotStarted => Recoverability::NonRecoverable,
        _ => Recoverability::Recoverable,
    };
    Failure {
        code: code.into(),
        message: format!(
            "{} {status}{} (seen by {}); its outputs are not uploaded{}",
            main(watched),
            in_words(counted),
            watched.told_by,
            advice.map_or_else(String::new, |advice| format!(". {advice}"))
        ),
        kind,
        origin,
    }
}

/// Who sent a SIGKILL, where the status does not say it.
fn in_words(kill: KillCause) -> &'static str {
    match kill {
        KillCause::Seen => "",
        KillCause::Unknown => {
            ": stopped from outside, or out of memory (this watcher cannot see which, and the count of its \
             cgroup cannot be read)"
        }
        KillCause::OutOfMemory => {
            ": out of memory, says the kernel's count of such kills in its cgroup"
        }
        KillCause::Outside => {
            ": stopped from outside, since the kernel counts no kill for memory in its cgroup"
        }
    }
}

fn status_lost(watched: &Watched, advice: Option<&str>) -> String {
    let why = match &watched.unseen {
        Some(reason) => {
            format!("for a while not all processes in /proc could be read ({reason})")
        }
        None => "the process was gone before".to_owned(),
    };
    format!(
        "{} ended, and {} could not read its exit status: {why}. Main may have failed, so its outputs are not \
         uploaded{}",
        main(watched),
        watched.told_by,
        advice.map_or_else(String::new, |advice| format!("; {advice}"))
    )
}

fn untold(watched: &Watched) -> String {
    let why = match &watched.unseen {
        Some(reason) => format!(
            "not all processes in /proc could be read ({reason}), so main may still have run. --term-wait is the \
             time for further attempts"
        ),
        None => "kubelet reports nothing of a deleted pod before all its containers have ended, and the API may \
                 not have answered. --term-wait is the time to wait for the report"
            .to_owned(),
    };
    format!(
        "stopped before {} reported how {} ended, so its outputs are not uploaded: {why}",
        watched.watcher,
        main(watched)
    )
}

fn never_started(watched: &Watched) -> String {
    let seen = match watched.containers.as_slice() {
        [] => "no other container was seen".to_owned(),
        names => format!("the containers seen were {}", names.join(", ")),
    };
    format!(
        "the main container was not seen to start within --main-start-timeout; {seen}. If one of \
         them is main, name it with --main-container"
    )
}

fn only_copilots(watched: &Watched) -> String {
    format!(
        "the main container was not seen, its outputs exist, and only containers are left that run a sidecar or \
         a download as this one does ({}): each waits for main. Any program can claim to be a sidecar, so \
         nothing proves that main has ended well, and its outputs are not uploaded. Start the sidecars before \
         main, or name main with --main-container",
        watched.containers.join(", ")
    )
}

/// Main in words.
pub(super) fn main(watched: &Watched) -> String {
    let is_certain = |(_, why): &(Vec<ContainerId>, Why)| *why != Why::NotExcluded;
    let is_certain = watched.main.as_ref().is_none_or(is_certain);
    match watched.main_names.as_slice() {
        [] => "the main container".to_owned(),
        [one] if is_certain => format!("the main container {one}"),
        [one] => format!("the container {one}, which may have been main,"),
        several if is_certain => {
            format!("one of the main containers {}", several.join(", "))
        }
        several => format!(
            "one of the containers {}, which may have been main,",
            several.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::{Marker, Timestamp};

    fn watched(ending: Ending) -> Watched {
        Watched {
            ending,
            kill: KillCause::Seen,
            watcher: "ebpf".to_owned(),
            reason: String::new(),
            told_by: "ebpf",
            sees: true,
            unseen: None,
            main: None,
            main_names: Vec::new(),
            containers: vec!["web".to_owned()],
            attached: Timestamp(0),
            started: None,
            exited: None,
            settled: Timestamp(0),
        }
    }

    #[test]
    fn each_ending_has_its_verdict() {
        let exited = |raw, oom| Ending::Exited(ExitStatus::from_wait(raw, oom));
        for (ending, expected) in [
            (exited(0, false), None),
            (Ending::Exited(ExitStatus::Unknown), None),
            (
                Ending::StatusLost,
                Some(("MainStatusUnknown", FailureOrigin::System)),
            ),
            (Ending::Unseen, None),
            (Ending::Marked(Marker::Success), None),
            (Ending::Marked(Marker::Error), None),
            (
                exited(0x700, false),
                Some(("MainFailed", FailureOrigin::User)),
            ),
            (exited(11, false), Some(("MainFailed", FailureOrigin::User))),
            (exited(9, true), Some(("OOMKilled", FailureOrigin::User))),
            (
                exited(9, false),
                Some(("Interrupted", FailureOrigin::System)),
            ),
            (
                Ending::Exited(ExitStatus::NotStarted),
                Some(("MainNotStarted", FailureOrigin::User)),
            ),
            (
                Ending::StillRunning,
                Some(("Interrupted", FailureOrigin::System)),
            ),
            (Ending::Untold, Some(("Interrupted", FailureOrigin::System))),
            (
                Ending::OnlyCopilots,
                Some(("MainStatusUnknown", FailureOrigin::System)),
            ),
            (
                Ending::NeverStarted,
                Some(("MainNotStarted", FailureOrigin::User)),
            ),
        ] {
            let verdict = judge(&watched(ending), MainFailure::Report);
            let told = match &verdict {
                Verdict::Upload => None,
                Verdict::Report(failure) => Some((&*failure.code, failure.origin)),
            };
            assert_eq!(told, expected, "{ending:?}");
        }
    }

    #[test]
    fn a_failed_main_is_uploaded_if_asked_for() {
        let killed = Ending::Exited(ExitStatus::from_wait(9, false));
        assert_eq!(
            judge(&watched(killed), MainFailure::Upload),
            Verdict::Upload
        );
        // Incomplete outputs are never committed.
        for ending in [Ending::StillRunning, Ending::Untold, Ending::OnlyCopilots] {
            let verdict = judge(&watched(ending), MainFailure::Upload);
            assert!(matches!(verdict, Verdict::Report(_)), "{ending:?}");
        }
    }

    #[test]
    fn a_kill_that_no_watcher_explains_is_explained_by_the_count_or_left_open() {
        let killed = |oom| Ending::Exited(ExitStatus::from_wait(9, oom));
        for (ending, kill, code, words) in [
            (
                killed(false),
                KillCause::Seen,
                "Interrupted",
                "(SIGKILL) (seen",
            ),
            (
                killed(false),
                KillCause::Unknown,
                "Interrupted",
                "stopped from outside, or out of memory",
            ),
            (
                killed(false),
                KillCause::Outside,
                "Interrupted",
                "(SIGKILL): stopped from outside, since",
            ),
            (
                killed(false),
                KillCause::OutOfMemory,
                "OOMKilled",
                "(SIGKILL): out of memory",
            ),
            (
                killed(true),
                KillCause::Unknown,
                "OOMKilled",
                "memory (seen",
            ),
            (
                Ending::Exited(ExitStatus::Code(7)),
                KillCause::OutOfMemory,
                "MainFailed",
                "code 7 (seen",
            ),
        ] {
            let watched = Watched {
                kill,
                ..watched(ending)
            };
            let Verdict::Report(failure) = judge(&watched, MainFailure::Report) else {
                panic!("a killed main is reported");
            };
            assert_eq!(failure.code, code, "{kill:?}");
            assert!(failure.message.contains(words), "{}", failure.message);
        }
    }

    #[test]
    fn the_message_says_how_main_ended_and_what_was_seen() {
        let killed = Ending::Exited(ExitStatus::from_wait(9, false));
        let Verdict::Report(failure) = judge(&watched(killed), MainFailure::Report) else {
            panic!("a killed main is reported");
        };
        assert!(failure.message.contains("killed by signal 9 (SIGKILL)"));
        let Verdict::Report(failure) = judge(&watched(Ending::NeverStarted), MainFailure::Report)
        else {
            panic!("a main that never starts is reported");
        };
        assert!(failure.message.contains("web"));
    }

    #[test]
    fn a_watcher_that_could_not_read_the_processes_is_named_with_the_reason() {
        let watched = Watched {
            watcher: "proc".to_owned(),
            unseen: Some("Too many open files".to_owned()),
            ..watched(Ending::Untold)
        };
        let Verdict::Report(failure) = judge(&watched, MainFailure::Report) else {
            panic!("nothing is known of main");
        };
        for words in ["before proc reported", "/proc", "Too many open files"] {
            assert!(failure.message.contains(words), "{}", failure.message);
        }
        assert!(!failure.message.contains("kubelet"), "{}", failure.message);
    }
}

//! Whether main has ended well, for a tree: it has no declared outputs that could decide. Pure.

use super::verdict::{Verdict, judge_end, main};
use crate::report::{Failure, FailureOrigin, Recoverability};
use crate::track::watch::{Ending, Watched};
use crate::track::{ExitStatus, Marker};

/// What says that main has ended well, beside what the watchers saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OtherProof {
    /// Main has left the file `_SUCCESS`.
    pub(super) says_success: bool,
    /// An earlier life on this host has seen main end well, and has noted it.
    pub(super) is_noted: bool,
    /// `--watcher noop`: the caller has waited for main, and answers for its end.
    pub(super) is_vouched_for: bool,
}

/// Judges main's end. Files are published only if a watcher, main itself or the caller proves that it was a good one.
pub(super) fn judge_tree(watched: &Watched, other: OtherProof) -> Verdict {
    let verdict = judge_end(watched);
    if let Verdict::Report(_) = verdict {
        return verdict;
    }
    let is_proven = match watched.ending {
        Ending::Exited(ExitStatus::Code(0)) | Ending::Marked(Marker::Success) => true,
        // Its own words follow in the report.
        Ending::Marked(_) => false,
        _ => other.says_success || other.is_noted || other.is_vouched_for,
    };
    if is_proven {
        return Verdict::Upload;
    }
    Verdict::Report(Failure {
        code: "MainStatusUnknown".into(),
        message: format!(
            "nothing shows that {} has ended well (its end: {}; the watcher: {}), so its files are not uploaded. Give \
             the sidecar the capabilities BPF and PERFMON, with which it sees exit statuses, or let the program write \
             an empty file {} as its last act",
            main(watched),
            watched.ending,
            watched.watcher,
            Marker::Success.file_name(),
        ),
        kind: Recoverability::Recoverable,
        origin: FailureOrigin::System,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::Timestamp;
    use crate::track::watch::KillCause;

    fn watched(ending: Ending) -> Watched {
        Watched {
            ending,
            kill: KillCause::Seen,
            watcher: "signal".to_owned(),
            reason: String::new(),
            told_by: "signal",
            sees: false,
            unseen: None,
            main: None,
            main_names: Vec::new(),
            containers: Vec::new(),
            attached: Timestamp(0),
            started: None,
            exited: None,
            settled: Timestamp(0),
        }
    }

    #[test]
    fn only_a_proven_good_end_publishes_files() {
        let nothing = OtherProof::default();
        let said = OtherProof {
            says_success: true,
            ..nothing
        };
        let noted = OtherProof {
            is_noted: true,
            ..nothing
        };
        let vouched = OtherProof {
            is_vouched_for: true,
            ..nothing
        };
        let exited = |status| Ending::Exited(status);
        // Which of `nothing`, `_SUCCESS`, a note of an earlier life and `noop` publish the files.
        for (ending, expected) in [
            (exited(ExitStatus::Code(0)), [true, true, true, true]),
            (exited(ExitStatus::Unknown), [false, true, true, true]),
            (Ending::Unseen, [false, true, true, true]),
            (Ending::Marked(Marker::Success), [true, true, true, true]),
            (Ending::Marked(Marker::Error), [false, false, false, false]),
            (exited(ExitStatus::Code(1)), [false, false, false, false]),
            (exited(ExitStatus::NotStarted), [false, false, false, false]),
            (Ending::StatusLost, [false, false, false, false]),
            (Ending::StillRunning, [false, false, false, false]),
            (Ending::Untold, [false, false, false, false]),
            (Ending::NeverStarted, [false, false, false, false]),
            (Ending::OnlyCopilots, [false, false, false, false]),
        ] {
            let found = [nothing, said, noted, vouched]
                .map(|other| judge_tree(&watched(ending), other) == Verdict::Upload);
            assert_eq!(found, expected, "{ending:?}");
        }
    }

    #[test]
    fn messages_name_no_flag_that_trees_refuse() {
        for ending in [
            Ending::Exited(ExitStatus::Code(1)),
            Ending::Exited(ExitStatus::Unknown),
            Ending::StatusLost,
            Ending::Unseen,
        ] {
            let Verdict::Report(failure) = judge_tree(&watched(ending), OtherProof::default())
            else {
                panic!("{ending:?}");
            };
            let message = failure.message;
            assert!(!message.contains("--on-main-failure"), "{message}");
            assert!(message.contains("not uploaded"), "{message}");
        }
    }
}

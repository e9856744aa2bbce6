//! The end of a run: the reports about it, and the exit code.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;
use tracing::{debug, error, warn};

use super::report_file::ReportFile;
use super::request::{Global, ReportedExit};
use crate::report::tree::{MainEnd, TreeFailure, TreePlaces};
use crate::report::{
    Failure, Occurrence, document, document_names, last_words, one_line, termination_message,
};
use crate::store::{Reference, ReferenceError};
use crate::transfer::{CopyError, Engine, Stop};

/// Time for the error document alone, whatever the job's deadline was: a failure without a report is the
/// worst outcome.
const FOR_THE_DOCUMENT: Duration = Duration::from_mins(1);

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunExit {
    /// The job succeeded.
    Done,
    /// `ready`: the watcher is not attached yet.
    NotReady,
    /// The job failed, and the error document says why.
    Reported,
    /// The same, where an exit code other than 0 would hide the document, or is not wanted (`--exit-code`).
    ReportedWithZero,
    /// Wrong usage: flags or settings.
    Usage,
    /// The job failed, and the error document could not be written.
    Unreported,
    /// A command for people failed: no platform waits for a document.
    Failed,
    /// `run`: the exit code of the task's command.
    OfTheCommand(u8),
    /// `doctor`: something is worse than it could be.
    Degraded,
    /// `doctor`: a run would fail.
    WouldFail,
}

impl RunExit {
    /// The exit code.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Done | Self::ReportedWithZero => 0,
            Self::NotReady | Self::Reported | Self::Failed | Self::Degraded => 1,
            Self::Usage | Self::WouldFail => 2,
            Self::Unreported => 3,
            Self::OfTheCommand(code) => code,
        }
    }
}

impl From<RunExit> for ExitCode {
    fn from(exit: RunExit) -> Self {
        exit.code().into()
    }
}

/// How a job ended. Only the last line on standard error is still to be written.
#[must_use]
pub(super) struct Conclusion {
    /// How the process ends.
    pub(super) exit: RunExit,
    message: Option<String>,
    /// What else went wrong.
    note: Option<String>,
    /// Why the job failed, if it did.
    pub(super) failure: Option<Failure>,
}

impl Conclusion {
    /// The same for a command line that is wrong usage, whether its document could be written or not.
    pub(super) fn of_usage(mut self) -> Self {
        if self.exit != RunExit::ReportedWithZero {
            self.exit = RunExit::Usage;
        }
        self
    }

    /// Prints the message, if the job failed. It is the last line: log nothing after it.
    pub(super) fn say(self) -> RunExit {
        if let Some(message) = self.message {
            last_line(&message, self.note.as_deref());
        }
        self.exit
    }
}

/// Where a failure is reported, beside the log and the termination message.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReportPlace<'a> {
    /// In error documents below this prefix: `--to-output-prefix`.
    Documents(&'a str),
    /// In `failure.json` below this prefix: `--to`.
    Tree(&'a str),
    /// Nowhere: a download without Flyte writes nothing into the store.
    Nowhere,
}

/// Reports the end of a job.
pub(super) struct Ended<'a> {
    global: &'a Global,
    place: ReportPlace<'a>,
    main: MainEnd,
    log: TerminationLog,
    exits_zero: bool,
}

impl<'a> Ended<'a> {
    /// A failure is reported there.
    pub(super) fn new(global: &'a Global, place: ReportPlace<'a>) -> Self {
        Self {
            global,
            place,
            main: MainEnd::default(),
            log: TerminationLog::at(global),
            exits_zero: global.reported_exit == ReportedExit::Zero,
        }
    }

    /// The same for a sidecar; `is_flytes` says that Flyte made its container. There the platform reads the
    /// document of a pod that succeeds, and an exit code other than 0 either counts for nothing (a native
    /// sidecar) or hides the document (an ordinary container).
    pub(super) fn of_sidecar(mut self, is_flytes: bool) -> Self {
        let is_flytes = is_flytes && matches!(self.place, ReportPlace::Documents(_));
        self.exits_zero |= is_flytes && self.global.reported_exit == ReportedExit::Auto;
        self
    }

    /// The same; the report also says how main has ended.
    pub(super) fn with_main(mut self, main: MainEnd) -> Self {
        self.main = main;
        self
    }

    /// Reports the outcome, if it is a failure, and chooses the exit.
    pub(super) async fn concluded(
        &self,
        engine: &Engine,
        outcome: Result<(), Failure>,
    ) -> Conclusion {
        match outcome {
            Ok(()) => Conclusion {
                exit: RunExit::Done,
                message: None,
                note: None,
                failure: None,
            },
            Err(failure) => self.failed(engine, &failure).await,
        }
    }

    /// Writes the error document and the termination message.
    pub(super) async fn failed(&self, engine: &Engine, failure: &Failure) -> Conclusion {
        let written = self.write_documents(engine, failure).await;
        let document = match self.place {
            ReportPlace::Tree(_) => "failure.json",
            _ => "the error document",
        };
        let note = written
            .as_ref()
            .err()
            .map(|error| format!("{document} could not be written: {error}"));
        self.log
            .write(&termination_message(failure, note.as_deref()));
        Conclusion {
            exit: match written {
                Ok(()) if self.exits_zero => RunExit::ReportedWithZero,
                Ok(()) => RunExit::Reported,
                Err(_) => RunExit::Unreported,
            },
            message: Some(termination_message(failure, None)),
            note,
            failure: Some(failure.clone()),
        }
    }

    async fn write_documents(
        &self,
        engine: &Engine,
        failure: &Failure,
    ) -> Result<(), DocumentError> {
        let here = Occurrence::here_and_now();
        let stop = Stop::after(Some(FOR_THE_DOCUMENT));
        match self.place {
            ReportPlace::Documents(prefix) => {
                let prefix = Reference::prefix(prefix)?;
                let bytes = Bytes::from(document(failure, &here));
                for name in document_names(self.global.err_output_name.as_deref()) {
                    let reference = prefix.join(&[name])?;
                    engine.write(&reference, bytes.clone(), &stop).await?;
                    debug!(%reference, "error document written");
                }
            }
            ReportPlace::Tree(prefix) => {
                let reference = TreePlaces::below(prefix)?.failure;
                let text = TreeFailure::document(failure, &self.main, &here)?;
                engine.write(&reference, text, &stop).await?;
                debug!(%reference, "failure.json written");
            }
            ReportPlace::Nowhere => {}
        }
        Ok(())
    }
}

/// Why the error document could not be written.
#[derive(Debug, Error)]
enum DocumentError {
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error(transparent)]
    Text(#[from] serde_json::Error),
    #[error(transparent)]
    Write(#[from] CopyError),
}

/// The file that Kubernetes reads. The container runtime creates it; we never do.
pub(super) struct TerminationLog(Option<ReportFile>);

impl TerminationLog {
    /// The file that the flag names, whose directory is held from now on.
    pub(super) fn at(global: &Global) -> Self {
        Self(global.termination_log.as_deref().map(ReportFile::at))
    }

    /// Writes a message.
    pub(super) fn write(&self, message: &str) {
        let Some(file) = &self.0 else {
            return;
        };
        match file.overwrite(message.as_bytes()) {
            Err(error) if error.is_missing() => {
                debug!(path = %file.path().display(), "the termination log does not exist");
            }
            Err(error) => {
                warn!(path = %file.path().display(), %error, "cannot write the termination message");
            }
            Ok(()) => {}
        }
    }
}

/// Prints the message as the last line on standard error, without a usage text after it. A message that is
/// too long for it is logged in full before. `note` says what else went wrong, and is never cut off: after an exit
/// with code 3 it is the cause of that code.
pub(super) fn last_line(message: &str, note: Option<&str>) {
    let words = last_words(message, note);
    if !words.contains(&one_line(message)) {
        error!(words = message, "the full message");
    }
    // If standard error is closed, nothing can be reported.
    let _ = writeln!(std::io::stderr(), "{words}");
}

//! The end of a run: who is told, and with which exit code.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tracing::{debug, error, warn};

use super::request::Global;
use crate::report::{
    Failure, Occurrence, document, document_names, last_words, termination_message,
};
use crate::store::Reference;
use crate::transfer::{Engine, Stop};

/// Time for the error document alone, whatever deadline the job had: a failure that nobody learns
/// of is what people fear most.
const FOR_THE_DOCUMENT: Duration = Duration::from_mins(1);

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done.
    Done,
    /// `ready`: not yet.
    NotReady,
    /// Failed, and the error document says why.
    Reported,
    /// The same, where the reference's exit code was asked for.
    ReportedAsReference,
    /// Wrong usage: flags or settings.
    Usage,
    /// Failed, and the error document could not be written.
    Unreported,
}

impl Exit {
    /// The exit code.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Done | Self::ReportedAsReference => 0,
            Self::NotReady | Self::Reported => 1,
            Self::Usage => 2,
            Self::Unreported => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// How a job ended, told to everybody but whoever reads the log.
#[must_use]
pub(super) struct Conclusion {
    /// How the process ends.
    pub(super) exit: Exit,
    message: Option<String>,
}

impl Conclusion {
    /// Prints the message, if there is one. Nothing may be logged after it: it is the last line.
    pub(super) fn say(self) -> Exit {
        if let Some(message) = self.message {
            last_line(&message);
        }
        self.exit
    }
}

/// Tells of the end of a job.
pub(super) struct Ended<'a> {
    global: &'a Global,
    prefix: &'a str,
}

impl<'a> Ended<'a> {
    /// Of a job whose error document goes below `prefix`.
    pub(super) fn new(global: &'a Global, prefix: &'a str) -> Self {
        Self { global, prefix }
    }

    /// The job's outcome becomes an exit.
    pub(super) async fn concluded(
        &self,
        engine: &Engine,
        outcome: Result<(), Failure>,
    ) -> Conclusion {
        match outcome {
            Ok(()) => Conclusion {
                exit: Exit::Done,
                message: None,
            },
            Err(failure) => self.failed(engine, &failure).await,
        }
    }

    /// Writes the error document and the termination message.
    pub(super) async fn failed(&self, engine: &Engine, failure: &Failure) -> Conclusion {
        let written = self.write_documents(engine, failure).await;
        let note = written
            .as_ref()
            .err()
            .map(|error| format!("the error document could not be written: {error}"));
        let message = termination_message(failure, note.as_deref());
        write_termination_log(self.global, &message);
        Conclusion {
            exit: match written {
                Ok(()) if self.global.exit_zero_on_error => Exit::ReportedAsReference,
                Ok(()) => Exit::Reported,
                Err(_) => Exit::Unreported,
            },
            message: Some(message),
        }
    }

    async fn write_documents(&self, engine: &Engine, failure: &Failure) -> Result<(), String> {
        let prefix = Reference::parse(self.prefix).map_err(|error| error.to_string())?;
        let bytes = Bytes::from(document(failure, &here_and_now()));
        let stop = Stop::after(Some(FOR_THE_DOCUMENT));
        for name in document_names(self.global.err_output_name.as_deref()) {
            let reference = prefix.join(&[name]).map_err(|error| error.to_string())?;
            engine
                .write(&reference, bytes.clone(), &stop)
                .await
                .map_err(|error| error.to_string())?;
            debug!(%reference, "error document written");
        }
        Ok(())
    }
}

/// Leaves a message where Kubernetes looks for one. The file is the runtime's: it is never made.
pub(super) fn write_termination_log(global: &Global, message: &str) {
    let Some(path) = &global.termination_log else {
        return;
    };
    match write_existing(path, message) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            debug!(path = %path.display(), "no termination log here");
        }
        Err(error) => {
            warn!(path = %path.display(), %error, "the termination message cannot be left");
        }
        Ok(()) => {}
    }
}

fn write_existing(path: &Path, message: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(path)?;
    file.write_all(message.as_bytes())
}

/// The message, last on standard error, with no usage text after it. What is too long for last words
/// comes before them, whole.
pub(super) fn last_line(message: &str) {
    let words = last_words(message);
    if !words.ends_with(message) {
        error!(words = message, "the last words in full");
    }
    // Where nobody listens any more there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// What the error document says beside the failure itself.
fn here_and_now() -> Occurrence {
    let name = rustix::system::uname();
    Occurrence {
        at: SystemTime::now(),
        worker: name.nodename().to_string_lossy().into_owned(),
    }
}

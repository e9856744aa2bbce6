//! A command line that is refused, and the message about it.

use std::fmt;

use crate::command::{Command, Global, Reportable};
use crate::config::FlagSources;

/// Why a command line is refused. `Display` gives the message, which is the last line on standard error,
/// without a usage text after it.
#[derive(Clone, Debug)]
pub struct Rejection {
    message: String,
    reportable: Option<Box<Reportable>>,
}

impl Rejection {
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            reportable: None,
        }
    }

    /// A rejection that the platform must see, if the prefix for an error document is known.
    pub(super) fn reported(
        message: impl fmt::Display,
        command: Command,
        global: Global,
        to_output_prefix: String,
    ) -> Self {
        let reportable = (!to_output_prefix.is_empty()).then(|| {
            Box::new(Reportable {
                command,
                global,
                to_output_prefix,
            })
        });
        Self {
            message: message.to_string(),
            reportable,
        }
    }

    /// The same, with the source of each flag that a file or a variable sets.
    pub(super) fn naming(mut self, sources: &FlagSources) -> Self {
        self.message = sources.named(&self.message);
        self
    }

    /// What writing an error document needs; none if it cannot be written.
    #[must_use]
    pub fn reportable(&self) -> Option<&Reportable> {
        self.reportable.as_deref()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Rejection {}

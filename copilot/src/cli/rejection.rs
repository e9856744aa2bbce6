//! A command line that is not carried out, and what to say about it.

use std::ffi::OsString;
use std::fmt;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{flags, suggest};
use crate::command::{Command, Global, Reportable};

/// Why a command line is refused. Its `Display` form is the message: the last line on standard
/// error, with no usage text after it.
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

    /// A rejection that the platform shall see, where the prefix for it is known.
    pub(super) fn reported(
        message: String,
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
            message,
            reportable,
        }
    }

    /// What an error document needs; none when there is nothing to write it with.
    #[must_use]
    pub fn reportable(&self) -> Option<&Reportable> {
        self.reportable.as_deref()
    }

    /// 1 where an error document is due (and gets written), else 2: wrong usage.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.reportable.is_some() { 1 } else { 2 }
    }

    /// A refusal by the flag reader.
    pub(super) fn from_clap(error: &clap::Error, command: &str, arguments: &[OsString]) -> Self {
        let context = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.as_str()),
            Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
            _ => None,
        };
        let argument = context(ContextKind::InvalidArg).unwrap_or_default();
        // Clap shows an option with the name of its value; what follows a `=` was never asked for.
        let flag = argument.split([' ', '=', '[']).next().unwrap_or_default();
        let value = context(ContextKind::InvalidValue).unwrap_or_default();
        let message = match error.kind() {
            ErrorKind::UnknownArgument => match context(ContextKind::SuggestedArg) {
                Some(near) => format!("unknown flag {flag}; did you mean {near}?"),
                None => format!("unknown flag {flag}; {command} --help lists the flags"),
            },
            ErrorKind::ValueValidation => {
                let cause = std::error::Error::source(error).map(ToString::to_string);
                invalid_value(flag, value, &cause.unwrap_or_default())
            }
            ErrorKind::InvalidUtf8 => {
                let position = arguments
                    .iter()
                    .position(|argument| argument.to_str().is_none());
                format!(
                    "argument {} of {command} is not UTF-8 text",
                    position.map_or(0, |position| position + 1)
                )
            }
            ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
                format!("{flag} needs a value")
            }
            other => format!("{flag}: {other}; {command} --help shows how it is used"),
        };
        Self::usage(message)
    }
}

/// Names the flag, its value unless that is secret, and the rule.
fn invalid_value(flag: &str, value: &str, rule: &str) -> String {
    let shown = format!("{value:?}");
    let rule = suggest::cut(rule, 300);
    if flags::is_secret(flag) || rule.starts_with(&shown) {
        format!("invalid value for {flag}: {rule}")
    } else {
        format!(
            "invalid value {:?} for {flag}: {rule}",
            suggest::shortened(value)
        )
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Rejection {}

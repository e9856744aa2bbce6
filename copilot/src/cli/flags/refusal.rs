//! The flag reader's refusals as our own messages: they name the flag, its value unless that is secret,
//! and the rule.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::rejection::Rejection;
use crate::cli::suggest;

/// The rejection of a command line that `clap` refuses. `command` is the command's name in messages.
pub(super) fn rejection(error: &clap::Error, command: &str, arguments: &[OsString]) -> Rejection {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
        _ => None,
    };
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    // Clap adds the name of the value to an option, and what stood after a `=`; neither is the flag.
    let flag = argument.split([' ', '=', '[']).next().unwrap_or_default();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::UnknownArgument => unknown(flag, context(ContextKind::SuggestedArg), command),
        ErrorKind::ValueValidation => {
            let cause = error.source().map(ToString::to_string);
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
        other => format!("{flag}: {other}; {command} --help explains the flag"),
    };
    Rejection::usage(message)
}

/// Flags that people know from other programs, and what does that here.
const FOREIGN: [(&[&str], &str); 11] = [
    (
        &["--verbose", "--debug", "--trace", "-d"],
        "--logger.level=debug",
    ),
    (&["--quiet", "--silent", "-q"], "--logger.mute"),
    (&["--log-level", "--loglevel", "--level"], "--logger.level"),
    (&["--json"], "--log-format=json"),
    (&["--bucket", "--container"], "--storage.container"),
    (
        &[
            "--endpoint",
            "--endpoint-url",
            "--region",
            "--access-key-id",
        ],
        "--storage.stow.config KEY=VALUE",
    ),
    (
        &["--input", "--inputs", "--source", "--from"],
        "--from-remote (download) or --from-local-dir (sidecar)",
    ),
    (&["--output", "--outputs"], "--to-output-prefix"),
    (
        &["--to"],
        "--to-local-dir (download) or --to-output-prefix (sidecar)",
    ),
    (&["--strict-mode"], "--strict"),
    (&["--container-name", "--main"], "--main-container"),
];

fn unknown(flag: &str, near: Option<&str>, command: &str) -> String {
    let foreign = FOREIGN.iter().find(|(names, _)| names.contains(&flag));
    let meant = foreign.map(|(_, meant)| *meant).or(near);
    match meant {
        Some(meant) => format!("unknown flag {flag}; did you mean {meant}?"),
        None => format!("unknown flag {flag}; {command} --help lists the flags"),
    }
}

fn invalid_value(flag: &str, value: &str, rule: &str) -> String {
    let shown = format!("{value:?}");
    let rule = suggest::cut(rule, 300);
    if super::is_secret(flag) || rule.starts_with(&shown) {
        format!("invalid value for {flag}: {rule}")
    } else {
        format!(
            "invalid value {:?} for {flag}: {rule}",
            suggest::shortened(value)
        )
    }
}

//! What can be wrong with settings, by meaning. Errors end the run before a store is opened;
//! warnings are for the log.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::load::Source;
use super::syntax::SyntaxError;

/// Settings that cannot be used. No message holds the value of a secret key.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// `--config` is no glob pattern.
    #[error(
        "--config {pattern:?} is no file pattern: {rule}; put a backslash before a character \
         that is meant as itself"
    )]
    Pattern {
        /// The pattern as given.
        pattern: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A file or directory exists and cannot be read.
    #[error("configuration {} cannot be read: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not of a kind that is read.
    #[error("configuration file {} cannot be used: {rule}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The rule that it breaks, and the way out.
        rule: String,
    },
    /// A file's text breaks its grammar or a limit.
    #[error("configuration file {}, line {line}: {rule}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The rule that it breaks.
        rule: String,
    },
    /// A setting's value is not what the setting takes.
    #[error("{key} (from {origin}): {rule}")]
    Value {
        /// The setting.
        key: String,
        /// Where the value stands.
        origin: Source,
        /// The rule that it breaks.
        rule: SyntaxError,
    },
}

/// Something about the settings that a person should know, and that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A file holds a key that means nothing here.
    UnknownKey {
        /// The dotted key.
        key: String,
        /// The file.
        file: PathBuf,
    },
    /// A setting of the reference that is accepted and changes nothing here.
    WithoutEffect {
        /// The setting.
        key: &'static str,
        /// Where it stands.
        origin: Source,
    },
    /// `--config` names no existing file; the default places were looked at instead.
    NothingMatched {
        /// The pattern as given.
        pattern: String,
    },
    /// Both the old and the new way to describe the store are there; the new one is used.
    ConnectionIgnored,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey { key, file } => {
                write!(formatter, "unknown key {key} in {}", file.display())
            }
            Self::WithoutEffect { key, origin } => {
                write!(
                    formatter,
                    "{key} (from {origin}) is accepted without effect"
                )
            }
            Self::NothingMatched { pattern } => write!(
                formatter,
                "--config {pattern:?} matches no file; the default places are used"
            ),
            Self::ConnectionIgnored => formatter
                .write_str("storage.connection is ignored because storage.stow.config is given"),
        }
    }
}

//! What can be wrong with settings, by meaning. An error ends the run before a store is opened; a warning
//! goes to the log.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::source::SettingSource;
use super::syntax::SyntaxError;
use crate::yaml::YamlRule;

/// Settings that cannot be used. No message holds the value of a secret key.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// `--config` is not a file pattern.
    #[error(
        "--config {pattern:?} is not a file pattern: {rule}; put a backslash before a character \
         that stands for itself"
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
        /// The system's error.
        source: io::Error,
    },
    /// A file of a kind that cannot be read.
    #[error("configuration file {} cannot be used: {rule}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The rule that it breaks.
        #[source]
        rule: FileRule,
    },
    /// A file's text breaks its grammar or a limit.
    #[error("configuration file {}, line {line}: {cause}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The rule that it breaks.
        #[source]
        cause: GrammarError,
    },
    /// A value that the setting does not take.
    #[error("{key} (from {origin}): {rule}")]
    Value {
        /// The setting.
        key: String,
        /// The source of the value.
        origin: SettingSource,
        /// The rule that it breaks.
        #[source]
        rule: SyntaxError,
    },
}

/// The rules for configuration files.
#[derive(Debug, Error)]
pub enum FileRule {
    /// A pipe would block.
    #[error("it is not a regular file")]
    NotRegular,
    /// Configuration files are small.
    #[error("it is larger than 1 MiB")]
    TooLarge,
    /// Configuration files are text.
    #[error("it is not UTF-8 text")]
    NotUtf8,
    /// The top level holds sections.
    #[error("it holds {0}; write sections such as `storage:` at the top level")]
    NoSections(&'static str),
    /// The extension decides the format.
    #[error("the format {0:?} is not supported; write it as .yaml, .yml or .json")]
    UnknownFormat(String),
    /// The extension decides the format.
    #[error("its name has no extension; name it .yaml, .yml or .json")]
    NoExtension,
}

/// A text that is not YAML or JSON, or that breaks a limit.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct GrammarError(Grammar);

#[derive(Debug, Error)]
enum Grammar {
    #[error(transparent)]
    Yaml(YamlRule),
    #[error(transparent)]
    Json(serde_json::Error),
}

impl From<YamlRule> for GrammarError {
    fn from(rule: YamlRule) -> Self {
        Self(Grammar::Yaml(rule))
    }
}

impl From<serde_json::Error> for GrammarError {
    fn from(error: serde_json::Error) -> Self {
        Self(Grammar::Json(error))
    }
}

/// Something odd about the settings that does not stop the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A file holds a key that does not exist.
    UnknownKey {
        /// The dotted key.
        key: String,
        /// Where it stands.
        origin: SettingSource,
        /// The key that may be meant.
        nearest: Option<String>,
    },
    /// A setting of the reference that has no effect here.
    WithoutEffect {
        /// The setting.
        key: &'static str,
        /// The source of its value.
        origin: SettingSource,
    },
    /// `--config` matches no existing file, so the default files are read instead.
    NothingMatched {
        /// The pattern as given.
        pattern: String,
    },
    /// A secret had white space around it, which is left out.
    Trimmed {
        /// The setting.
        key: String,
        /// The source of its value.
        origin: SettingSource,
    },
    /// A level above the highest one.
    LevelTooHigh {
        /// The number that was given.
        number: i64,
        /// The source of the value.
        origin: SettingSource,
    },
    /// An environment variable looks like a setting but does not name one.
    UnknownVariable {
        /// The variable.
        name: String,
        /// What to do instead.
        advice: String,
    },
    /// The settings describe the store in the old way and in the new way; the new way is used.
    ConnectionIgnored,
}

impl Warning {
    /// Whether something was given that nobody reads: `--strict` refuses it.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(
            self,
            Self::UnknownKey { .. } | Self::UnknownVariable { .. } | Self::LevelTooHigh { .. }
        )
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey {
                key,
                origin,
                nearest,
            } => {
                write!(formatter, "unknown key {key} in {origin}")?;
                match nearest {
                    Some(nearest) => write!(formatter, "; did you mean {nearest}?"),
                    None => Ok(()),
                }
            }
            Self::WithoutEffect { key, origin } => {
                write!(
                    formatter,
                    "{key} (from {origin}) is accepted without effect"
                )
            }
            Self::NothingMatched { pattern } => write!(
                formatter,
                "--config {pattern:?} matches no file; the default files are used"
            ),
            Self::Trimmed { key, origin } => write!(
                formatter,
                "{key} (from {origin}) has white space around it, which is left out"
            ),
            Self::LevelTooHigh { number, origin } => write!(
                formatter,
                "logger.level {number} (from {origin}) is higher than every level: 5 (debug) is used"
            ),
            Self::UnknownVariable { name, advice } => write!(
                formatter,
                "environment variable {name} looks like a setting and is not read: {advice}"
            ),
            Self::ConnectionIgnored => formatter
                .write_str("storage.connection is ignored because storage.stow.config is given"),
        }
    }
}

//! The `logger` section (spec §1.4): how much is logged, and in which form.

use super::syntax::{SyntaxError, integer};

/// The resolved `logger.*` settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggerSettings {
    /// `logger.level`.
    pub level: LogLevel,
    /// `logger.formatter.type`.
    pub format: LogFormat,
    /// `logger.mute`: write no log.
    pub mute: bool,
    /// `logger.show-source`: add the source file and line to each message.
    pub show_source: bool,
}

/// The reference's log levels, from the fewest messages to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Level 0: no log; the failure itself is still reported.
    Panic,
    /// Level 1: like 0.
    Fatal,
    /// Level 2.
    Error,
    /// Level 3.
    Warn,
    /// Level 4: the default.
    Info,
    /// Level 5 and above.
    Debug,
}

impl LogLevel {
    /// The level of a number; none below 0. Everything above 5 is debug.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            ..0 => return None,
            0 => Self::Panic,
            1 => Self::Fatal,
            2 => Self::Error,
            3 => Self::Warn,
            4 => Self::Info,
            5.. => Self::Debug,
        })
    }
}

/// The names of levels, as the reference's logger knows them, and their numbers.
const LEVELS: [(&str, i64); 8] = [
    ("panic", 0),
    ("fatal", 1),
    ("error", 2),
    ("warn", 3),
    ("warning", 3),
    ("info", 4),
    ("debug", 5),
    ("trace", MOST),
];

/// The highest level of the reference's logger. We log nothing that `debug` leaves out.
pub(super) const MOST: i64 = 6;

/// The number of a level: a name in any case, or the number itself.
pub(super) fn level_number(text: &str) -> Result<i64, SyntaxError> {
    let named = LEVELS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text));
    if let Some((_, number)) = named {
        return Ok(*number);
    }
    integer(text).map_err(|_| {
        SyntaxError::new(
            "a level is a number from 0 (panic) to 5 (debug), or panic, fatal, error, warn, info or debug",
        )
    })
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text if standard error is a terminal, else JSON.
    Auto,
    /// One JSON object a line: keys `json`, `level`, `msg`, `ts`.
    Json,
    /// Plain text for people.
    Text,
    /// JSON with the names that Google's log collector expects.
    Gcp,
}

impl LogFormat {
    /// The names of the formats: the reference's, and `auto`.
    pub const NAMES: &[(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("text", Self::Text),
        ("json", Self::Json),
        ("gcp", Self::Gcp),
    ];

    /// The format called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let mut names = Self::NAMES.iter();
        names
            .find(|(known, _)| *known == name)
            .map(|(_, format)| *format)
    }
}

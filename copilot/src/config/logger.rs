//! The `logger` section (spec §1.4): how much is logged, and in which form.

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

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line: keys `json`, `level`, `msg`, `ts`.
    Json,
    /// Plain text for people.
    Text,
    /// JSON with the names that Google's log collector expects.
    Gcp,
}

impl LogFormat {
    /// The format called `name` in the reference's configuration.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "json" => Self::Json,
            "text" => Self::Text,
            "gcp" => Self::Gcp,
            _ => return None,
        })
    }
}

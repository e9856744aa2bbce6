//! One JSON object for each line, with the reference's key names or those of Google's log collector.

use std::fmt;
use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::fields::EventFields;
use crate::idl::Timestamp;
use crate::literal::datetime;

/// The keys of a line, and the names of levels.
pub(super) struct KeyNames {
    level: &'static str,
    message: &'static str,
    time: &'static str,
    fields: &'static str,
    levels: LevelNames,
}

/// From errors to traces.
type LevelNames = [&'static str; 5];

impl KeyNames {
    /// The reference's names.
    pub(super) const REFERENCE: Self = Self {
        level: "level",
        message: "msg",
        time: "ts",
        fields: "json",
        levels: ["error", "warning", "info", "debug", "trace"],
    };
    /// The names that Google's log collector expects: `LogSeverity` has no traces.
    pub(super) const GCP: Self = Self {
        level: "severity",
        message: "message",
        time: "timestamp",
        fields: "data",
        levels: ["ERROR", "WARNING", "INFO", "DEBUG", "DEBUG"],
    };

    fn of(&self, level: Level) -> &'static str {
        let [error, warning, info, debug, trace] = self.levels;
        match level {
            Level::ERROR => error,
            Level::WARN => warning,
            Level::INFO => info,
            Level::DEBUG => debug,
            Level::TRACE => trace,
        }
    }
}

/// Formats events as JSON lines.
pub(super) struct JsonLines {
    names: KeyNames,
    show_source: bool,
}

impl JsonLines {
    pub(super) fn new(names: KeyNames, show_source: bool) -> Self {
        Self { names, show_source }
    }
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = EventFields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        if self.show_source
            && let (Some(file), Some(line)) = (metadata.file(), metadata.line())
        {
            fields.insert("src", format!("{file}:{line}"));
        }
        let message = fields.message();
        let mut line = Map::new();
        line.insert(self.names.fields.to_owned(), fields.into_map().into());
        line.insert(
            self.names.level.to_owned(),
            self.names.of(*metadata.level()).into(),
        );
        line.insert(self.names.message.to_owned(), message.into());
        line.insert(self.names.time.to_owned(), now().into());
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// The time, as RFC 3339 text.
pub(super) fn now() -> String {
    datetime::format(&Timestamp::from(SystemTime::now()))
}

/// A time, as RFC 3339 text in whole milliseconds.
pub(in crate::command) fn timestamp(at: SystemTime) -> String {
    let mut at = Timestamp::from(at);
    at.nanos -= at.nanos.rem_euclid(1_000_000);
    datetime::format(&at)
}

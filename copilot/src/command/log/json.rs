//! One JSON object for each line, with the reference's key names or those of Google's log collector.

use std::fmt::{self, Debug};
use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::idl::Timestamp;
use crate::literal::datetime;

/// The keys of a line.
pub(super) struct KeyNames {
    level: &'static str,
    message: &'static str,
    time: &'static str,
    fields: &'static str,
}

impl KeyNames {
    /// The reference's names.
    pub(super) const REFERENCE: Self = Self {
        level: "level",
        message: "msg",
        time: "ts",
        fields: "json",
    };
    /// The names that Google's log collector expects.
    pub(super) const GCP: Self = Self {
        level: "severity",
        message: "message",
        time: "timestamp",
        fields: "data",
    };
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
            fields
                .0
                .insert("src".to_owned(), format!("{file}:{line}").into());
        }
        let message = fields.0.remove("message").unwrap_or_default();
        let mut line = Map::new();
        line.insert(self.names.fields.to_owned(), fields.0.into());
        line.insert(self.names.level.to_owned(), level(*metadata.level()).into());
        line.insert(self.names.message.to_owned(), message);
        line.insert(self.names.time.to_owned(), now().into());
        writeln!(writer, "{}", Value::Object(line))
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn now() -> String {
    datetime::format(&Timestamp::from(SystemTime::now()))
}

/// The fields of an event.
#[derive(Default)]
struct EventFields(Map<String, Value>);

impl Visit for EventFields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0
            .insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

//! One line of text for each event, for people: time, level, message, then the fields.

use std::fmt;

use serde_json::Value;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::fields::{EventFields, OBJECT};
use super::json::now;

/// Formats events as lines of text.
pub(super) struct TextLines {
    pub(super) show_source: bool,
}

impl<S, N> FormatEvent<S, N> for TextLines
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
        write!(
            writer,
            "{} {:>5} {}",
            now(),
            metadata.level(),
            fields.message()
        )?;
        // A person reads the message that says the same.
        let fields = fields.into_map().into_iter();
        for (name, value) in fields.filter(|(name, _)| name != OBJECT) {
            write!(writer, " {name}={}", shown(&value))?;
        }
        if self.show_source
            && let (Some(file), Some(line)) = (metadata.file(), metadata.line())
        {
            write!(writer, " ({file}:{line})")?;
        }
        writeln!(writer)
    }
}

/// A value, in quotes only where its end would not be seen.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && !text.contains([' ', '"', '=']) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_have_quotes_only_where_they_help() {
        for (value, expected) in [
            (json!("ebpf"), "ebpf"),
            (json!("two words"), "\"two words\""),
            (json!(""), "\"\""),
            (json!(1.5), "1.5"),
            (json!(true), "true"),
        ] {
            assert_eq!(shown(&value), expected);
        }
    }
}

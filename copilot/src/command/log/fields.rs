//! The fields of an event, as JSON values.

use std::fmt::Debug;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};

/// The field that holds a whole object, as JSON text: `tracing` has no such values.
pub(super) const OBJECT: &str = "timeline";

/// The fields of an event, by name.
#[derive(Default)]
pub(super) struct EventFields(Map<String, Value>);

impl EventFields {
    /// Takes the message out.
    pub(super) fn message(&mut self) -> String {
        match self.0.remove("message") {
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// Adds a field.
    pub(super) fn insert(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// All that are left.
    pub(super) fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

impl Visit for EventFields {
    /// Also for what is shown with `%`, and for the message.
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let object = || serde_json::from_str::<Value>(value).ok();
        match object().filter(|_| field.name() == OBJECT) {
            Some(object) => self.insert(field.name(), object),
            None => self.insert(field.name(), value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field.name(), value);
    }
}

//! The times of a run, for the log and for the file of `--timeline`.

use serde_json::{Map, Value, json};

use crate::track::Timestamp;

/// What happened when, counted from the process's start, and facts about the run.
#[derive(Clone, Debug)]
pub struct Timeline {
    begun: Timestamp,
    points: Map<String, Value>,
    facts: Map<String, Value>,
}

impl Timeline {
    /// Begins to count.
    #[must_use]
    pub fn begin(begun: Timestamp) -> Self {
        Self {
            begun,
            points: Map::new(),
            facts: Map::new(),
        }
    }

    /// Records that something happens now.
    pub fn mark(&mut self, name: &str) {
        self.mark_at(name, Timestamp::now());
    }

    /// Records when something happened. A time before the process began counts as the beginning.
    pub fn mark_at(&mut self, name: &str, at: Timestamp) {
        let milliseconds = at.since(self.begun).as_secs_f64() * 1e3;
        self.points
            .insert(name.to_owned(), json!((milliseconds * 1e3).round() / 1e3));
    }

    /// Adds a fact.
    pub fn note(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_owned(), value.into());
    }

    /// One JSON object: the facts, and `timeline` with milliseconds since the start of the process.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = self.facts.clone();
        object.insert("timeline".to_owned(), self.points.clone().into());
        object.into()
    }
}

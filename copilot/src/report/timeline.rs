//! The times of a run: one line for people, and an object for the log and for the file of `--timeline`.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::failure::{Failure, FailureOrigin, Recoverability};
use super::message::bounded;
use super::words;
use crate::track::Timestamp;

/// What happened when, counted from the process's start, and facts about the run.
#[derive(Clone, Debug)]
pub struct Timeline {
    begun: Timestamp,
    /// Milliseconds since the process's start.
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

    /// Adds a fact. Its name ends in a unit if it has one.
    pub fn note(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_owned(), value.into());
    }

    /// A fact that was noted.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&Value> {
        self.facts.get(name)
    }

    /// Adds what was moved, in how much time, and how many requests were sent again.
    pub fn note_transfer(&mut self, objects: u64, bytes: u64, retries: u64, took: Duration) {
        self.note("objects", objects);
        self.note("bytes", bytes);
        self.note("retries", retries);
        let microseconds = (took.as_secs_f64() * 1e6).round();
        self.note("transfer_ms", microseconds / 1e3);
    }

    /// Adds what a person needs to know about a failure, and its code.
    pub fn note_failure(&mut self, failure: &Failure) {
        self.note("failure", failure.code.as_ref());
        self.note("failure_message", bounded(&failure.message));
        let may_help = failure.kind == Recoverability::Recoverable;
        self.note("failure_recoverable", may_help);
        match failure.origin {
            FailureOrigin::User => self.note("failure_origin", "user"),
            FailureOrigin::System => self.note("failure_origin", "system"),
            FailureOrigin::Unknown => {}
        }
    }

    /// One JSON object: the facts, and `since_start_ms` with milliseconds since the start of the process.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = self.facts.clone();
        object.insert("since_start_ms".to_owned(), self.points.clone().into());
        object.into()
    }

    /// The run in one line for people: what is known of it, in the order in which it happened.
    #[must_use]
    pub fn line(&self) -> String {
        let parts = [
            self.attached(),
            self.started(),
            self.ended(),
            self.settled(),
            self.moved(),
            Some(self.outcome()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// The time by the clock when the process began, as the clock stands now.
    #[must_use]
    pub fn began_at(&self) -> SystemTime {
        let now = SystemTime::now();
        now.checked_sub(Timestamp::now().since(self.begun))
            .unwrap_or(now)
    }

    /// The facts, by name.
    #[must_use]
    pub fn facts(&self) -> &Map<String, Value> {
        &self.facts
    }

    /// Milliseconds from the process's start to a point.
    #[must_use]
    pub fn at(&self, name: &str) -> Option<f64> {
        self.points.get(name)?.as_f64()
    }

    /// A fact that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.facts.get(name)?.as_str()
    }

    /// A fact that is a count.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        self.facts.get(name)?.as_u64()
    }

    /// Bytes in a second, in binary units, if bytes were moved.
    pub(super) fn rate(&self) -> Option<String> {
        let bytes = self.count("bytes").filter(|bytes| *bytes > 0)?;
        let took = self.facts.get("transfer_ms")?.as_f64()?;
        Some(format!("{}/s", words::rate(bytes, took)))
    }

    fn attached(&self) -> Option<String> {
        let after = words::milliseconds(self.at("attached")?);
        Some(format!("attached {after}"))
    }

    fn started(&self) -> Option<String> {
        let after = self.at("started")? - self.at("attached").unwrap_or_default();
        Some(format!("main started +{}", words::milliseconds(after)))
    }

    /// How main ended, and after what time if its start was seen.
    fn ended(&self) -> Option<String> {
        let status = self.text("status")?;
        let ran = self.at("exited").zip(self.at("started"));
        Some(match ran {
            Some((exited, started)) => {
                format!("{status} after {}", words::milliseconds(exited - started))
            }
            None => status.to_owned(),
        })
    }

    fn settled(&self) -> Option<String> {
        let after = self.at("settled")? - self.at("exited")?;
        Some(format!("settled {}", words::milliseconds(after)))
    }

    /// What was moved, how fast, and with how much trouble.
    fn moved(&self) -> Option<String> {
        let (objects, bytes) = (self.count("objects")?, self.count("bytes")?);
        let files = words::counted(objects, "file", "files");
        let moved = format!("{files}, {}", words::bytes(bytes));
        let Some(took) = self.facts.get("transfer_ms").and_then(Value::as_f64) else {
            return Some(moved);
        };
        let retries = self.count("retries").filter(|retries| *retries > 0);
        let retries = retries.map(|retries| words::counted(retries, "retry", "retries"));
        let aside: Vec<String> = self.rate().into_iter().chain(retries).collect();
        let aside = match aside.as_slice() {
            [] => String::new(),
            aside => format!(" ({})", aside.join(", ")),
        };
        Some(format!("{moved} in {}{aside}", words::milliseconds(took)))
    }

    fn outcome(&self) -> String {
        match self.text("failure") {
            Some(code) => format!("failed: {code}"),
            None if self.at("committed").is_some() => "committed".to_owned(),
            None => "done".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(points: &[(&str, u64)], facts: &[(&str, Value)]) -> Timeline {
        let begun = Timestamp(1_000);
        let mut timeline = Timeline::begin(begun);
        for (name, milliseconds) in points {
            timeline.mark_at(name, Timestamp(1_000 + milliseconds * 1_000_000));
        }
        for (name, value) in facts {
            timeline.note(name, value.clone());
        }
        timeline
    }

    #[test]
    fn a_run_is_told_in_one_line() {
        let points = [
            ("attached", 41),
            ("started", 341),
            ("exited", 724_341),
            ("settled", 724_344),
            ("uploaded", 734_144),
            ("committed", 734_200),
        ];
        let facts = [
            ("status", json!("exited with code 0")),
            ("objects", json!(14)),
            ("bytes", json!(2_254_857_830_u64)),
            ("transfer_ms", json!(9800.0)),
            ("retries", json!(2)),
        ];
        assert_eq!(
            timeline(&points, &facts).line(),
            "attached 41 ms · main started +300 ms · exited with code 0 after 12 m 4 s · settled 3 ms · 14 files, \
             2.1 GiB in 9.8 s (219 MiB/s, 2 retries) · committed"
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        for (points, facts, line) in [
            (&[][..], &[][..], "done"),
            (
                &[("attached", 5)],
                &[("failure", json!("MainNotStarted"))],
                "attached 5 ms · failed: MainNotStarted",
            ),
            (
                &[("committed", 9)],
                &[
                    ("objects", json!(1)),
                    ("bytes", json!(0)),
                    ("transfer_ms", json!(0.4)),
                ],
                "1 file, 0 bytes in 0.4 ms · committed",
            ),
            (
                &[("exited", 90)],
                &[("status", json!("killed by signal 9 (SIGKILL)"))],
                "killed by signal 9 (SIGKILL) · done",
            ),
        ] {
            assert_eq!(timeline(points, facts).line(), line);
        }
    }

    #[test]
    fn every_time_has_its_unit() {
        let object = timeline(&[("attached", 41)], &[("bytes", json!(3))]).to_json();
        assert_eq!(
            object,
            json!({"bytes": 3, "since_start_ms": {"attached": 41.0}})
        );
    }
}

//! How main ended, as the documents say it.

use serde::Serialize;
use serde_json::Value;

use crate::report::Timeline;

/// How main ended, in the words and units of the timeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MainEnd {
    /// In words, such as `exited with code 0`.
    pub end: String,
    /// Its exit code, as a container runtime reports it: 128 + n for signal n. `null` if it is not known.
    pub exit_code: Option<i64>,
    /// Which watcher saw it. `noop` saw nothing: somebody else has waited for main.
    pub watcher: String,
    /// The main containers: names, or ids where a name is not known.
    pub containers: Vec<String>,
}

impl MainEnd {
    /// What the sidecar has noted in its timeline; empty if it has not watched.
    #[must_use]
    pub fn noted(timeline: &Timeline) -> Self {
        let text = |name| {
            let fact = timeline.fact(name).and_then(Value::as_str);
            fact.unwrap_or_default().to_owned()
        };
        let names = timeline.fact("main").and_then(Value::as_array);
        let names = names.into_iter().flatten().filter_map(Value::as_str);
        Self {
            end: text("status"),
            exit_code: timeline.fact("exit_code").and_then(Value::as_i64),
            watcher: text("watcher"),
            containers: names.map(str::to_owned).collect(),
        }
    }
}

//! The result of the demo, as text and as JSON.

use std::fmt;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

/// The points of the timeline, in their order.
const POINTS: [(&str, &str); 6] = [
    ("attached", "the watcher is attached"),
    ("started", "main runs its program"),
    ("exited", "main has ended"),
    ("settled", "no process of main's is left"),
    ("uploaded", "the outputs' data is in the store"),
    ("committed", "outputs.pb is written"),
];

/// A finished demo.
pub struct Story {
    pub(super) place: String,
    pub(super) main: String,
    pub(super) timeline: Value,
    pub(super) outputs: Map<String, Value>,
    pub(super) exit_code: Option<i32>,
    pub(super) root: PathBuf,
}

impl Story {
    /// Whether everything went well.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.exit_code == Some(0) && self.outputs.len() == 4
    }

    /// The result as one JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "watcher": self.timeline["watcher"],
            "reason": self.timeline["reason"],
            "main": {
                "containers": self.timeline["main"],
                "found": self.timeline["main_found"],
                "status": self.timeline["status"],
                "exit_code": self.timeline["exit_code"],
            },
            "timeline": self.timeline["since_start_ms"],
            "outputs": self.outputs,
            "exit_code": self.exit_code,
            "stage": self.place,
            "files": self.root,
        })
    }

    fn text(&self, key: &str) -> &str {
        self.timeline[key].as_str().unwrap_or("not known")
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "stage     {}", self.place)?;
        writeln!(
            f,
            "watcher   {} ({})",
            self.text("watcher"),
            self.text("reason")
        )?;
        writeln!(
            f,
            "main      {}; its parent saw: {}",
            self.text("status"),
            self.main
        )?;
        writeln!(f, "          found: {}", self.text("main_found"))?;
        writeln!(f, "timeline  ms since the sidecar's start")?;
        for (point, meaning) in POINTS {
            if let Some(at) = self.timeline["since_start_ms"][point].as_f64() {
                writeln!(f, "  {at:>10.3}  {point:<10} {meaning}")?;
            }
        }
        writeln!(f, "outputs")?;
        for (name, value) in &self.outputs {
            writeln!(f, "  {name} = {value}")?;
        }
        let code = self
            .exit_code
            .map_or_else(|| "none".to_owned(), |code| code.to_string());
        writeln!(f, "sidecar   exit code {code}")?;
        write!(
            f,
            "files     {} (store, inputs, outputs, timeline.json)",
            self.root.display()
        )
    }
}

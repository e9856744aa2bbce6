//! What a bench has measured: one schema for all benches, `docs/figures/README.md` describes it.
//!
//! Each bench makes a [`Report`]; `document` reads it and writes the tables. It holds the figures of every run,
//! so that a reader can take other statistics than ours. What a figure means to one bench does not live here.

mod machine;
pub mod markdown;
mod row;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::binary;

pub use self::machine::Machine;
pub use self::row::{Row, Run};

/// The version of the schema that this program writes and reads.
const SCHEMA: u32 = 1;

/// The report of one bench.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The version of the schema.
    schema: u32,
    /// The bench's name.
    pub bench: String,
    /// Whether only a small part ran, whose figures mean nothing.
    pub part: bool,
    /// When the bench began: UTC, RFC 3339.
    date: String,
    /// Where it ran.
    machine: Machine,
    /// The version of each program that took part, by name.
    programs: BTreeMap<String, String>,
    /// The bench's options.
    parameters: Value,
    /// The measurements.
    pub cases: Vec<Case>,
}

/// Programs that did the same under the same conditions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The table it belongs to, by the part of its name that follows the bench's. Empty if the bench has only
    /// one table.
    pub table: String,
    /// Its name within the table.
    pub name: String,
    /// Its conditions.
    #[serde(default)]
    pub parameters: Value,
    /// One for each program.
    pub rows: Vec<Row>,
}

impl Case {
    /// The row of a program.
    pub fn row(&self, program: &str) -> Result<&Row> {
        let row = self.rows.iter().find(|row| row.program == program);
        row.with_context(|| format!("no row of {program}"))
    }
}

impl Report {
    /// A report without cases, of this machine at this time.
    pub fn begin(bench: &str, part: bool, parameters: Value) -> Result<Self> {
        Ok(Self {
            schema: SCHEMA,
            bench: bench.to_owned(),
            part,
            date: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            machine: Machine::this()?,
            programs: BTreeMap::new(),
            parameters,
            cases: Vec::new(),
        })
    }

    /// Notes the version of a program.
    pub fn program(&mut self, name: &str, version: &str) {
        println!("{name}: {version}");
        self.programs.insert(name.to_owned(), version.to_owned());
    }

    /// Adds a measurement, and prints its medians: a long bench may be interrupted.
    pub fn add(&mut self, case: Case) {
        println!("\n{} {}", case.table, case.name);
        for row in &case.rows {
            println!("  {row}");
        }
        self.cases.push(case);
    }

    /// One line for the tables: when, where and what was measured.
    #[must_use]
    pub fn caption(&self) -> String {
        let day = self.date.split('T').next().unwrap_or_default();
        let programs: Vec<String> = self
            .programs
            .iter()
            .map(|(name, version)| format!("{name}: {version}"))
            .collect();
        format!("{day}, {}. {}.", self.machine, programs.join("; "))
    }

    /// Makes sure that the file can be written, before anything is measured. Keeps what is in it.
    pub fn prepare(file: &Path) -> Result<()> {
        let opened = OpenOptions::new().create(true).append(true).open(file);
        opened.with_context(|| format!("--json {}: it cannot be written", file.display()))?;
        Ok(())
    }

    /// Writes the report as JSON.
    pub fn write(&self, file: &Path) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }

    /// Reads a report. The error names the file.
    pub fn read(file: &Path) -> Result<Self> {
        let read = || -> Result<Self> {
            let value: Value = serde_json::from_slice(&fs::read(file)?)?;
            let schema = value.get("schema").and_then(Value::as_u64);
            ensure!(
                schema == Some(SCHEMA.into()),
                "it has no \"schema\": {SCHEMA}. Only what `--json` of this version wrote can be read"
            );
            Ok(serde_json::from_value(value)?)
        };
        read().with_context(|| format!("{} is not the report of a bench", file.display()))
    }
}

/// The first line that a program prints when it is asked for its version by this argument.
#[must_use]
pub fn version(program: &Path, argument: &str) -> Option<String> {
    let mut command = Command::new(program);
    binary::isolate(&mut command);
    let output = command.arg(argument).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(str::to_owned)
}

/// Copilot's version.
#[must_use]
pub fn version_of_copilot(copilot: &Path) -> String {
    version(copilot, "--version").unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let mut report = Report::begin("start", false, json!({"rounds": 2})).unwrap();
        report.program("copilot", "0.1.0");
        let runs = [3.25, 1.5].map(|ms| Run::new([("ready_ms", ms)]));
        report.add(Case {
            table: "ready".to_owned(),
            name: "exec to ready".to_owned(),
            parameters: json!({}),
            rows: vec![Row::new("sidecar", runs.to_vec())],
        });
        let file = tempfile::NamedTempFile::new().unwrap();
        report.write(file.path()).unwrap();
        let read = Report::read(file.path()).unwrap();
        assert_eq!(
            serde_json::to_value(&read).unwrap(),
            serde_json::to_value(&report).unwrap()
        );
        let written: Value = serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap();
        for name in ["kernel", "cpu", "cpus", "memory_bytes"] {
            assert!(written["machine"].get(name).is_some(), "{name}: {written}");
        }
        assert_eq!(written["cases"][0]["rows"][0]["medians"]["ready_ms"], 1.5);
    }

    #[test]
    fn a_file_that_is_no_report_is_refused_by_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for text in ["", "{}", r#"{"schema": 2}"#, r#"{"schema": 1}"#] {
            fs::write(file.path(), text).unwrap();
            let error = Report::read(file.path()).unwrap_err().to_string();
            assert!(
                error.contains(&file.path().display().to_string()),
                "{error}"
            );
        }
    }

    #[test]
    fn a_file_is_kept_until_the_figures_are_there() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "figures").unwrap();
        Report::prepare(file.path()).unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "figures");
        assert!(Report::prepare(Path::new("/no/such/folder/x.json")).is_err());
    }
}

//! All figures of a bench as JSON: each run, so that a reader can take other medians than ours.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::contender::Contender;
use super::options::Options;
use super::server::Server;
use super::table::{Run, Table};

/// The report of one bench.
#[derive(Debug)]
pub struct Report {
    file: Option<PathBuf>,
    programs: Value,
    server: String,
    cases: Vec<Value>,
}

impl Report {
    pub fn begin(options: &Options, server: &Server, contenders: &[Contender]) -> Self {
        let programs = contenders
            .iter()
            .map(|contender| (contender.name.to_owned(), json!(contender.version)));
        Self {
            file: options.json.clone(),
            programs: Value::Object(programs.collect()),
            server: server.version.clone(),
            cases: Vec::new(),
        }
    }

    /// Adds the runs of one case.
    pub fn add(&mut self, table: &Table) {
        let case = &table.case;
        let rows = table.rows.iter().map(|(name, runs)| {
            let runs: Vec<Value> = runs.iter().map(run).collect();
            json!({"program": name, "runs": runs})
        });
        self.cases.push(json!({
            "shape": case.shape.name,
            "files": case.shape.count,
            "bytes_per_file": case.shape.size,
            "direction": case.direction.to_string(),
            "limited": case.limited,
            "unsigned": case.unsigned,
            "round_trip_us": case.distance.round_trip.as_micros(),
            "bandwidth_bytes_per_s": case.distance.bandwidth,
            "tls": case.distance.tls,
            "programs": rows.collect::<Vec<_>>(),
        }));
    }

    /// Writes the file, if one was asked for.
    pub fn write(self) -> Result<()> {
        let Some(file) = self.file else {
            return Ok(());
        };
        let report = json!({
            "bench": "transfer",
            "server": self.server,
            "programs": self.programs,
            "cases": self.cases,
        });
        let text = serde_json::to_vec_pretty(&report)?;
        fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))
    }
}

fn run(run: &Run) -> Value {
    json!({
        "failed": run.failed,
        "wall_s": run.wall.as_secs_f64(),
        "cpu_s": run.cpu.as_secs_f64(),
        "peak_bytes": run.peak,
    })
}

//! The results: a line for each pod that failed, a table, times, and everything as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use super::evidence::{Evidence, Logs};
use super::scenario::Case;

/// The result of one pod.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its case.
    pub case: Case,
    /// The node's kind and names, and the round.
    pub place: String,
    /// The node's kind.
    pub node: &'static str,
    /// The checks that failed.
    pub wrong: Vec<String>,
    /// The folder with its logs and results, if it failed.
    pub kept: Option<PathBuf>,
    /// Milliseconds from main's end to the commit.
    pub lateness: Option<f64>,
}

impl Outcome {
    /// The line that reports a failure.
    #[must_use]
    pub fn line(&self) -> String {
        let kept = self.kept.as_ref().map(|path| path.display().to_string());
        format!(
            "FAILED {} on {}: {} [{}]",
            self.case.name(),
            self.place,
            self.wrong.join("; "),
            kept.unwrap_or_default()
        )
    }
}

/// Saves the logs and results of a pod that failed.
pub fn keep(directory: &Path, evidence: &Evidence, logs: &Logs, wrong: &[String]) -> Result<()> {
    fs::create_dir_all(directory)?;
    for (name, text) in logs.all() {
        fs::write(directory.join(name.replace('/', "-")), text)?;
    }
    fs::write(directory.join("wrong.txt"), wrong.join("\n"))?;
    let pretty = |value: &Value| serde_json::to_string_pretty(value);
    fs::write(directory.join("timeline.json"), pretty(&evidence.timeline)?)?;
    fs::write(directory.join("pod.json"), pretty(&evidence.pod.0)?)?;
    let store = format!("{:#?}\n{:#?}\n", evidence.outputs, evidence.error);
    fs::write(directory.join("store.txt"), store)?;
    Ok(())
}

/// The line that reports the end of a node.
#[must_use]
pub fn line(place: &str, outcomes: &[Outcome]) -> String {
    let failed = outcomes.iter().filter(|one| !one.wrong.is_empty()).count();
    format!(
        "{place}: {} passed, {failed} failed",
        outcomes.len() - failed
    )
}

/// A table of passed and failed pods, by node, privilege and pid namespaces.
#[must_use]
pub fn table(outcomes: &[Outcome]) -> String {
    let mut rows: BTreeMap<[&str; 3], [usize; 2]> = BTreeMap::new();
    for outcome in outcomes {
        let case = &outcome.case;
        let row = [outcome.node, case.privilege.name(), case.pids.name()];
        rows.entry(row).or_default()[usize::from(!outcome.wrong.is_empty())] += 1;
    }
    let mut text = format!(
        "{:8} {:12} {:8} {:>7} {:>7}\n",
        "node", "privilege", "pids", "passed", "failed"
    );
    for ([node, privilege, pids], [passed, failed]) in rows {
        let _ = writeln!(
            text,
            "{node:8} {privilege:12} {pids:8} {passed:>7} {failed:>7}"
        );
    }
    text
}

/// A table of the times from main's end to the commit, by watcher.
#[must_use]
pub fn times(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for (watcher, times) in latenesses(outcomes) {
        let _ = writeln!(
            text,
            "main's end to the commit, {watcher}: p50 {:.0} ms, p99 {:.0} ms, {} pods",
            percentile(&times, 50),
            percentile(&times, 99),
            times.len()
        );
    }
    text
}

/// All results as JSON.
#[must_use]
pub fn json(outcomes: &[Outcome]) -> Value {
    let pods: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            json!({
                "pod": outcome.case.name(),
                "scenario": outcome.case.scenario.name,
                "privilege": outcome.case.privilege.name(),
                "pids": outcome.case.pids.name(),
                "place": outcome.place,
                "wrong": outcome.wrong,
                "milliseconds_to_commit": outcome.lateness,
            })
        })
        .collect();
    let times: BTreeMap<&str, Value> = latenesses(outcomes)
        .into_iter()
        .map(|(watcher, times)| {
            let (p50, p99) = (percentile(&times, 50), percentile(&times, 99));
            (
                watcher,
                json!({"p50": p50, "p99": p99, "pods": times.len()}),
            )
        })
        .collect();
    json!({"pods": pods, "milliseconds_to_commit": times})
}

fn latenesses(outcomes: &[Outcome]) -> BTreeMap<&'static str, Vec<f64>> {
    let mut found: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for outcome in outcomes {
        if let Some(lateness) = outcome.lateness {
            let times = found.entry(outcome.case.watcher().name()).or_default();
            times.push(lateness);
        }
    }
    for times in found.values_mut() {
        times.sort_by(f64::total_cmp);
    }
    found
}

/// A percentile of sorted times.
fn percentile(times: &[f64], percent: usize) -> f64 {
    let at = (times.len() * percent).div_ceil(100).max(1) - 1;
    times.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_seen() {
        let times: Vec<f64> = (1..=100_i32).map(f64::from).collect();
        assert!((percentile(&times, 50) - 50.0).abs() < f64::EPSILON);
        assert!((percentile(&times, 99) - 99.0).abs() < f64::EPSILON);
        assert!((percentile(&times[..1], 99) - 1.0).abs() < f64::EPSILON);
    }
}

//! The runs of one program under the same conditions, and their statistics.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// All runs of one program.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The program's name.
    pub program: String,
    /// Its runs in their order, without the warm-up.
    pub runs: Vec<Run>,
    /// The medians, for other readers than us. Empty if a run failed.
    #[serde(default)]
    medians: BTreeMap<String, f64>,
}

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The error, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Figures by name. A name ends with its unit: `_s`, `_ms`, `_us`, `_ns`, `_bytes`. Without one it is a
    /// number of things.
    pub figures: BTreeMap<String, f64>,
}

impl Run {
    /// A run that succeeded.
    #[must_use]
    pub fn new<const N: usize>(figures: [(&str, f64); N]) -> Self {
        Self {
            failed: None,
            figures: figures.map(|(name, value)| (name.to_owned(), value)).into(),
        }
    }
}

impl Row {
    /// A row of these runs.
    #[must_use]
    pub fn new(program: &str, runs: Vec<Run>) -> Self {
        let mut row = Self {
            program: program.to_owned(),
            runs,
            medians: BTreeMap::new(),
        };
        if row.failure().is_none() {
            let first = row.runs.first();
            let names: Vec<String> = first
                .into_iter()
                .flat_map(|run| run.figures.keys().cloned())
                .collect();
            let medians = names.into_iter().filter_map(|name| {
                let median = row.median(&name).ok()?;
                Some((name, median))
            });
            row.medians = medians.collect();
        }
        row
    }

    /// How many runs failed, and why the first of them did. `None` if all succeeded.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let failed: Vec<&String> = self
            .runs
            .iter()
            .filter_map(|run| run.failed.as_ref())
            .collect();
        let reason = failed.first()?.lines().next().unwrap_or_default();
        Some(format!(
            "{} of {} runs: {reason}",
            failed.len(),
            self.runs.len()
        ))
    }

    /// The value of a figure below which `percent` of the runs lie. An error if a run lacks the figure.
    pub fn percentile(&self, figure: &str, percent: usize) -> Result<f64> {
        let values = self.runs.iter().map(|run| run.figures.get(figure).copied());
        let values: Option<Vec<f64>> = values.collect();
        let values = values.filter(|values| !values.is_empty());
        let mut values = values.with_context(|| format!("{} has no {figure}", self.program))?;
        values.sort_unstable_by(f64::total_cmp);
        Ok(values[(values.len() - 1) * percent / 100])
    }

    /// The median of a figure. Of an even number of runs it is the lower one of the two in the middle.
    pub fn median(&self, figure: &str) -> Result<f64> {
        self.percentile(figure, 50)
    }

    /// The sum of a figure.
    pub fn sum(&self, figure: &str) -> Result<f64> {
        // Every run must have it.
        self.median(figure)?;
        Ok(self
            .runs
            .iter()
            .filter_map(|run| run.figures.get(figure))
            .sum())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.program)?;
        if let Some(failure) = self.failure() {
            return write!(f, " {failure}");
        }
        for (name, median) in &self.medians {
            write!(f, " {name} {median:.3}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f64]) -> Row {
        let runs = values.iter().map(|value| Run::new([("wall_s", *value)]));
        Row::new("bare", runs.collect())
    }

    #[test]
    fn percentiles_are_values_of_runs() {
        let ten: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        let row = row(&ten);
        let at = |percent| row.percentile("wall_s", percent).unwrap().to_string();
        assert_eq!([at(0), at(50), at(99), at(100)], ["1", "5", "9", "10"]);
        assert_eq!(row.sum("wall_s").unwrap().to_string(), "55");
    }

    #[test]
    fn a_figure_that_one_run_lacks_is_named() {
        let mut row = row(&[1.0, 2.0]);
        row.runs.push(Run::new([("cpu_s", 1.0)]));
        let error = row.median("wall_s").unwrap_err().to_string();
        assert_eq!(error, "bare has no wall_s");
        assert!(Row::new("bare", Vec::new()).median("wall_s").is_err());
    }

    #[test]
    fn a_failed_run_leaves_no_medians() {
        let mut runs = row(&[1.0, 2.0]).runs;
        runs[1].failed = Some("killed\nthe log".to_owned());
        let row = Row::new("bare", runs);
        assert_eq!(row.failure().as_deref(), Some("1 of 2 runs: killed"));
        assert_eq!(row.medians.len(), 0);
    }
}

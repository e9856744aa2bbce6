//! The tables of this bench: the medians of each program, then Copilot relative to the others.

use anyhow::{Context as _, Result};

use super::conditions::Conditions;
use super::contender::{BARE, OURS};
use crate::bench::report::markdown::{Table, mebibytes};
use crate::bench::report::{Case, Row};

/// The most that Copilot may take relative to `bare`: wall time, CPU time.
const BESIDE_BARE: (f64, f64) = (1.15, 1.3);

/// The medians of a program that always succeeded: seconds, CPU seconds, MiB.
#[derive(Clone, Copy, Debug)]
struct Medians {
    wall: f64,
    cpu: f64,
    peak: f64,
}

impl Medians {
    fn of(row: &Row) -> Result<Self> {
        Ok(Self {
            wall: row.median("wall_s")?,
            cpu: row.median("cpu_s")?,
            peak: mebibytes(row, "peak_bytes")?,
        })
    }

    /// The same, or `None` if the program did not take part or failed.
    fn of_program(case: &Case, program: &str) -> Result<Option<Self>> {
        let row = case.rows.iter().find(|row| row.program == program);
        let row = row.filter(|row| row.failure().is_none());
        row.map(Self::of).transpose()
    }
}

/// Two tables for the cases of one set of conditions.
pub fn render(cases: &[&Case]) -> Result<String> {
    Ok(format!("{}\n{}", medians(cases)?, ratios(cases)?))
}

fn medians(cases: &[&Case]) -> Result<String> {
    let mut programs: Vec<&str> = Vec::new();
    for row in cases.iter().flat_map(|case| &case.rows) {
        if !programs.contains(&row.program.as_str()) {
            programs.push(&row.program);
        }
    }
    let heading = programs
        .iter()
        .map(|name| format!("{name}: wall s / CPU s / peak MiB"));
    let mut table = Table::new(std::iter::once(String::new()).chain(heading));
    for case in cases {
        let mut cells = vec![case.name.clone()];
        for program in &programs {
            cells.push(cell(case, program).with_context(|| case.name.clone())?);
        }
        table.line(cells);
    }
    Ok(table.text())
}

fn cell(case: &Case, program: &str) -> Result<String> {
    let Some(row) = case.rows.iter().find(|row| row.program == program) else {
        return Ok(String::new());
    };
    if let Some(failure) = row.failure() {
        return Ok(failure);
    }
    let of = Medians::of(row)?;
    Ok(format!("{:.2} / {:.2} / {:.0}", of.wall, of.cpu, of.peak))
}

fn ratios(cases: &[&Case]) -> Result<String> {
    let heading = [
        "copilot, relative to",
        "the better peer: wall",
        "CPU",
        "bare: wall",
        "CPU",
        "peak MiB",
    ];
    let mut table = Table::new(heading.map(str::to_owned));
    for case in cases {
        let line = line(case).with_context(|| case.name.clone())?;
        if let Some(cells) = line {
            table.line(cells);
        }
    }
    Ok(table.text())
}

/// The ratios of one case, or `None` if Copilot did not take part or failed.
fn line(case: &Case) -> Result<Option<[String; 6]>> {
    let conditions: Conditions = serde_json::from_value(case.parameters.clone())?;
    let goals = conditions.goals();
    let Some(ours) = Medians::of_program(case, OURS)? else {
        return Ok(None);
    };
    let mut peers = Vec::new();
    for row in &case.rows {
        if ![OURS, BARE].contains(&row.program.as_str()) {
            peers.extend(Medians::of_program(case, &row.program)?);
        }
    }
    // The better one for each figure: they may be two programs.
    let best = |of: fn(&Medians) -> f64| peers.iter().map(of).min_by(f64::total_cmp);
    let bare = Medians::of_program(case, BARE)?;
    let beside = |ours: f64, theirs: Option<f64>, most| {
        theirs.map_or_else(String::new, |theirs| verdict(ours / theirs, most, 2))
    };
    Ok(Some([
        case.name.clone(),
        beside(ours.wall, best(|of| of.wall), goals.wall),
        beside(ours.cpu, best(|of| of.cpu), goals.cpu),
        beside(ours.wall, bare.map(|of| of.wall), Some(BESIDE_BARE.0)),
        beside(ours.cpu, bare.map(|of| of.cpu), Some(BESIDE_BARE.1)),
        verdict(ours.peak, Some(goals.peak), 0),
    ]))
}

/// A figure and its goal. It is bold if it misses the goal.
fn verdict(found: f64, most: Option<f64>, digits: usize) -> String {
    match most {
        Some(most) if found <= most => format!("{found:.digits$} (at most {most})"),
        Some(most) => format!("**{found:.digits$}** (at most {most})"),
        None => format!("{found:.digits$}"),
    }
}

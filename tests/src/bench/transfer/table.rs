//! Medians of the runs, their ratios, and the goals.

use std::fmt::Display;
use std::time::Duration;

use super::contender::{BARE, Direction, OURS};
use super::shape::Shape;

/// One run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The error, if it failed.
    pub failed: Option<String>,
    /// The time from start to end.
    pub wall: Duration,
    /// User and system time.
    pub cpu: Duration,
    /// Peak resident memory in bytes.
    pub peak: u64,
}

impl Run {
    /// Whether it succeeded.
    pub fn is_complete(&self) -> bool {
        self.failed.is_none()
    }
}

/// All runs of one shape in one direction.
#[derive(Debug)]
pub struct Table {
    shape: Shape,
    direction: Direction,
    limited: bool,
    unsigned: bool,
    rows: Vec<(&'static str, Vec<Run>)>,
}

/// The medians of a program that always succeeded: seconds, CPU seconds, MiB.
#[derive(Clone, Copy, Debug)]
struct Medians {
    wall: f64,
    cpu: f64,
    peak: f64,
}

impl Table {
    pub fn new(shape: Shape, direction: Direction, limited: bool, unsigned: bool) -> Self {
        Self {
            shape,
            direction,
            limited,
            unsigned,
            rows: Vec::new(),
        }
    }

    pub fn add(&mut self, contender: &'static str, run: Run) {
        match self.rows.iter_mut().find(|(name, _)| *name == contender) {
            Some((_, runs)) => runs.push(run),
            None => self.rows.push((contender, vec![run])),
        }
    }

    /// Prints the table in Markdown, then the ratios.
    pub fn print(&self) {
        let limits = if self.limited {
            ", 0.5 CPU and 128 MiB"
        } else {
            ""
        };
        let unsigned = if self.unsigned { ", unsigned" } else { "" };
        let (title, direction) = (self.shape.title(), self.direction);
        println!("\n{title} {direction}{unsigned}{limits}\n");
        println!("| | wall s | CPU s | peak MiB |");
        println!("| --- | ---: | ---: | ---: |");
        for (name, runs) in &self.rows {
            match medians(runs) {
                Ok(of) => println!(
                    "| {name} | {:.2} | {:.2} | {:.0} |",
                    of.wall, of.cpu, of.peak
                ),
                Err(reason) => println!("| {name} | {reason} | | |"),
            }
        }
        println!();
        self.ratios();
    }

    fn ratios(&self) {
        let of = |wanted: &str| {
            let row = self.rows.iter().find(|(name, _)| *name == wanted)?;
            medians(&row.1).ok()
        };
        let Some(ours) = of(OURS) else {
            return;
        };
        let peers = self
            .rows
            .iter()
            .filter(|(name, _)| ![OURS, BARE].contains(name));
        let peers: Vec<Medians> = peers.filter_map(|(_, runs)| medians(runs).ok()).collect();
        let best = |of: fn(&Medians) -> f64| peers.iter().map(of).fold(f64::INFINITY, f64::min);
        let (wall, cpu) = (best(|of| of.wall), best(|of| of.cpu));
        let (most_wall, most_cpu) = self.asked();
        if wall.is_finite() {
            ratio("wall beside the better peer", ours.wall / wall, most_wall);
            ratio("CPU beside the better peer", ours.cpu / cpu, most_cpu);
        }
        if let Some(bare) = of(BARE) {
            ratio("wall beside bare", ours.wall / bare.wall, Some(1.15));
            ratio("CPU beside bare", ours.cpu / bare.cpu, Some(1.3));
        }
        let most = if self.shape.small { 24.0 } else { 48.0 };
        let met = verdict(ours.peak, Some(most));
        println!("peak {:.1} MiB{met}", ours.peak);
    }

    /// The goals relative to the better tool: wall time and CPU time.
    fn asked(&self) -> (Option<f64>, Option<f64>) {
        match (self.limited, self.shape.small, self.direction) {
            (true, true, _) => (Some(0.5), None),
            (true, false, _) => (None, None),
            (false, true, _) => (Some(0.65), Some(0.3)),
            (false, false, Direction::Down) => (Some(0.9), Some(0.65)),
            (false, false, Direction::Up) if self.unsigned => (Some(0.75), Some(0.25)),
            (false, false, Direction::Up) => (Some(1.0), Some(0.45)),
        }
    }
}

fn ratio(what: &str, ratio: f64, most: Option<f64>) {
    println!("{what} {ratio:.2}{}", verdict(ratio, most));
}

fn verdict(found: f64, most: Option<f64>) -> String {
    match most {
        Some(most) if found <= most => format!(" (at most {most}: met)"),
        Some(most) => format!(" (at most {most}: SHORT)"),
        None => String::new(),
    }
}

/// The medians, unless a run failed.
fn medians(runs: &[Run]) -> Result<Medians, String> {
    if let Some(reason) = runs.iter().find_map(|run| run.failed.as_ref()) {
        let failed = runs.iter().filter(|run| !run.is_complete()).count();
        let reason = reason.lines().next().unwrap_or_default();
        return Err(format!("{failed} of {} runs: {reason}", runs.len()));
    }
    let median = |of: &dyn Fn(&Run) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Ok(Medians {
        wall: median(&|run| run.wall.as_secs_f64()),
        cpu: median(&|run| run.cpu.as_secs_f64()),
        #[expect(clippy::cast_precision_loss, reason = "memory of a process")]
        peak: median(&|run| run.peak as f64 / 1_048_576.0),
    })
}

impl Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Down => "down",
            Self::Up => "up",
        })
    }
}

//! Medians of the runs, their ratios, and the goals.

use std::fmt::Display;
use std::time::Duration;

use super::contender::{BARE, Direction, OURS};
use super::relay::Distance;
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

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub shape: Shape,
    pub direction: Direction,
    /// Whether with the sidecar's limits.
    pub limited: bool,
    /// Whether Copilot and `bare` leave payloads unsigned on plain HTTP.
    pub unsigned: bool,
    pub distance: Distance,
}

/// All runs of one case.
#[derive(Debug)]
pub struct Table {
    pub case: Case,
    pub rows: Vec<(&'static str, Vec<Run>)>,
}

/// The medians of a program that always succeeded: seconds, CPU seconds, MiB.
#[derive(Clone, Copy, Debug)]
struct Medians {
    wall: f64,
    cpu: f64,
    peak: f64,
}

impl Table {
    pub fn new(case: Case) -> Self {
        Self {
            case,
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
        println!("\n{}\n", self.case.title());
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
        let goals = self.case.goals();
        if wall.is_finite() {
            ratio("wall beside the better peer", ours.wall / wall, goals.wall);
            ratio("CPU beside the better peer", ours.cpu / cpu, goals.cpu);
        }
        if let Some(bare) = of(BARE) {
            ratio("wall beside bare", ours.wall / bare.wall, Some(1.15));
            ratio("CPU beside bare", ours.cpu / bare.cpu, Some(1.3));
        }
        let met = verdict(ours.peak, Some(goals.peak));
        println!("peak {:.1} MiB{met}", ours.peak);
    }
}

/// The most that Copilot may take.
#[derive(Clone, Copy, Debug)]
struct Goals {
    /// Wall time relative to the better tool.
    wall: Option<f64>,
    /// CPU time relative to the better tool.
    cpu: Option<f64>,
    /// Memory in MiB.
    peak: f64,
}

impl Case {
    fn title(&self) -> String {
        let mut words = vec![format!("{} {}", self.shape.title(), self.direction)];
        if self.unsigned {
            words.push("unsigned".to_owned());
        }
        if !self.distance.is_none() {
            words.push(self.distance.title());
        }
        if self.limited {
            words.push("0.5 CPU and 128 MiB".to_owned());
        }
        words.join(", ")
    }

    fn goals(&self) -> Goals {
        if self.distance.is_none() {
            return self.goals_beside_the_store();
        }
        let (wall, cpu) = match (self.distance.tls, self.shape.small, self.limited) {
            (true, _, _) => (Some(0.8), Some(0.6)),
            (false, true, true) => (Some(0.7), Some(0.35)),
            (false, true, false) => (Some(0.45), Some(0.35)),
            (false, false, true) => (None, None),
            (false, false, false) => (Some(0.9), None),
        };
        let peak = 64.0;
        Goals { wall, cpu, peak }
    }

    fn goals_beside_the_store(&self) -> Goals {
        let (wall, cpu) = match (self.limited, self.shape.small, self.direction) {
            (true, true, _) => (Some(0.5), None),
            (true, false, _) => (None, None),
            (false, true, _) => (Some(0.65), Some(0.3)),
            (false, false, Direction::Down) => (Some(0.9), Some(0.65)),
            (false, false, Direction::Up) if self.unsigned => (Some(0.75), Some(0.25)),
            (false, false, Direction::Up) => (Some(1.0), Some(0.45)),
        };
        let peak = if self.shape.small { 24.0 } else { 48.0 };
        Goals { wall, cpu, peak }
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

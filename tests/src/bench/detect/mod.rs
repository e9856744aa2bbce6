//! How soon is main's end known? Measures the time from the process's own last time stamp until a watcher
//! reports its end, compared with its parent, which is blocked in wait(2).
//!
//! Each watcher on a quiet machine; the kernel's events also under storms of execs and exits, in the
//! pod and outside; then the ends of a pod of 64 containers, what an event costs the kernel, and what
//! waiting costs while main runs.

mod cost;
mod crowd;
mod exits;
mod probe;
mod storm;
pub(super) mod table;
mod waiting;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use copilot::track::Watcher;
use serde_json::json;

pub use self::probe::probe;
pub use self::storm::storm;
use self::{exits::Exits, storm::Storm};
use crate::bench::report::{Report, version_of_copilot};
use crate::pod::Pod;

/// The number of exits for watchers that scan `/proc`: each takes a tenth of a second, so fewer suffice.
const FEWER: usize = 10;

/// What to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How many exits each watcher sees under each load
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    exits: u32,
    /// Only this; may be given more than once
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Exits one after the other on a quiet machine
    Quiet,
    /// Exits under storms of processes, in the pod and outside
    Storm,
    /// The ends of a pod of 64 containers
    Crowd,
    /// What an event costs the kernel
    Cost,
    /// What waiting costs while main runs
    Waiting,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Extent {
    exits: usize,
    /// Containers of the crowd.
    containers: usize,
    /// Windows in which the cost of an event is measured, and their length.
    windows: usize,
    window: Duration,
    /// The pause after main's start, during which a watcher that scans `/proc` scans often.
    until_calm: Duration,
    /// How long waiting is measured.
    waiting: Duration,
}

impl Extent {
    fn of(options: &Options, part: bool) -> Result<Self> {
        if part {
            return Ok(Self {
                exits: 1,
                containers: 2,
                windows: 1,
                window: Duration::from_millis(100),
                until_calm: Duration::from_millis(100),
                waiting: Duration::from_millis(100),
            });
        }
        Ok(Self {
            exits: options.exits.try_into()?,
            containers: 64,
            windows: 15,
            window: Duration::from_millis(400),
            until_calm: Duration::from_secs(11),
            waiting: Duration::from_secs(10),
        })
    }
}

/// Measures.
pub fn run(program: &Path, copilot: &Path, options: &Options, part: bool) -> Result<Report> {
    let extent = Extent::of(options, part)?;
    let parameters = json!({
        "exits": extent.exits,
        "containers": extent.containers,
        "windows": extent.windows,
        "window_s": extent.window.as_secs_f64(),
        "waiting_s": extent.waiting.as_secs_f64(),
    });
    let mut report = Report::begin("detect", part, parameters)?;
    report.program("copilot", &version_of_copilot(copilot));
    let is_wanted = |part| options.only.is_empty() || options.only.contains(&part);
    if is_wanted(Part::Quiet) {
        let rows = [
            Exits::measure(program, Watcher::Ebpf, extent.exits)?,
            Exits::measure(program, Watcher::Pidfd, extent.exits)?,
            Exits::measure(program, Watcher::Proc, (extent.exits / FEWER).max(1))?,
        ];
        report.add(exits::case("quiet", &rows, None));
    }
    if is_wanted(Part::Storm) {
        in_storms(program, extent.exits, &mut report)?;
    }
    if is_wanted(Part::Crowd) {
        report.add(crowd::run(program, extent.containers)?);
    }
    if is_wanted(Part::Cost) {
        cost::run(program, extent.windows, extent.window, &mut report)?;
    }
    if is_wanted(Part::Waiting) {
        waiting::run(
            program,
            copilot,
            extent.until_calm,
            extent.waiting,
            &mut report,
        )?;
    }
    Ok(report)
}

fn in_storms(program: &Path, exits: usize, report: &mut Report) -> Result<()> {
    let pod = Pod::create()?;
    let storm = Storm::start(&pod, program)?;
    let measured = Exits::measure_in(&pod, program, Watcher::Ebpf, exits)?;
    let rate = storm.stop()?;
    report.add(exits::case("storm in the pod", &[measured], Some(rate)));

    let elsewhere = Pod::create()?;
    let storm = Storm::paced(&elsewhere, program)?;
    let rows = [
        Exits::measure(program, Watcher::Ebpf, exits)?,
        Exits::measure(program, Watcher::Pidfd, exits)?,
    ];
    let rate = storm.stop()?;
    report.add(exits::case("storm in another pod", &rows, Some(rate)));
    Ok(())
}

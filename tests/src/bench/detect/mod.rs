//! How soon is main's end known? Measures the time from the process's own last time stamp until a watcher
//! reports its end, compared with its parent, which is blocked in wait(2).
//!
//! Each watcher on a quiet machine; the kernel's events also under storms of execs and exits, in the
//! pod and outside; then the ends of a pod of 64 containers, what an event costs the kernel, and what
//! waiting costs while main runs.

#[cfg(feature = "ebpf")]
mod cost;
mod crowd;
mod exits;
mod probe;
mod storm;
mod waiting;

use std::path::Path;

use anyhow::Result;
use copilot::track::Watcher;

pub use self::probe::probe;
pub use self::storm::storm;
use self::{exits::Exits, storm::Storm};
use crate::pod::Pod;

/// The number of exits for watchers that scan `/proc`: each takes a tenth of a second, so fewer suffice.
const FEWER: usize = 10;

/// Measures, and prints the results.
pub fn run(program: &Path, copilot: &Path, exits: usize) -> Result<()> {
    println!(
        "{exits} exits each (proc: {}); \u{b5}s from the process's last own time stamp",
        exits / FEWER
    );
    exits::print_head();
    for watcher in [Watcher::Ebpf, Watcher::Pidfd] {
        Exits::measure(program, watcher, exits)?.print("quiet");
    }
    Exits::measure(program, Watcher::Proc, (exits / FEWER).max(1))?.print("quiet");
    in_storms(program, exits)?;
    crowd::run(program)?;
    #[cfg(feature = "ebpf")]
    cost::run(program)?;
    waiting::run(program, copilot)
}

/// Measures only what an event costs the kernel.
#[cfg(feature = "ebpf")]
pub fn cost(program: &Path) -> Result<()> {
    cost::run(program)
}

fn in_storms(program: &Path, exits: usize) -> Result<()> {
    let pod = Pod::create()?;
    let storm = Storm::start(&pod, program)?;
    let measured = Exits::measure_in(&pod, program, Watcher::Ebpf, exits)?;
    let rate = storm.stop()?;
    measured.print("storm");
    println!("  storm: {rate:.0} execs and exits a second in another container of the same pod");

    let elsewhere = Pod::create()?;
    let storm = Storm::paced(&elsewhere, program)?;
    for watcher in [Watcher::Ebpf, Watcher::Pidfd] {
        Exits::measure(program, watcher, exits)?.print("foreign");
    }
    let rate = storm.stop()?;
    println!("  foreign: {rate:.0} execs and exits a second in another pod");
    Ok(())
}

//! Exits one after the other, each with a new watcher.

use std::{path::Path, time::Duration};

use anyhow::{Result, bail};
use copilot::track::{
    Event, ExitStatus, Timestamp, Tracker, Transition,
    identify::Rules,
    place::Place,
    source::{
        Focus,
        selection::{Surroundings, Watcher, select},
    },
};

use super::probe::{CODE, Probe};
use crate::bench::figures::{percentile, ratio};
use crate::pod::Pod;

/// The times of one exit, from the process's own last time stamp.
struct Sample {
    /// Until the watcher noticed it, according to the watcher.
    noticed: Duration,
    /// Until the tracker had reported how main ended.
    known: Duration,
    /// Until its parent's wait had returned.
    waited: Duration,
}

/// The times of many exits.
pub struct Exits {
    watcher: Watcher,
    samples: Vec<Sample>,
    lost: u64,
}

/// The heading of what [`Exits::print`] prints.
pub fn print_head() {
    println!(
        "load    who    noticed p50  p99   | known p50    p99 | wait p50    p99 | noticed, known p50, known p99 as ratio to wait | ahead | lost"
    );
}

impl Exits {
    /// Measures exits in a new pod.
    pub fn measure(program: &Path, watcher: Watcher, count: usize) -> Result<Self> {
        Self::measure_in(&Pod::create()?, program, watcher, count)
    }

    /// Measures exits in this pod, each in a new container.
    pub fn measure_in(pod: &Pod, program: &Path, watcher: Watcher, count: usize) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut exits = Self {
            watcher,
            samples: Vec::with_capacity(count),
            lost: 0,
        };
        for _ in 0..count {
            let (sample, lost) = runtime.block_on(one_exit(pod, program, watcher))?;
            exits.samples.push(sample);
            exits.lost += lost;
        }
        Ok(exits)
    }

    /// Prints one line of the table.
    pub fn print(&self, load: &str) {
        let at = |of: fn(&Sample) -> Duration, percent| {
            let mut values: Vec<Duration> = self.samples.iter().map(of).collect();
            values.sort_unstable();
            percentile(&values, percent)
        };
        let noticed = |percent| at(|sample| sample.noticed, percent);
        let known = |percent| at(|sample| sample.known, percent);
        let waited = |percent| at(|sample| sample.waited, percent);
        let ahead = |sample: &&Sample| sample.known < sample.waited;
        println!(
            "{load:<7} {:<6} {:>8} {:>8} | {:>8} {:>8} | {:>6} {:>6} | {:.2} {:.2} {:.2} | {:.1} % | {}",
            self.watcher.name(),
            noticed(50).as_micros(),
            noticed(99).as_micros(),
            known(50).as_micros(),
            known(99).as_micros(),
            waited(50).as_micros(),
            waited(99).as_micros(),
            ratio(noticed(50), waited(50)),
            ratio(known(50), waited(50)),
            ratio(known(99), waited(99)),
            share(
                self.samples.iter().filter(ahead).count(),
                self.samples.len()
            ),
            self.lost,
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]
fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}

/// Attaches the watcher, runs a process in a new container, and returns its times.
async fn one_exit(pod: &Pod, program: &Path, watcher: Watcher) -> Result<(Sample, u64)> {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let name = format!(
        "main-{}",
        NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    );
    let place = Place::find(Some(pod.directory()));
    let mut sources = select(&[watcher], &Surroundings::from_place(&place))
        .await?
        .sources;
    let mut tracker = Tracker::new(Rules {
        main_container: Some(name.clone()),
        ..Rules::default()
    });
    let mut probe = Probe::start(pod, &name, program)?;
    let mut lost = 0;
    let (status, noticed, known) = loop {
        let (_, event) = sources.next().await;
        if let Event::Lost { count, .. } = event {
            lost += count;
        }
        let mut end = None;
        for transition in tracker.observe(event) {
            match transition {
                Transition::MainStarted { .. } => {
                    sources.focus(&Focus::from(&tracker));
                    probe.let_go()?;
                }
                Transition::MainExited { status, at } => {
                    end = Some((status, at, Timestamp::now()));
                }
                Transition::MainFound { .. }
                | Transition::MainInDoubt { .. }
                | Transition::MainDismissed
                | Transition::MainMarked { .. } => {}
            }
        }
        if let Some(end) = end {
            break end;
        }
    };
    let is_right = status == ExitStatus::Code(CODE);
    if !is_right && status != ExitStatus::Unknown {
        bail!("{} took the exit for: {status}", sources.names());
    }
    let (stamp, waited) = probe.end()?;
    let sample = Sample {
        noticed: noticed.since(stamp),
        known: known.since(stamp),
        waited: waited.since(stamp),
    };
    Ok((sample, lost))
}

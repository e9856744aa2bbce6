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
use serde_json::json;

use super::probe::{CODE, Probe};
use crate::bench::report::{Case, Row, Run};
use crate::pod::Pod;

/// The times of one exit, from the process's own last time stamp.
struct Sample {
    /// Until the watcher noticed it, according to the watcher.
    noticed: Duration,
    /// Until the tracker had reported how main ended.
    known: Duration,
    /// Until its parent's wait had returned.
    waited: Duration,
    /// Events that the kernel lost meanwhile.
    lost: f64,
}

/// The times of many exits.
pub struct Exits {
    watcher: Watcher,
    samples: Vec<Sample>,
}

/// The exits that some watchers saw under one load. `rate` is how many processes a second the load started.
pub fn case(load: &str, exits: &[Exits], rate: Option<f64>) -> Case {
    Case {
        table: "exits".to_owned(),
        name: rate.map_or_else(
            || load.to_owned(),
            |rate| format!("{load}, {rate:.0} processes a second"),
        ),
        parameters: json!({"processes_per_s": rate}),
        rows: exits.iter().map(Exits::row).collect(),
    }
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
        };
        for _ in 0..count {
            let sample = runtime.block_on(one_exit(pod, program, watcher))?;
            exits.samples.push(sample);
        }
        Ok(exits)
    }

    fn row(&self) -> Row {
        let runs = self.samples.iter().map(|sample| {
            Run::new([
                ("noticed_us", microseconds(sample.noticed)),
                ("known_us", microseconds(sample.known)),
                ("waited_us", microseconds(sample.waited)),
                ("ahead", f64::from(u8::from(sample.known < sample.waited))),
                ("lost_events", sample.lost),
            ])
        });
        Row::new(self.watcher.name(), runs.collect())
    }
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Attaches the watcher, runs a process in a new container, and returns its times.
async fn one_exit(pod: &Pod, program: &Path, watcher: Watcher) -> Result<Sample> {
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
    let mut lost = 0.0;
    let (status, noticed, known) = loop {
        let (_, event) = sources.next().await;
        if let Event::Lost { count, .. } = event {
            #[expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]
            let count = count as f64;
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
    Ok(Sample {
        noticed: noticed.since(stamp),
        known: known.since(stamp),
        waited: waited.since(stamp),
        lost,
    })
}

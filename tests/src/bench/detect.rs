//! How soon is main's end known? From the process's own last time stamp until the tracker says so,
//! beside its parent, which is blocked in wait(2).
//!
//! Once on a quiet machine, once under a storm of execs and exits in another container of the pod,
//! two loops that start processes as fast as they can.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use copilot::track::{
    Event, ExitStatus, Timestamp, Tracker, Transition,
    identify::Rules,
    place::Place,
    source::{
        Sources,
        ladder::{Surroundings, Watcher, climb},
    },
};

use super::figures::{percentile, ratio};
use crate::pod::Pod;

/// The exit code of the process that is watched.
const CODE: u8 = 7;

/// Two for the two cores that these machines have.
const STORM_LOOPS: usize = 2;

/// What one exit took.
struct Sample {
    tracker: Duration,
    waiter: Duration,
}

/// Measures and prints.
pub fn run(program: &Path, exits: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    println!("{exits} exits each; µs from the process's last own time stamp");
    println!("load   who    p50    p99   | p50 and p99 as ratio to wait | ahead of wait | lost");
    for storm in [false, true] {
        let pod = Pod::create()?;
        let load = if storm {
            Storm::start(&pod, program)?
        } else {
            Storm::none()
        };
        let mut samples = Vec::with_capacity(exits);
        let mut lost = 0;
        for _ in 0..exits {
            let (sample, missed) = runtime.block_on(one_exit(&pod, program))?;
            samples.push(sample);
            lost += missed;
        }
        let rate = load.stop()?;
        print(storm, rate, &samples, lost);
    }
    Ok(())
}

fn print(storm: bool, rate: Option<f64>, samples: &[Sample], lost: u64) {
    let sorted = |of: fn(&Sample) -> Duration| {
        let mut values: Vec<Duration> = samples.iter().map(of).collect();
        values.sort_unstable();
        values
    };
    let tracker = sorted(|sample| sample.tracker);
    let waiter = sorted(|sample| sample.waiter);
    let load = if storm { "storm" } else { "quiet" };
    for (who, values) in [("ebpf", &tracker), ("wait", &waiter)] {
        print!(
            "{load:<6} {who:<5} {:>6} {:>6}",
            percentile(values, 50).as_micros(),
            percentile(values, 99).as_micros()
        );
        if who == "ebpf" {
            let ahead = samples
                .iter()
                .filter(|sample| sample.tracker < sample.waiter)
                .count();
            print!(
                "  | {:.2} {:.2} | {:.1} % | {lost}",
                ratio(percentile(&tracker, 50), percentile(&waiter, 50)),
                ratio(percentile(&tracker, 99), percentile(&waiter, 99)),
                share(ahead, samples.len())
            );
        }
        println!();
    }
    if let Some(rate) = rate {
        println!("storm: {rate:.0} execs and exits a second, in a container of the same pod");
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]
fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}

/// Attaches, runs a process in a container of its own, and takes both times.
async fn one_exit(pod: &Pod, program: &Path) -> Result<(Sample, u64)> {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let name = format!(
        "main-{}",
        NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    );
    let place = Place::find(Some(pod.directory()));
    let mut sources = climb(&[Watcher::Ebpf], &Surroundings::of(&place))?.sources;
    let mut tracker = Tracker::new(Rules {
        main_container: Some(name.clone()),
        ..Rules::default()
    });
    let mut probe = Probe::start(pod, &name, program)?;
    let mut lost = 0;
    let known = loop {
        let (_, event) = sources.next().await;
        if let Event::Lost { count, .. } = event {
            lost += count;
        }
        let mut known = None;
        for transition in tracker.observe(event) {
            match transition {
                Transition::MainStarted { .. } => {
                    sources.focus(&tracker);
                    probe.let_go()?;
                }
                Transition::MainExited { status, .. } => known = Some((status, Timestamp::now())),
                Transition::MainFound { .. } | Transition::MainMarked { .. } => {}
            }
        }
        if let Some(known) = known {
            break known;
        }
    };
    finish(probe, known, &sources).map(|sample| (sample, lost))
}

fn finish(probe: Probe, known: (ExitStatus, Timestamp), sources: &Sources) -> Result<Sample> {
    let (status, at) = known;
    if status != ExitStatus::Code(CODE) {
        bail!("{} took the exit for: {status}", sources.names());
    }
    let (last, waited) = probe.end()?;
    Ok(Sample {
        tracker: at.since(last),
        waiter: waited.since(last),
    })
}

/// The process that is watched, and the parent that waits for it on a thread of its own.
struct Probe {
    input: Option<std::process::ChildStdin>,
    waiter: thread::JoinHandle<Result<Timestamp, std::io::Error>>,
    stamp: PathBuf,
}

impl Probe {
    fn start(pod: &Pod, container: &str, program: &Path) -> Result<Self> {
        let stamp = PathBuf::from(format!(
            "/dev/shm/copilot-bench-{}-{container}",
            std::process::id()
        ));
        let mut child = pod
            .command(container, program)?
            .args(["--copilot", "-", "probe"])
            .arg(&stamp)
            .stdin(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let waiter = thread::spawn(move || {
            child.wait()?;
            Ok(Timestamp::now())
        });
        Ok(Self {
            input,
            waiter,
            stamp,
        })
    }

    /// The waiter blocks by now: the process may end.
    fn let_go(&mut self) -> Result<()> {
        thread::sleep(Duration::from_millis(2));
        let mut input = self.input.take().context("the process was let go twice")?;
        Ok(input.write_all(b".")?)
    }

    /// The process's last time stamp, and when its parent knew.
    fn end(self) -> Result<(Timestamp, Timestamp)> {
        let waited = self
            .waiter
            .join()
            .map_err(|_| anyhow::anyhow!("the waiting thread failed"))??;
        let stamp = fs::read(&self.stamp)?;
        fs::remove_file(&self.stamp)?;
        let stamp: [u8; 8] = stamp
            .as_slice()
            .try_into()
            .context("the process left no time stamp")?;
        Ok((Timestamp(u64::from_ne_bytes(stamp)), waited))
    }
}

/// The part of the process that is watched: waits for a byte, leaves a time stamp, ends.
pub fn probe(stamp: &Path) -> Result<()> {
    let file = fs::File::create(stamp)?;
    std::io::stdin().read_exact(&mut [0])?;
    file.write_all_at(&Timestamp::now().0.to_ne_bytes(), 0)?;
    std::process::exit(CODE.into());
}

/// Processes that start and end, one after the other, as fast as they can.
struct Storm {
    loops: Vec<Child>,
    started: Instant,
}

impl Storm {
    fn none() -> Self {
        Self {
            loops: Vec::new(),
            started: Instant::now(),
        }
    }

    fn start(pod: &Pod, program: &Path) -> Result<Self> {
        let mut storm = Self::none();
        for _ in 0..STORM_LOOPS {
            let child = pod
                .command("storm", program)?
                .args(["--copilot", "-", "storm"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            storm.loops.push(child);
        }
        thread::sleep(Duration::from_millis(200));
        Ok(storm)
    }

    /// Ends the loops; returns how many processes ran a second.
    fn stop(self) -> Result<Option<f64>> {
        if self.loops.is_empty() {
            return Ok(None);
        }
        let mut count = 0_u32;
        let seconds = self.started.elapsed().as_secs_f64();
        for mut child in self.loops {
            drop(child.stdin.take());
            let output = child.wait_with_output()?;
            count += String::from_utf8(output.stdout)?.trim().parse::<u32>()?;
        }
        Ok(Some(f64::from(count) / seconds))
    }
}

/// One loop of the storm: runs until its input is closed, then says how many processes it ran.
pub fn storm() -> Result<()> {
    let closed = thread::spawn(|| std::io::stdin().read(&mut [0]));
    let mut count = 0_u32;
    while !closed.is_finished() {
        Command::new("/bin/true").status()?;
        count += 1;
    }
    println!("{count}");
    Ok(())
}

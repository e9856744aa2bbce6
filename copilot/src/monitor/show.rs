//! The loop: events come, lines and tables go out, until a signal or until nobody reads.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use procfs::ProcError;
use thiserror::Error;
use tokio::time::{Instant, sleep_until};

use super::line::{Line, of_event, of_transition};
use super::pods::WatchedPods;
use super::request::MonitorRequest;
use super::table::table;
use crate::idl;
use crate::literal::datetime;
use crate::report::one_line;
use crate::termination::Termination;
use crate::track::{AttachError, Timestamp};

/// How often new pods are looked for with `--all`.
const LOOK: Duration = Duration::from_secs(1);

/// How often the table is drawn at most: eyes are no faster.
const DRAW: Duration = Duration::from_millis(100);

/// The last lines, which stand below the table.
const LAST: usize = 10;

/// Clears a terminal, and goes to its first line.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Why nothing can be shown.
#[derive(Debug, Error)]
pub enum MonitorError {
    /// A watcher that was named does not work here, or a flag names a wrong directory.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// No source emits events.
    #[error(
        "no watcher that works here shows a process ({0} only). `copilot doctor` says why, and what would help"
    )]
    Blind(String),
    /// Our mounts cannot be read.
    #[error("our mounts cannot be read, so the node's cgroups cannot be found: {0}")]
    Mounts(#[source] ProcError),
    /// No hierarchy is mounted.
    #[error(
        "--all needs the node's cgroup2 hierarchy, and none is mounted here. Mount /sys/fs/cgroup of the node (a \
         hostPath volume), or name one pod with --pod-cgroup"
    )]
    NoCgroups,
    /// The node's cgroups cannot be read, or the output cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Shows events until a signal comes, or until nobody reads any more. `is_terminal`: of `out`, and no JSON is
/// wanted.
///
/// # Errors
/// No source works here, or the output cannot be written.
pub async fn run(
    request: &MonitorRequest,
    termination: &mut Termination,
    out: &mut dyn Write,
    is_terminal: bool,
) -> Result<(), MonitorError> {
    let pods = WatchedPods::attach(request).await?;
    let screen = Screen {
        json: request.json,
        is_terminal: is_terminal && !request.json,
        last: Vec::new(),
        due: Some(Instant::now()),
    };
    let shown = show(request, pods, screen, termination, out).await;
    match shown {
        // `| head` has what it wants.
        Err(MonitorError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        shown => shown,
    }
}

async fn show(
    request: &MonitorRequest,
    mut pods: WatchedPods,
    mut screen: Screen,
    termination: &mut Termination,
    out: &mut dyn Write,
) -> Result<(), MonitorError> {
    let time = clock();
    let mut look = Instant::now();
    loop {
        tokio::select! {
            () = termination.received() => return Ok(()),
            () = sleep_until(look), if request.all => {
                let (come, gone) = pods.renew().await?;
                // There may be more of them.
                look = Instant::now() + if come.is_some() { Duration::ZERO } else { LOOK };
                let come = come.map(|name| ("pod-seen", name));
                let gone = gone.into_iter().map(|name| ("pod-gone", name));
                for (event, name) in come.into_iter().chain(gone) {
                    let line = Line {
                        time: time(Timestamp::now()),
                        pod: Some(name),
                        source: "cgroups",
                        event,
                        ..Line::default()
                    };
                    screen.line(&line, out)?;
                }
            }
            () = due(screen.due) => screen.draw(&pods, out)?,
            (index, source, event) = pods.next() => {
                let transitions = pods.observe(index, event.clone());
                let pod = &pods.pods()[index];
                let line = of_event(source, &event, &pod.tracker, &time);
                let concluded = transitions.iter();
                let concluded = concluded.map(|it| of_transition(it, &pod.tracker, &time));
                for line in line.into_iter().chain(concluded) {
                    let pod = pod.name.clone();
                    screen.line(&Line { pod, ..line }, out)?;
                }
            }
        }
    }
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Turns boot time into the time of day.
fn clock() -> impl Fn(Timestamp) -> String {
    let (boot, day) = (Timestamp::now(), SystemTime::now());
    move |at| {
        let time = if at >= boot {
            day + at.since(boot)
        } else {
            day - boot.since(at)
        };
        datetime::format(&idl::Timestamp::from(time))
    }
}

/// What is shown, and when it is drawn again.
struct Screen {
    json: bool,
    is_terminal: bool,
    last: Vec<String>,
    due: Option<Instant>,
}

impl Screen {
    fn line(&mut self, line: &Line, out: &mut dyn Write) -> io::Result<()> {
        if !self.is_terminal {
            let text = if self.json { line.json() } else { line.text() };
            // In one call, so that a reader gets whole lines.
            out.write_all(format!("{text}\n").as_bytes())?;
            return out.flush();
        }
        self.last.push(line.text());
        let surplus = self.last.len().saturating_sub(LAST);
        self.last.drain(..surplus);
        self.due.get_or_insert(Instant::now() + DRAW);
        Ok(())
    }

    fn draw(&mut self, pods: &WatchedPods, out: &mut dyn Write) -> io::Result<()> {
        self.due = None;
        if !self.is_terminal {
            return Ok(());
        }
        let each = pods.pods().iter();
        let each: Vec<_> = each
            .map(|pod| (pod.name.clone(), pod.tracker.overview()))
            .collect();
        let table = table(&each, Timestamp::now());
        let last: Vec<String> = self.last.iter().map(|line| one_line(line)).collect();
        let text = format!("{CLEAR}{table}\n{}\n", last.join("\n"));
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

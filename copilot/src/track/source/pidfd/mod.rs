//! The `pidfd` source: a descriptor (pidfd) of each container's first process.
//!
//! Needs a shared pid namespace, and no capability. Finds processes by scans of `/proc`, often while
//! main is expected and rarely once it runs: from then on the descriptor wakes us at main's end. From
//! Linux 6.15 on it also yields the exit status, once the parent has reaped the process. The
//! descriptor is opened at first sight of a pid, before anything of the process is read, because on a
//! busy node the process may end meanwhile.
//!
//! Cannot see a main that begins and ends between two scans, unless a scan saw its container in the
//! making; nor whether the OOM killer sent the signal; nor, on older kernels, how main ended.

mod process;

pub use process::learns_status;

use std::{
    collections::{BTreeMap, VecDeque},
    future::pending,
    io,
    time::{Duration, Instant},
};

use futures_util::future::select_all;
use thiserror::Error;
use tracing::{debug, warn};

use self::process::{EarlyDescriptors, WatchedProcess};
use super::{HIDDEN, HIDEPID, Polling, tick::Tick};
use crate::limits;
use crate::track::{
    ContainerId, Event, ExitStatus, ProcessId, Timestamp,
    place::Place,
    process::TICK,
    scan::{Scanner, UnreadableProcesses, has_news},
};

/// Pauses between scans once main runs: another main may be about to start, and only a scan finds it.
/// The pauses soon grow, because a wake-up costs CPU time that main could use: our limit is one in ten
/// seconds.
const WHILE_RUNNING: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(700),
    Duration::from_secs(2),
    Duration::from_secs(7),
    Duration::from_secs(20),
];

/// Why the `pidfd` source does not work here.
#[derive(Debug, Error)]
pub enum PidfdError {
    /// Other containers' processes have no pid in our pid namespace.
    #[error(
        "the pod does not share its pid namespace, so we see no other container's processes; \
         set `shareProcessNamespace: true` in the pod, or give the sidecar CAP_BPF and CAP_PERFMON"
    )]
    NotShared,
    /// `/proc` hides them.
    #[error("{HIDEPID}")]
    Hidden,
    /// We see the processes of other pods as well.
    #[error("{HIDDEN}")]
    PodUntold,
    /// They cannot be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableProcesses),
    /// The kernel has no pidfds, or the seccomp profile forbids them.
    #[error(
        "the kernel refuses pidfd_open ({0}): pidfd needs Linux 5.3 or newer, and a seccomp profile \
         that allows pidfd_open"
    )]
    Refused(#[source] io::Error),
    /// The kernel refuses a timer.
    #[error("the kernel refuses a timer ({0})")]
    Timer(#[source] io::Error),
}

/// A first process that has ended, and whose status is not known yet.
#[derive(Debug)]
struct EndedProcess {
    container: ContainerId,
    process: WatchedProcess,
    /// Whether it was still a runtime's; `None` if that could not be read any more.
    is_runtimes: Option<bool>,
}

impl EndedProcess {
    /// The events of its end. A process whose start was not reported either ran its program between two
    /// scans, or was a runtime's to the end.
    fn events(self, status: ExitStatus) -> Vec<Event> {
        let Self {
            container,
            process,
            is_runtimes,
        } = self;
        let (id, at) = (process.id, process.ended_at());
        let start_reported = process.start_reported;
        if !start_reported {
            debug!(pid = %id, %container, ?is_runtimes, "ended before it was seen to run its program");
        }
        if !start_reported && is_runtimes == Some(true) {
            return vec![Event::ContainerExited {
                container,
                status: ExitStatus::NotStarted,
                at,
                alive: at,
            }];
        }
        let status = match status {
            ExitStatus::Code(code) if code != 0 && !start_reported && is_runtimes.is_none() => {
                ExitStatus::EarlyCode(code)
            }
            status => status,
        };
        let start = Event::ProcessStarted {
            process: id,
            container: container.clone(),
            at: Timestamp(id.started * TICK),
            entered: true,
        };
        let end = Event::ProcessExited {
            process: id,
            container: Some(container),
            status,
            at,
        };
        let start = (!start_reported).then_some(start);
        start.into_iter().chain([end]).collect()
    }
}

/// Watches first processes.
#[derive(Debug)]
pub struct PidfdSource {
    place: Place,
    scanner: Scanner,
    polling: Polling,
    queue: VecDeque<Event>,
    /// The oldest process of each container that entered from outside.
    first: BTreeMap<ContainerId, WatchedProcess>,
    /// A process that has ended, until its status is known.
    ended: Option<EndedProcess>,
    /// First processes that could not be watched yet, and whether their start was reported.
    unwatched: BTreeMap<ContainerId, (ProcessId, bool)>,
    changed: Instant,
    /// When the last full scan was done.
    scanned: Option<Instant>,
    /// How many scans were done since main runs; `None` before.
    scans: Option<usize>,
    begun: bool,
    /// Descriptors of pids whose processes were not read yet.
    early: EarlyDescriptors,
    tick: Tick,
}

impl PidfdSource {
    /// A source that has not scanned yet.
    ///
    /// # Errors
    ///
    /// The pod does not share its pid namespace, its processes cannot be read, or the kernel refuses a descriptor or
    /// a timer.
    pub fn new(place: &Place, polling: Polling) -> Result<Self, PidfdError> {
        if place.hides_processes {
            return Err(PidfdError::Hidden);
        }
        if !place.shares_pids() {
            return Err(PidfdError::NotShared);
        }
        if place.hides_the_pod() {
            return Err(PidfdError::PodUntold);
        }
        process::try_out().map_err(PidfdError::Refused)?;
        let scanner = Scanner::new(place.clone());
        scanner.try_out()?;
        Ok(Self {
            place: place.clone(),
            scanner,
            polling,
            queue: VecDeque::new(),
            first: BTreeMap::new(),
            ended: None,
            unwatched: BTreeMap::new(),
            changed: Instant::now(),
            scanned: None,
            scans: None,
            begun: false,
            early: EarlyDescriptors::default(),
            tick: Tick::every(polling.fast).map_err(PidfdError::Timer)?,
        })
    }

    /// The next event. Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            if self.ended.is_some() {
                self.emit_end().await;
            } else if self.begun {
                self.wait().await;
            } else {
                self.begun = true;
                self.scan();
            }
        }
    }

    /// Why it does not see all processes at this moment, in words.
    pub fn failure(&self) -> Option<&str> {
        self.scanner.failure()
    }

    /// Why it once did not see all processes, in words.
    pub fn gap(&self) -> Option<&str> {
        self.scanner.gap()
    }

    /// Sets whether main runs: if so, its descriptor reports its end, and scans become rare.
    pub fn focus(&mut self, main_runs: bool) {
        if self.scans.is_some() != main_runs {
            self.scans = main_runs.then_some(0);
            self.changed = Instant::now();
            self.set_pause();
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            biased;
            container = first_end(&self.first) => {
                let process = self.first.remove(&container);
                // At once, because the process vanishes when its parent reaps it.
                let is_runtimes = process
                    .as_ref()
                    .and_then(|process| self.scanner.ended_as_runtimes(process.id));
                // A second main may have begun, and its start must be emitted before this end.
                // Meanwhile the parent reaps the process.
                self.open_early();
                let newcomers = self.scanner.newcomers();
                self.take(newcomers);
                self.ended = process.map(|process| EndedProcess {
                    container,
                    process,
                    is_runtimes,
                });
            }
            () = self.tick.passed() => self.scan(),
        }
    }

    /// Waits for the status of the process that has ended, and emits its end.
    async fn emit_end(&mut self) {
        let Some(ended) = &mut self.ended else {
            return;
        };
        let status = ended.process.status().await;
        let Some(ended) = self.ended.take() else {
            return;
        };
        self.queue.extend(ended.events(status));
    }

    /// Looks at new processes, and at all of them when a full scan is due. While main is expected a scan
    /// must be short: a process that begins and ends during one is missed.
    fn scan(&mut self) {
        self.open_early();
        let is_due = self
            .scanned
            .is_none_or(|at| at.elapsed() >= self.polling.slow);
        let seen = if self.scans.is_some() || !self.unwatched.is_empty() || is_due {
            let seen = self.scanner.scan();
            self.scanned = Some(Instant::now());
            seen
        } else {
            self.scanner.newcomers()
        };
        self.take(seen);
        self.scans = self.scans.map(|scans| scans + 1);
        self.set_pause();
    }

    /// Watches the first processes that a scan has found, and queues the scan's events.
    fn take(&mut self, mut seen: Vec<Event>) {
        if has_news(&seen) {
            self.changed = Instant::now();
        }
        for event in &seen {
            if let Event::ProcessStarted {
                process,
                container,
                entered: true,
                ..
            } = event
            {
                self.watch(container, *process, true);
            }
        }
        for (process, container) in self.scanner.in_the_making() {
            self.watch(&container, process, false);
        }
        for (container, (process, start_reported)) in self.unwatched.clone() {
            self.watch(&container, process, start_reported);
        }
        for event in &mut seen {
            if let Event::Scanned { alive, .. } = event {
                // A watched process may have ended before the scan: its descriptor reports that, with
                // the status.
                let watched = self.first.values();
                alive.extend(watched.map(|process| process.id));
            }
        }
        // The next scan reads the processes that came during this one.
        self.open_early();
        self.queue.extend(seen);
    }

    /// Opens descriptors of the processes that the next look may find.
    fn open_early(&mut self) {
        let pids = self.scanner.unassigned_pids().unwrap_or_default();
        self.early.open(&pids);
    }

    fn watch(&mut self, container: &ContainerId, id: ProcessId, start_reported: bool) {
        if self.place.is_own(container) {
            return;
        }
        let before = self.unwatched.remove(container);
        match self.first.get_mut(container) {
            Some(first) if first.id < id => return,
            Some(first) if first.id == id => {
                first.start_reported |= start_reported;
                return;
            }
            _ => {}
        }
        match WatchedProcess::open(&self.place, id, start_reported, &mut self.early) {
            Ok(Some(process)) => {
                self.first.insert(container.clone(), process);
            }
            Ok(None) => debug!(pid = %id, %container, "gone before it could be watched"),
            Err(error) => {
                if before.is_none() {
                    let advice = limits::advice(&error).unwrap_or_default();
                    warn!(
                        pid = %id, %container, %error, advice,
                        "a process cannot be watched yet: this is tried again, and scans of /proc show its end"
                    );
                }
                let of_the_oldest = before.filter(|(before, _)| *before < id);
                self.unwatched.insert(
                    container.clone(),
                    of_the_oldest.unwrap_or((id, start_reported)),
                );
            }
        }
    }

    fn set_pause(&mut self) {
        let pause = match self.scans {
            Some(_) if !self.unwatched.is_empty() => self.polling.slow,
            Some(scans) => WHILE_RUNNING[scans.min(WHILE_RUNNING.len() - 1)],
            None => {
                let in_the_making = !self.scanner.in_the_making().is_empty();
                self.polling
                    .before_start(self.changed.elapsed(), in_the_making)
            }
        };
        if let Err(error) = self.tick.change(pause) {
            debug!(%error, ?pause, "the timer keeps its interval");
        }
    }
}

/// Waits until a process ends; returns its container.
async fn first_end(first: &BTreeMap<ContainerId, WatchedProcess>) -> ContainerId {
    if first.is_empty() {
        return pending().await;
    }
    let ends = first.iter().map(|(container, process)| {
        Box::pin(async move {
            process.ended().await;
            container.clone()
        })
    });
    select_all(ends).await.0
}

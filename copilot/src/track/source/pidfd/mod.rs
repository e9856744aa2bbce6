//! Watching first processes by a descriptor of each (pidfd), without any capability.
//!
//! Needs a shared pid namespace. Who is there is found out by looking at `/proc`, often while main is
//! expected and hardly ever once it runs: from then on the descriptor wakes us at the process's end,
//! and on newer kernels (6.15) tells how it ended, as soon as the parent has been told. A descriptor is
//! opened at first sight of a pid, before anything of the process is read: a slow node does not
//! wait.
//! Cannot see a main that began and ended between two looks, unless its container was seen in the
//! making; nor whether the OOM killer sent the signal; nor, on older kernels, how main ended.

mod process;

pub use process::tells_status;

use std::{
    collections::{BTreeMap, VecDeque},
    future::pending,
    io,
    time::{Duration, Instant},
};

use futures_util::future::select_all;
use thiserror::Error;
use tracing::{debug, warn};

use self::process::{Sighted, WatchedProcess};
use super::{Polling, tick::Tick};
use crate::track::{
    ContainerId, Event, ExitStatus, ProcessId, Timestamp,
    place::Place,
    process::TICK,
    scan::{Scanner, tells_news},
};

/// Pauses between looks once main runs: another main may be about to start, and nobody else tells.
/// Soon one wake-up in ten seconds is all that main may pay for.
const WHILE_RUNNING: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(700),
    Duration::from_secs(2),
    Duration::from_secs(7),
    Duration::from_secs(20),
];

/// Why no process can be watched.
#[derive(Debug, Error)]
pub enum PidfdError {
    /// Other containers' processes have no pid here.
    #[error(
        "the pod does not share its pid namespace, so no other container's process has a pid here; \
         set `shareProcessNamespace: true` in the pod, or give the sidecar CAP_BPF and CAP_PERFMON"
    )]
    NotShared,
    /// The kernel has no pidfds, or the seccomp profile forbids them.
    #[error(
        "the kernel gives no descriptor of a process ({0}): it takes Linux 5.3 or newer, and a seccomp profile that allows pidfd_open"
    )]
    Refused(#[source] io::Error),
    /// No timer.
    #[error("no timer could be made: {0}")]
    Timer(#[source] io::Error),
}

/// A process that has ended.
#[derive(Debug)]
struct Ending {
    container: ContainerId,
    process: WatchedProcess,
    /// Whether it was still the runtime's, if anybody can say.
    is_runtimes: Option<bool>,
}

impl Ending {
    /// What is told of it. One that was not seen to run its program either ran it between two looks, or
    /// was the runtime's to its end.
    fn tell(self, status: ExitStatus) -> Vec<Event> {
        let Self {
            container,
            process,
            is_runtimes,
        } = self;
        let (id, at) = (process.id, process.ended_at());
        let is_told = process.is_told;
        if !is_told {
            debug!(pid = %id, %container, ?is_runtimes, "ended before it was seen to run its program");
        }
        if !is_told && is_runtimes == Some(true) {
            return vec![Event::ContainerExited {
                container,
                status: ExitStatus::NotStarted,
                at,
                alive: at,
            }];
        }
        let status = match status {
            ExitStatus::Code(code) if code != 0 && !is_told && is_runtimes.is_none() => {
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
        let start = (!is_told).then_some(start);
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
    /// The oldest process of each container that came from outside.
    first: BTreeMap<ContainerId, WatchedProcess>,
    /// One that has ended, while its status is asked for.
    ending: Option<Ending>,
    /// A process could not be watched: only looking will tell of its end.
    must_look_often: bool,
    changed: Instant,
    /// When all processes were looked at last.
    all_seen: Option<Instant>,
    /// How many looks have been made since main runs.
    looks: Option<usize>,
    begun: bool,
    /// Descriptors of pids that were seen, and of which nothing has been read yet.
    sighted: Sighted,
    tick: Tick,
}

impl PidfdSource {
    /// Begins to watch, unless there can be nobody to see.
    pub fn new(place: &Place, polling: Polling) -> Result<Self, PidfdError> {
        if !place.shares_pids() {
            return Err(PidfdError::NotShared);
        }
        process::try_out().map_err(PidfdError::Refused)?;
        Ok(Self {
            place: place.clone(),
            scanner: Scanner::new(place.clone()),
            polling,
            queue: VecDeque::new(),
            first: BTreeMap::new(),
            ending: None,
            must_look_often: false,
            changed: Instant::now(),
            all_seen: None,
            looks: None,
            begun: false,
            sighted: Sighted::default(),
            tick: Tick::every(polling.fast).map_err(PidfdError::Timer)?,
        })
    }

    /// The next event. Nothing is lost if the wait is given up.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            if self.ending.is_some() {
                self.tell_end().await;
            } else if self.begun {
                self.wait().await;
            } else {
                self.begun = true;
                self.look();
            }
        }
    }

    /// Whether main runs: if so, its own descriptor will tell.
    pub fn focus(&mut self, main_runs: bool) {
        if self.looks.is_some() != main_runs {
            self.looks = main_runs.then_some(0);
            self.changed = Instant::now();
            self.set_pause();
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            biased;
            container = ended(&self.first) => {
                let process = self.first.remove(&container);
                // At once: its parent makes it vanish.
                let is_runtimes = process
                    .as_ref()
                    .and_then(|process| self.scanner.ended_as_runtimes(process.id));
                // A second main may have begun, and must be known before this one's end is. The
                // parent is being told meanwhile.
                self.sighted.see(&self.scanner.unassigned_pids());
                let newcomers = self.scanner.newcomers();
                self.take(newcomers);
                self.ending = process.map(|process| Ending {
                    container,
                    process,
                    is_runtimes,
                });
            }
            () = self.tick.passed() => self.look(),
        }
    }

    /// Tells how a process ended.
    async fn tell_end(&mut self) {
        let Some(ending) = &mut self.ending else {
            return;
        };
        let status = ending.process.status().await;
        let Some(ending) = self.ending.take() else {
            return;
        };
        self.queue.extend(ending.tell(status));
    }

    /// Looks at who has come, and now and then at all processes, and tells who is there and who is
    /// gone. While main is expected a look must be short: what begins and ends during one is missed.
    fn look(&mut self) {
        self.sighted.see(&self.scanner.unassigned_pids());
        let is_due = self
            .all_seen
            .is_none_or(|at| at.elapsed() >= self.polling.slow);
        let seen = if self.looks.is_some() || self.must_look_often || is_due {
            self.must_look_often = false;
            let seen = self.scanner.scan();
            self.all_seen = Some(Instant::now());
            seen
        } else {
            self.scanner.newcomers()
        };
        self.take(seen);
        self.looks = self.looks.map(|looks| looks + 1);
        self.set_pause();
    }

    /// Watches and tells whom a look has shown.
    fn take(&mut self, mut seen: Vec<Event>) {
        if tells_news(&seen) {
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
        for event in &mut seen {
            if let Event::Scanned { alive, .. } = event {
                // Whose end the look met before its descriptor was asked: the descriptor knows how.
                let watched = self.first.values();
                alive.extend(watched.map(|process| process.id));
            }
        }
        // Who came during the look is read at the next one.
        self.sighted.see(&self.scanner.unassigned_pids());
        self.queue.extend(seen);
    }

    fn watch(&mut self, container: &ContainerId, id: ProcessId, is_told: bool) {
        if self.place.is_own(container) {
            return;
        }
        match self.first.get_mut(container) {
            Some(first) if first.id < id => return,
            Some(first) if first.id == id => {
                first.is_told |= is_told;
                return;
            }
            _ => {}
        }
        match WatchedProcess::open(&self.place, id, is_told, &mut self.sighted) {
            Ok(Some(process)) => {
                self.first.insert(container.clone(), process);
            }
            Ok(None) => debug!(pid = %id, %container, "gone before it could be watched"),
            Err(error) => {
                self.must_look_often = true;
                warn!(pid = %id, %container, %error, "a process cannot be watched; looking for its end");
            }
        }
    }

    fn set_pause(&mut self) {
        let pause = match self.looks {
            Some(_) if self.must_look_often => self.polling.slow,
            Some(looks) => WHILE_RUNNING[looks.min(WHILE_RUNNING.len() - 1)],
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

/// The container of the first process that ends.
async fn ended(first: &BTreeMap<ContainerId, WatchedProcess>) -> ContainerId {
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

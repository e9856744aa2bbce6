//! The `proc` source: scans `/proc` repeatedly.
//!
//! Needs a shared pid namespace (or the node's own `/proc`) and no privilege. Sees which processes
//! live, so it learns that main ended, but not how: only main's parent and the kernel know the status.
//! Misses a main that begins and ends between two scans, unless a scan saw its container in the
//! making. Scans often while main is expected, seldom while it runs.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use thiserror::Error;
use tokio::time::sleep;

use super::{HIDDEN, HIDEPID, Polling};
use crate::track::{
    ContainerId, Event, ProcessId, Timestamp,
    place::Place,
    process::TICK,
    scan::{Scanner, UnreadableProcesses, has_news},
};

/// Why the `proc` source does not work here.
#[derive(Debug, Error)]
pub enum ProcError {
    /// We are alone in our pid namespace.
    #[error(
        "the pod does not share its pid namespace, so we see no other container; \
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
}

/// Scans `/proc`, and emits what has changed.
#[derive(Debug)]
pub struct ProcSource {
    scanner: Scanner,
    polling: Polling,
    queue: VecDeque<Event>,
    changed: Instant,
    /// The pause until the next scan; `None` before the first.
    pause: Option<Duration>,
    main_runs: bool,
}

impl ProcSource {
    /// A source that has not scanned yet.
    ///
    /// # Errors
    ///
    /// We cannot see other containers' processes, or not read them.
    pub fn new(place: &Place, polling: Polling) -> Result<Self, ProcError> {
        if place.hides_processes {
            return Err(ProcError::Hidden);
        }
        if !place.shows_others() {
            return Err(ProcError::NotShared);
        }
        if place.hides_the_pod() {
            return Err(ProcError::PodUntold);
        }
        let scanner = Scanner::new(place.clone());
        scanner.try_out()?;
        Ok(Self {
            scanner,
            polling,
            queue: VecDeque::new(),
            changed: Instant::now(),
            pause: None,
            main_runs: false,
        })
    }

    /// The next event. Scans again after a pause once all events are emitted.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            if let Some(pause) = self.pause {
                sleep(pause).await;
            }
            self.scan();
        }
    }

    fn scan(&mut self) {
        let waiting = self.scanner.in_the_making();
        let mut seen = self.scanner.scan();
        add_missed_starts(waiting, &mut seen);
        if has_news(&seen) {
            self.changed = Instant::now();
        }
        self.queue.extend(seen);
        self.pause = Some(if self.main_runs {
            self.polling.slow
        } else {
            let in_the_making = !self.scanner.in_the_making().is_empty();
            self.polling
                .before_start(self.changed.elapsed(), in_the_making)
        });
    }

    /// Why it does not see all processes at this moment, in words.
    pub fn failure(&self) -> Option<&str> {
        self.scanner.failure()
    }

    /// Why it once did not see all processes, in words.
    pub fn gap(&self) -> Option<&str> {
        self.scanner.gap()
    }

    /// Sets whether main runs: if so, scans less often.
    pub fn focus(&mut self, main_runs: bool) {
        self.main_runs = main_runs;
    }
}

/// Adds the starts that happened between two scans: a process that waited in a container in the making
/// at the last scan, and is gone now, has run its program meanwhile. Without this its container would
/// seem never to have started.
fn add_missed_starts(waiting: Vec<(ProcessId, ContainerId)>, seen: &mut Vec<Event>) {
    let Some(Event::Scanned { alive, .. }) = seen.last() else {
        return;
    };
    let gone: Vec<Event> = waiting
        .into_iter()
        .filter(|(process, _)| !alive.contains(process))
        .map(|(process, container)| Event::ProcessStarted {
            process,
            container,
            at: Timestamp(process.started * TICK),
            entered: true,
        })
        .collect();
    // Before the event that shows which processes are gone.
    let last = seen.len() - 1;
    seen.splice(last..last, gone);
}

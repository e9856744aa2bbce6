//! Watching the pod by looking at `/proc`, again and again.
//!
//! Needs a shared pid namespace (or the node's own `/proc`) and no privilege. Sees who lives, so that
//! main ended, but not how: only its parent and the kernel know the status. A main that begins and
//! ends between two looks is missed, unless its container was seen in the making. Looks often while
//! main is expected, seldom while it runs.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use thiserror::Error;
use tokio::time::sleep;

use super::Polling;
use crate::track::{
    ContainerId, Event, ProcessId, Timestamp,
    place::Place,
    process::TICK,
    scan::{Scanner, tells_news},
};

/// Why `/proc` shows nobody.
#[derive(Debug, Error)]
pub enum ProcError {
    /// We are alone in our pid namespace.
    #[error(
        "the pod does not share its pid namespace, so no other container can be seen; \
         set `shareProcessNamespace: true` in the pod, or give the sidecar CAP_BPF and CAP_PERFMON"
    )]
    NotShared,
}

/// Looks at `/proc`.
#[derive(Debug)]
pub struct ProcSource {
    scanner: Scanner,
    polling: Polling,
    queue: VecDeque<Event>,
    changed: Instant,
    /// Until the next look; nothing before the first.
    pause: Option<Duration>,
    main_runs: bool,
}

impl ProcSource {
    /// Begins to look, unless there can be nobody to see.
    pub fn new(place: &Place, polling: Polling) -> Result<Self, ProcError> {
        if !place.shows_others() {
            return Err(ProcError::NotShared);
        }
        Ok(Self {
            scanner: Scanner::new(place.clone()),
            polling,
            queue: VecDeque::new(),
            changed: Instant::now(),
            pause: None,
            main_runs: false,
        })
    }

    /// The next event; looks again after a while when all have been told.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            if let Some(pause) = self.pause {
                sleep(pause).await;
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let waiting = self.scanner.in_the_making();
        let mut seen = self.scanner.scan();
        missed(waiting, &mut seen);
        if tells_news(&seen) {
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

    /// Whether main runs: if so, look less often.
    pub fn focus(&mut self, main_runs: bool) {
        self.main_runs = main_runs;
    }
}

/// Whoever waited in a container in the making at the last look and is gone at this one has run its
/// program between the two: else its container would seem never to have begun.
fn missed(waiting: Vec<(ProcessId, ContainerId)>, seen: &mut Vec<Event>) {
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
    // Before the look's word of who is gone.
    let last = seen.len() - 1;
    seen.splice(last..last, gone);
}

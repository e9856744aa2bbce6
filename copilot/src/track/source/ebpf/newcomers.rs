//! Containers in the making: reads their names before their programs begin.
//!
//! A program may live for a millisecond, and its mounts are gone when the kernel reports it. But a
//! runtime first makes the cgroup, then the mounts, then waits for the order to start the program. So
//! when the kernel reports a fork in a new cgroup, we scan often for a short time, until the mounts
//! name the container.
//!
//! Emits [`Event::ContainerSeen`] only, because the kernel reports starts and ends better. Emits nothing
//! if our container has a pid namespace of its own, where we see no other processes.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::track::{ContainerId, Event, ProcessId, scan::Scanner};

/// The pause between scans while a container is new. A runtime takes some milliseconds from the last
/// mount to the start.
const INTERVAL: Duration = Duration::from_millis(2);

/// For this long the short pause holds.
const SOON: Duration = Duration::from_secs(1);

/// The pause after that.
const LATER: Duration = Duration::from_millis(20);

/// When to give up: a busy node takes seconds to make a container.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pause is at least this many times longer than the scan, which is slow on a node with thousands of
/// mounts: our CPU limit may be half a CPU.
const REST: u32 = 4;

/// Scans for containers in the making.
pub struct Newcomers {
    scanner: Scanner,
    /// We see other containers' processes.
    sees: bool,
    /// The cgroups of containers whose program has not begun.
    awaited: BTreeSet<u64>,
    /// All awaited containers have their mounts, and wait for their start.
    all_are_made: bool,
    next: Instant,
    since: Instant,
}

impl Newcomers {
    /// Scans for processes that the scanner does not know yet; `sees` is whether it can see other
    /// containers'.
    pub fn new(scanner: Scanner, sees: bool) -> Self {
        let now = Instant::now();
        Self {
            scanner,
            sees,
            awaited: BTreeSet::new(),
            all_are_made: false,
            next: now,
            since: now,
        }
    }

    /// Notes that the container with this cgroup is being made.
    pub fn expect(&mut self, cgroup: u64) {
        if self.sees && self.awaited.insert(cgroup) {
            self.since = Instant::now();
            self.next = self.since;
            self.all_are_made = false;
        }
    }

    /// Notes that its program has begun, or never will.
    pub fn arrived(&mut self, cgroup: u64) {
        self.awaited.remove(&cgroup);
    }

    /// Waits until the next scan is due; for ever if no container is awaited.
    pub async fn due(&self) {
        if self.awaited.is_empty() || self.all_are_made {
            return std::future::pending().await;
        }
        sleep_until(self.next).await;
    }

    /// Scans if a scan is due, and returns the containers whose names are known now.
    pub fn look(&mut self) -> Vec<Event> {
        let now = Instant::now();
        if self.awaited.is_empty() || self.all_are_made || now < self.next {
            return Vec::new();
        }
        let mut seen = self.scanner.scan();
        seen.retain(names_a_container);
        self.all_are_made = self.scanner.made() >= self.awaited.len();
        let waited = self.since.elapsed();
        if waited > PATIENCE {
            self.awaited.clear();
        }
        let pause = if waited < SOON { INTERVAL } else { LATER };
        self.next = now + pause.max(now.elapsed() * REST);
        seen
    }

    /// The container of a process that lived at the last scan, and may be gone by now.
    pub fn container_of_pid(&self, process: ProcessId) -> Option<&ContainerId> {
        self.scanner.container_of_pid(process.visible_pid()?)
    }
}

fn names_a_container(event: &Event) -> bool {
    let Event::ContainerSeen { evidence, .. } = event else {
        return false;
    };
    evidence
        .as_ref()
        .is_some_and(|evidence| evidence.name.is_some())
}

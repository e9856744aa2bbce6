//! Containers in the making: whose they are is found out before their program begins.
//!
//! A program may live for a millisecond, and when the kernel has told of it nobody can read its
//! mounts any more. But a runtime first makes the container, then its mounts, then waits for the word
//! to start it. So from the kernel's word that a process was made in a new container we look often,
//! for a short time, until the mounts tell the container's name.
//!
//! Only [`Event::ContainerSeen`] comes from here: what starts and ends, the kernel tells better. In a
//! pid namespace of our own there is nobody to look at, and nothing comes.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::track::{ContainerId, Event, ProcessId, scan::Scanner};

/// Between two looks while a container has just come. A runtime takes some milliseconds from the last
/// mount to the start.
const INTERVAL: Duration = Duration::from_millis(2);

/// How long that pause holds, and the one that follows.
const SOON: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_millis(20);

/// How long to look: a busy node takes seconds to make a container.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node with thousands of mounts makes a look slow: then the pause is so many times longer, since
/// half a CPU is all that we have.
const REST: u32 = 4;

/// Looks at containers in the making.
pub struct Newcomers {
    scanner: Scanner,
    /// Other containers' processes can be seen.
    sees: bool,
    /// The cgroups of containers whose program has not begun.
    awaited: BTreeSet<u64>,
    /// All that are awaited are made, and wait for their start.
    all_are_made: bool,
    next: Instant,
    since: Instant,
}

impl Newcomers {
    /// Looks for processes that the scanner has not seen; `sees` is whether it can see any.
    pub fn beside(scanner: Scanner, sees: bool) -> Self {
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

    /// The container with this cgroup is being made.
    pub fn expect(&mut self, cgroup: u64) {
        if self.sees && self.awaited.insert(cgroup) {
            self.since = Instant::now();
            self.next = self.since;
            self.all_are_made = false;
        }
    }

    /// Its program has begun, or never will: what it is, is read now.
    pub fn arrived(&mut self, cgroup: u64) {
        self.awaited.remove(&cgroup);
    }

    /// Waits until it is time for a look; for ever if nobody is awaited.
    pub async fn due(&self) {
        if self.awaited.is_empty() || self.all_are_made {
            return std::future::pending().await;
        }
        sleep_until(self.next).await;
    }

    /// The containers whose names can be told by now, if it is time to look.
    pub fn look(&mut self) -> Vec<Event> {
        let now = Instant::now();
        if self.awaited.is_empty() || self.all_are_made || now < self.next {
            return Vec::new();
        }
        let mut seen = self.scanner.scan();
        seen.retain(is_telling);
        self.all_are_made = self.scanner.made() >= self.awaited.len();
        let waited = self.since.elapsed();
        if waited > PATIENCE {
            self.awaited.clear();
        }
        let pause = if waited < SOON { INTERVAL } else { LATER };
        self.next = now + pause.max(now.elapsed() * REST);
        seen
    }

    /// The container of a process that lived at the last look, which may be gone by now.
    pub fn container_of_pid(&self, process: ProcessId) -> Option<&ContainerId> {
        self.scanner.container_of_pid(process.visible_pid()?)
    }
}

fn is_telling(event: &Event) -> bool {
    let Event::ContainerSeen { evidence, .. } = event else {
        return false;
    };
    evidence
        .as_ref()
        .is_some_and(|evidence| evidence.name.is_some())
}

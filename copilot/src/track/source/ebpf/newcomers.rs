//! Containers in the making: whose they are is found out before their program begins.
//!
//! A program may live for a millisecond, and when the kernel has told of it nobody can read its
//! mounts any more. But a runtime first makes the container, then its mounts, then waits for the word
//! to start it. So from the kernel's word that a process was made in a new container we look often,
//! for a short time, until the mounts tell the container's name.
//!
//! Only [`Event::ContainerSeen`] comes from here: what starts and ends, the kernel tells better. In a
//! pid namespace of our own there is nobody to look at, and nothing comes.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::track::{ContainerId, Event, ProcessId, scan::Scanner};

/// Between two looks. A runtime takes some milliseconds from the last mount to the start.
const INTERVAL: Duration = Duration::from_millis(2);

/// How long to look: making a container takes a tenth of that, on a busy node too.
const PATIENCE: Duration = Duration::from_secs(1);

/// Looks at containers in the making.
pub struct Newcomers {
    scanner: Scanner,
    awaited: usize,
    next: Instant,
    until: Instant,
}

impl Newcomers {
    /// Looks for whoever the scanner has not seen yet.
    pub fn beside(scanner: Scanner) -> Self {
        let now = Instant::now();
        Self {
            scanner,
            awaited: 0,
            next: now,
            until: now,
        }
    }

    /// A container is being made.
    pub fn expect_one(&mut self) {
        self.awaited += 1;
        self.next = Instant::now();
        self.until = self.next + PATIENCE;
    }

    /// Waits until it is time for a look; for ever if nobody is awaited.
    pub async fn due(&self) {
        if self.awaited == 0 {
            return std::future::pending().await;
        }
        sleep_until(self.next).await;
    }

    /// The containers whose names can be told by now, if it is time to look.
    pub fn look(&mut self) -> Vec<Event> {
        let now = Instant::now();
        if self.awaited == 0 || now < self.next {
            return Vec::new();
        }
        let mut seen = self.scanner.scan();
        seen.retain(is_telling);
        self.awaited = self.awaited.saturating_sub(seen.len());
        if now >= self.until {
            self.awaited = 0;
        }
        self.next = now + INTERVAL;
        seen
    }

    /// The container of a process that lived at the last look, which may be gone by now.
    pub fn container_of_pid(&self, process: ProcessId) -> Option<&ContainerId> {
        self.scanner.container_of_pid(process.visible_pid()?)
    }
}

fn is_telling(event: &Event) -> bool {
    let Event::ContainerSeen { traits, .. } = event else {
        return false;
    };
    traits.as_ref().is_some_and(|traits| traits.name.is_some())
}

//! What is known of one container: its traits, and the one process that counts, its first.

use std::collections::BTreeSet;

use crate::track::{ExitStatus, ProcessId, Timestamp, kubelet::Traits};

/// A container, as far as it is known.
#[derive(Debug, Default)]
pub struct Container {
    /// A source has described it, even if only to say that nothing could be read of it.
    pub seen: bool,
    /// What its mounts say.
    pub traits: Option<Traits>,
    /// The oldest of the processes that came from outside. Exec sessions are younger; so is
    /// whatever the container's own processes start, all day long, which must not fill our memory.
    pub first: Option<Process>,
}

/// The first process of a container.
#[derive(Debug)]
pub struct Process {
    /// Which.
    pub id: ProcessId,
    /// When it began to run its program, or was started.
    pub began: Timestamp,
    /// When it was last known to live.
    pub alive: Timestamp,
    /// Its end.
    pub exit: Option<Exit>,
}

/// The end of a process.
#[derive(Clone, Copy, Debug)]
pub struct Exit {
    /// How it ended.
    pub status: ExitStatus,
    /// When it ended, or was missed.
    pub at: Timestamp,
    /// When it was last known to live: the end lies between this and `at`.
    pub alive: Timestamp,
}

impl Container {
    /// Takes a description. Early in a container's life its mounts are not all there: the reading
    /// that says more is kept.
    pub fn describe(&mut self, traits: Option<Traits>) {
        let worth = |traits: &Traits| (traits.name.is_some(), traits.mounts.len());
        self.seen = true;
        if traits.as_ref().map(worth) >= self.traits.as_ref().map(worth) {
            self.traits = traits;
        }
    }

    /// Whether what its mounts say may be judged. While the runtime still makes them, some of what
    /// tells who it is may be missing; they are complete when its program begins.
    pub fn is_described(&self) -> bool {
        let has_name = || {
            let traits = self.traits.as_ref();
            traits.is_some_and(|traits| traits.name.is_some())
        };
        self.seen && (self.first.is_some() || has_name())
    }

    /// Takes a process that came from outside; says whether it is the first one, as far as is known.
    pub fn enter(&mut self, id: ProcessId, at: Timestamp) -> bool {
        match &mut self.first {
            Some(first) if first.id < id => false,
            Some(first) if first.id == id => {
                first.began = first.began.min(at);
                first.alive = first.alive.max(at);
                true
            }
            _ => {
                self.first = Some(Process {
                    id,
                    began: at,
                    alive: at,
                    exit: None,
                });
                true
            }
        }
    }

    /// Whether its first process is an older one.
    pub fn began_before(&self, id: ProcessId) -> bool {
        self.first.as_ref().is_some_and(|first| first.id < id)
    }
}

impl Process {
    /// Takes an end; one whose status is known replaces one whose status is not.
    pub fn end(&mut self, exit: Exit) {
        let says_more = |known: &Exit| {
            known.status == ExitStatus::Unknown && exit.status != ExitStatus::Unknown
        };
        if self.exit.as_ref().is_none_or(says_more) {
            self.exit = Some(exit);
        }
    }

    /// Takes a look that began at `began` and found these alive: a process that it could have seen
    /// and did not see is gone. One that began later may be missing from it.
    pub fn compare(&mut self, alive: &BTreeSet<ProcessId>, began: Timestamp) {
        if alive.contains(&self.id) {
            self.alive = self.alive.max(began);
        } else if self.id.visible_pid().is_some() && self.began < began {
            self.end(Exit {
                status: ExitStatus::Unknown,
                at: began,
                alive: self.alive,
            });
        }
    }
}

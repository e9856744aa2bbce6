//! What is known of one container: its evidence, and the one process that counts, its first.

use std::collections::BTreeSet;

use crate::track::{
    ExitStatus, ProcessId, Timestamp,
    mounts::{MountEvidence, Stage},
};

/// A container, as far as it is known.
#[derive(Debug, Default)]
pub struct Container {
    /// A source has described it, even if only to say that nothing could be read of it.
    pub seen: bool,
    /// What its mounts say.
    pub evidence: Option<MountEvidence>,
    /// What its first process runs, where a source has told.
    pub program: Option<String>,
    /// The oldest of the processes that came from outside. Exec sessions are younger; so is
    /// whatever the container's own processes start, all day long, which must not fill our memory.
    pub first: Option<Process>,
    /// When its program began, by the word of one who knows containers and not processes.
    pub announced: Option<Timestamp>,
    /// Its end, by the same word.
    pub announced_end: Option<Exit>,
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
    /// Takes a description. A reading of a later stage knows better, however few mounts it has: before
    /// the runtime pivots, the table holds those of the whole node. Within a stage the last one counts,
    /// but a name that was read stays.
    pub fn describe(&mut self, evidence: Option<MountEvidence>) {
        let worth = |evidence: &MountEvidence| (evidence.stage, evidence.name.is_some());
        self.seen = true;
        if evidence.as_ref().map(worth) >= self.evidence.as_ref().map(worth) {
            self.evidence = evidence;
        }
    }

    /// Whether what its mounts say may be judged. While the runtime still makes them, some of what
    /// tells who it is may be missing; they are complete when its program begins.
    pub fn is_described(&self) -> bool {
        let is_made = || {
            let evidence = self.evidence.as_ref();
            evidence.is_some_and(|evidence| {
                evidence.name.is_some() && evidence.stage > Stage::BeforePivot
            })
        };
        self.seen && (self.began().is_some() || self.exit().is_some() || is_made())
    }

    /// When its program began.
    pub fn began(&self) -> Option<Timestamp> {
        let first = self.first.as_ref().map(|first| first.began);
        first.into_iter().chain(self.announced).min()
    }

    /// Its end: its first process's, or what was said of the container as a whole. Whoever saw the
    /// process knows best how and when; whoever knows only the container may be the only one who
    /// knows how.
    pub fn exit(&self) -> Option<Exit> {
        let first = self.first.as_ref().and_then(|first| first.exit);
        match (first, self.announced_end) {
            (Some(first), Some(end)) if first.status == ExitStatus::Unknown => Some(Exit {
                status: end.status,
                ..first
            }),
            // Whoever runs has begun, whatever was said.
            (None, Some(end)) if self.first.is_some() && end.status == ExitStatus::NotStarted => {
                None
            }
            (first, end) => first.or(end),
        }
    }

    /// Takes the word that its program has begun.
    pub fn announce(&mut self, at: Timestamp) {
        self.announced = Some(self.announced.map_or(at, |known| known.min(at)));
    }

    /// Takes the word that it has ended. What has ended had begun, unless that very thing failed.
    pub fn announce_end(&mut self, exit: Exit) {
        if self.began().is_none() && exit.status != ExitStatus::NotStarted {
            self.announce(exit.at);
        }
        if says_more(self.announced_end, exit) {
            self.announced_end = Some(exit);
        }
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
        if says_more(self.exit, exit) {
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

/// Whether an end is news: the first one, or the first that says how.
fn says_more(known: Option<Exit>, told: Exit) -> bool {
    known.is_none_or(|known| {
        known.status == ExitStatus::Unknown && told.status != ExitStatus::Unknown
    })
}

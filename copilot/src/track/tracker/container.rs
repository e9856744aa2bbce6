//! What is known of one container: its mounts, and its first process, the only one that counts.

use std::collections::BTreeSet;

use crate::track::{
    ExitStatus, Job, ProcessId, Timestamp,
    mounts::{MountEvidence, Stage},
};

/// A container, as far as it is known.
#[derive(Debug, Default)]
pub struct Container {
    /// A source has reported it, even if its mounts could not be read.
    pub seen: bool,
    /// What its mounts say.
    pub evidence: Option<MountEvidence>,
    /// What its first process runs, if a source has reported it.
    pub program: Option<String>,
    /// The fingerprint of its command line, if a source has reported it.
    pub command: Option<u64>,
    /// The oldest process that was seen to run our program, with its job.
    copilot: Option<(ProcessId, Job)>,
    /// The oldest of the processes whose parent is outside. Exec sessions are younger. So are the processes
    /// that the container starts all day long: they must not fill our memory.
    pub first: Option<Process>,
    /// When its program began, from a source that knows containers and not processes.
    pub announced: Option<Timestamp>,
    /// Its end, from such a source.
    pub announced_end: Option<Exit>,
}

/// The first process of a container.
#[derive(Debug)]
pub struct Process {
    /// Its pid and start time.
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
    /// Takes a reading of the mounts. A reading of a later stage counts, however few mounts it has: before
    /// the runtime pivots, the table holds the mounts of the whole node. Within a stage the last reading
    /// counts, but not one without the name if an earlier one has it.
    pub fn describe(&mut self, evidence: Option<MountEvidence>) {
        let worth = |evidence: &MountEvidence| (evidence.stage, evidence.name.is_some());
        self.seen = true;
        if evidence.as_ref().map(worth) >= self.evidence.as_ref().map(worth) {
            self.evidence = evidence;
        }
    }

    /// Whether the rules may judge its mounts. While the runtime makes them some may be missing. They are
    /// complete when its program begins.
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

    /// Its end: that of its first process, or that which a source reports for the whole container. The
    /// process's end is more exact, but its status may be unknown.
    pub fn exit(&self) -> Option<Exit> {
        let first = self.first.as_ref().and_then(|first| first.exit);
        match (first, self.announced_end) {
            (Some(first), Some(end)) if first.status == ExitStatus::Unknown => Some(Exit {
                status: end.status,
                ..first
            }),
            // A process that runs has begun, whatever the other source reports.
            (None, Some(end)) if self.first.is_some() && end.status == ExitStatus::NotStarted => {
                None
            }
            (first, end) => first.or(end),
        }
    }

    /// Takes what a process that entered does, if it runs our program. An exec session is younger than the first
    /// process, and says nothing of the container.
    pub fn note_copilot(&mut self, process: ProcessId, job: Option<Job>) {
        let is_younger = self.copilot.is_some_and(|(known, _)| known < process);
        if !is_younger {
            self.copilot = job.map(|job| (process, job));
        }
    }

    /// What its first process does, if that runs our program.
    pub fn job(&self) -> Option<Job> {
        let first = self.first.as_ref()?;
        let (process, job) = self.copilot?;
        (process == first.id).then_some(job)
    }

    /// Its program has begun, says a source that knows containers only.
    pub fn announce(&mut self, at: Timestamp) {
        self.announced = Some(self.announced.map_or(at, |known| known.min(at)));
    }

    /// It has ended, says such a source. So it had begun, unless it could not be started.
    pub fn announce_end(&mut self, exit: Exit) {
        if self.began().is_none() && exit.status != ExitStatus::NotStarted {
            self.announce(exit.at);
        }
        if says_more(self.announced_end, exit) {
            self.announced_end = Some(exit);
        }
    }

    /// Takes a process whose parent is outside. Returns whether it is the first process, as far as is known.
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

    /// Takes a look that began at `began` and found these processes alive. A visible process that it did
    /// not find is gone, unless the process started after the look began.
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

/// Whether an end is news: the first one, or the first with a status.
fn says_more(known: Option<Exit>, told: Exit) -> bool {
    known.is_none_or(|known| {
        known.status == ExitStatus::Unknown && told.status != ExitStatus::Unknown
    })
}

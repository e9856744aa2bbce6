//! Scans `/proc`: all processes of the pod that we see, as events.
//!
//! A [`Scanner`] remembers what it need not read twice. The `proc` source repeats such scans. The
//! `ebpf` source starts with one, for processes that ran before it was attached, and repeats it after
//! a loss; `pidfd` finds its processes by it. Never here: who main is, and when to scan. Called by the
//! sources and `watch::settle`.

mod known;
mod reading;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::PathBuf,
};

use procfs::process::{Process, Stat};

pub use self::reading::{UnreadableProcesses, has_news};

use self::known::{EXEC, KnownProcess, ProcessKind, YOUTH};
use self::reading::{Unread, each_living, pids};
use super::{
    ContainerId, Event, ProcessId, Timestamp,
    mounts::{MountEvidence, Stage, evidence_of},
    place::{Place, PodPath},
    process::{
        self, LAST_STAGE, Program, TICK, io_error, is_alive, is_copilots_name, is_passing,
        is_runtime, process_id,
    },
};

/// Scans `/proc` repeatedly, and remembers what it need not read twice.
#[derive(Clone, Debug)]
pub struct Scanner {
    root: PathBuf,
    place: Place,
    known: BTreeMap<i32, KnownProcess>,
    /// Containers whose mounts were read, each with the latest stage.
    described: BTreeMap<ContainerId, Stage>,
    /// What the last scan could not read.
    unread: Unread,
}

impl Scanner {
    /// A scanner of our pod's processes.
    #[must_use]
    pub fn new(place: Place) -> Self {
        let root = place.proc_root.clone();
        Self::at(root.unwrap_or_else(|| "/proc".into()), place)
    }

    /// A scanner of a directory with the layout of `/proc`.
    fn at(root: PathBuf, place: Place) -> Self {
        Self {
            root,
            place,
            known: BTreeMap::new(),
            described: BTreeMap::new(),
            unread: Unread::default(),
        }
    }

    /// Scans all processes, and reports what has changed since the last scan. The last event is
    /// [`Event::Scanned`], unless the scan may have missed a process, as any scan does where `/proc` hides some: the
    /// absence of a process then proves nothing.
    pub fn scan(&mut self) -> Vec<Event> {
        self.scan_at(Timestamp::now())
    }

    /// Whether a scan can see all processes.
    #[must_use]
    pub fn can_be_complete(&self) -> bool {
        !self.place.hides_processes
    }

    /// Reads all processes once, and reports nothing.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn try_out(&self) -> Result<(), UnreadableProcesses> {
        let read = each_living(&self.root, |process, stat| {
            self.container_of(process, ProcessKind::of(stat, 0))
                .map(drop)
        });
        Ok(read?)
    }

    /// Why the last scan may have missed a process that it could have seen, in words; nothing if it missed none.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.unread.now.as_deref()
    }

    /// The same of any scan so far.
    #[must_use]
    pub fn gap(&self) -> Option<&str> {
        self.unread.ever.as_deref()
    }

    /// The container of a process that lived at the last scan.
    #[must_use]
    pub fn container_of_pid(&self, pid: i32) -> Option<&ContainerId> {
        self.known.get(&pid)?.container.as_ref()
    }

    /// The pids that may still become a container's first process: those that the last scan did not
    /// see, and young ones that it could not assign to a container.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn unassigned_pids(&self) -> io::Result<BTreeSet<i32>> {
        let now = Timestamp::now().0 / TICK;
        let is_unassigned = |pid: &i32| {
            self.known.get(pid).is_none_or(|known| {
                !known.reported && !known.waits && now.saturating_sub(known.id.started) < YOUTH
            })
        };
        Ok(pids(&self.root)?.filter(is_unassigned).collect())
    }

    /// Looks only at processes that the last scan did not see, or saw in the making. This is far cheaper
    /// than a full scan, and does not show which processes are gone.
    pub fn newcomers(&mut self) -> Vec<Event> {
        let now = Timestamp::now().0 / TICK;
        let mut events = Vec::new();
        let unassigned = self.unassigned_pids();
        let mut pids = self.unread.missed(unassigned).unwrap_or_default();
        let waiting = self.known.iter().filter(|(_, known)| known.waits);
        pids.extend(waiting.map(|(pid, _)| *pid));
        for pid in pids {
            // One that cannot be read now is looked at again, if it lives that long.
            let looked = self.look_at_newcomer(pid, now, &mut events);
            self.unread.missed(looked);
        }
        events
    }

    fn look_at_newcomer(&mut self, pid: i32, now: u64, events: &mut Vec<Event>) -> io::Result<()> {
        let directory = self.root.join(pid.to_string());
        let process = Process::new_with_root(directory).map_err(io_error)?;
        let stat = process::stat(&process)?;
        if !is_alive(&stat) {
            return Ok(());
        }
        self.look_at(&process, &stat, process_id(&stat), now, events)
    }

    /// The runtime's processes that waited in a container at the last scan for the order to exec its
    /// program: the pid stays the same.
    #[must_use]
    pub fn in_the_making(&self) -> Vec<(ProcessId, ContainerId)> {
        self.known
            .values()
            .filter(|known| known.waits)
            .filter_map(|known| Some((known.id, known.container.clone()?)))
            .collect()
    }

    /// Whether a process that has just ended was still a runtime's, and had not become its container's
    /// program. `None` if the parent has already reaped it, and nothing is left to read.
    #[must_use]
    pub fn ended_as_runtimes(&self, process: ProcessId) -> Option<bool> {
        let directory = self.root.join(process.visible_pid()?.to_string());
        let stat = process::stat(&Process::new_with_root(directory).ok()?).ok()?;
        (process_id(&stat) == process).then(|| is_runtime(&stat, 0))
    }

    /// How many containers wait for their start with all mounts in place.
    #[must_use]
    pub fn made(&self) -> usize {
        let waiting = self.known.values().filter(|known| known.waits);
        let containers: BTreeSet<&ContainerId> = waiting
            .filter_map(|known| known.container.as_ref())
            .collect();
        let is_made = |container: &&&ContainerId| self.described.contains_key(**container);
        containers.iter().filter(is_made).count()
    }

    /// Scans all processes, and counts those that live in these containers. `None` if the scan may have
    /// missed a process.
    pub fn living_in(&mut self, containers: &[ContainerId]) -> Option<usize> {
        let events = self.scan();
        if !matches!(events.last(), Some(Event::Scanned { .. })) {
            return None;
        }
        let living = self
            .known
            .values()
            .filter_map(|known| known.container.as_ref())
            .filter(|container| containers.contains(container));
        Some(living.count())
    }

    fn scan_at(&mut self, began: Timestamp) -> Vec<Event> {
        let now = began.0 / TICK;
        let mut events = Vec::new();
        let mut alive = BTreeSet::new();
        let mut present = BTreeSet::new();
        let root = self.root.clone();
        let seen = each_living(&root, |process, stat| {
            let id = process_id(stat);
            alive.insert(id);
            present.insert(stat.pid);
            self.look_at(process, stat, id, now, &mut events)
        });
        if seen.is_ok() {
            self.known.retain(|pid, _| present.contains(pid));
            // A process that is hidden may live.
            if self.can_be_complete() {
                events.push(Event::Scanned { alive, began });
            }
        }
        self.unread.note(seen);
        events
    }

    /// Reports what is new of a process.
    ///
    /// # Errors
    /// For a passing reason a file of it cannot be read. Nothing is remembered then, so that the next look reads it.
    fn look_at(
        &mut self,
        process: &Process,
        stat: &Stat,
        id: ProcessId,
        now: u64,
        events: &mut Vec<Event>,
    ) -> io::Result<()> {
        let kind = ProcessKind::of(stat, now.saturating_sub(id.started));
        let known = self.known.get(&stat.pid).filter(|known| known.id == id);
        let may_move = kind.is_young || kind.is_runtimes;
        let container = match known {
            Some(known) if known.container.is_some() || !may_move => known.container.clone(),
            _ => self.container_of(process, kind)?,
        };
        let mut reported =
            known.is_some_and(|known| known.reported && known.container == container);
        let was_copilot = known.is_some_and(|known| known.is_copilot);
        let mut is_copilot = false;
        let mut exec_began = None;
        let mut waits = false;
        if let Some(container) = &container {
            let begins = !reported && !kind.is_runtimes;
            let is_renamed = is_copilots_name(&stat.comm) != was_copilot;
            let entered = (begins || is_renamed) && self.entered(stat, container)?;
            let noted = self.note_copilot(process, stat, container, (was_copilot, entered), events);
            is_copilot = noted.unwrap_or(false);
            if noted.is_none() {
                exec_began = known.and_then(|known| known.exec_began).or(Some(now));
            }
            let is_in_exec = exec_began.is_some_and(|began| now.saturating_sub(began) < EXEC);
            self.describe(process, container, kind, events);
            waits = kind.is_runtimes && !reported && stat.comm.ends_with(LAST_STAGE);
            if begins && !is_in_exec {
                reported = true;
                events.push(Event::ProcessStarted {
                    process: id,
                    container: container.clone(),
                    at: Timestamp(id.started * TICK),
                    entered,
                });
            }
        }
        self.known.insert(
            stat.pid,
            KnownProcess {
                id,
                container,
                reported,
                waits,
                is_copilot,
                exec_began,
            },
        );
        Ok(())
    }

    /// Reports a process that entered another container and has the name of our program, or has lost it. Reads
    /// its command line only then. Returns whether it has that name; nothing in the middle of an exec.
    fn note_copilot(
        &self,
        process: &Process,
        stat: &Stat,
        container: &ContainerId,
        (was_copilot, entered): (bool, bool),
        events: &mut Vec<Event>,
    ) -> Option<bool> {
        let is_copilot = is_copilots_name(&stat.comm);
        let is_news = is_copilot != was_copilot && !self.place.is_own(container);
        if !is_news || !entered {
            return Some(is_copilot);
        }
        let job = match process::program_of(process, &stat.comm) {
            Program::Other => None,
            Program::Copilot(job) => job,
            Program::Unfinished => return None,
        };
        events.push(Event::CopilotSeen {
            container: container.clone(),
            process: process_id(stat),
            job,
        });
        Some(is_copilot)
    }

    /// The container of our pod in which a process runs; nothing if it runs elsewhere, or is gone.
    ///
    /// # Errors
    /// For a passing reason its cgroup cannot be read.
    fn container_of(
        &self,
        process: &Process,
        kind: ProcessKind,
    ) -> io::Result<Option<ContainerId>> {
        if let PodPath::SharedCgroup { uid } = &self.place.pod {
            let evidence = evidence_of(process, kind.is_runtimes);
            let ours = evidence.filter(|evidence| evidence.pod_uid.as_ref() == Some(uid));
            let name = ours.and_then(|evidence| evidence.name);
            return Ok(name.map(|name| ContainerId::new(&name)));
        }
        let text = match process::read(process, "cgroup") {
            Err(error) if is_passing(&error) => return Err(error),
            read => read.unwrap_or_default(),
        };
        let path = self.place.path_in(&text);
        Ok(path.and_then(|path| self.place.container_of(process, path, kind.is_runtimes)))
    }

    /// Reads the mount evidence: repeatedly while the container is made, once when it is complete, and
    /// once more when its program runs.
    fn describe(
        &mut self,
        process: &Process,
        container: &ContainerId,
        kind: ProcessKind,
        events: &mut Vec<Event>,
    ) {
        let enough = if kind.is_runtimes {
            Stage::BeforeStart
        } else {
            Stage::Complete
        };
        if self
            .described
            .get(container)
            .is_some_and(|known| *known >= enough)
        {
            return;
        }
        let evidence = evidence_of(process, kind.is_runtimes);
        // If the process goes away meanwhile, another one of the container may show the mounts. And if
        // the mounts of a young process do not name the container, the process may belong to a runtime
        // that we do not know.
        let is_sandbox = |evidence: &MountEvidence| evidence.is_sandbox && !kind.is_runtimes;
        let is_conclusive = |evidence: &MountEvidence| {
            evidence.name.is_some() || is_sandbox(evidence) || !kind.is_young
        };
        if let Some(evidence) = evidence.as_ref().filter(|evidence| is_conclusive(evidence))
            && evidence.stage > Stage::BeforePivot
        {
            self.described.insert(container.clone(), evidence.stage);
        }
        events.push(Event::ContainerSeen {
            container: container.clone(),
            evidence,
        });
    }

    /// Whether the process's parent is outside the container. In a shared pid namespace such a parent
    /// has pid 0.
    ///
    /// # Errors
    /// For a passing reason the parent cannot be read.
    fn entered(&self, stat: &Stat, container: &ContainerId) -> io::Result<bool> {
        if stat.ppid == 0 {
            return Ok(true);
        }
        let parents = match self.known.get(&stat.ppid) {
            Some(known) => known.container.clone(),
            None => self.container_of_parent(stat.ppid)?,
        };
        Ok(parents.as_ref() != Some(container))
    }

    /// The container of a parent that this scan has not read yet; nothing if the parent is gone.
    fn container_of_parent(&self, pid: i32) -> io::Result<Option<ContainerId>> {
        let directory = self.root.join(pid.to_string());
        let parent = match Process::new_with_root(directory).map_err(io_error) {
            Ok(parent) => parent,
            Err(error) if is_passing(&error) => return Err(error),
            Err(_) => return Ok(None),
        };
        let kind = ProcessKind {
            is_runtimes: process::stat(&parent).is_ok_and(|stat| is_runtime(&stat, 0)),
            is_young: true,
        };
        self.container_of(&parent, kind)
    }
}

#[cfg(test)]
mod tests;

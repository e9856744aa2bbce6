//! Scans `/proc`: all processes of the pod that we see, as events.
//!
//! A [`Scanner`] remembers what it need not read twice. The `proc` source repeats such scans. The
//! `ebpf` source starts with one, for processes that ran before it was attached, and repeats it after
//! a loss; `pidfd` finds its processes by it. Never here: who main is, and when to scan. Called by the
//! sources and `watch::settle`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use procfs::{
    ProcError, ProcResult,
    process::{Process, Stat, all_processes_with_root},
};
use tracing::warn;

use super::{
    ContainerId, Event, ProcessId, Timestamp,
    mounts::{MountEvidence, Stage, evidence_of},
    place::{Place, PodPath},
    process::{
        self, LAST_STAGE, TICK, TICKS_PER_SECOND, is_alive, is_copilots_name, is_runtime, job_of,
        process_id,
    },
};

/// For this long after its start a process may still be moved into its container's cgroup, and a
/// container's mounts may still be made.
const YOUTH: u64 = 5 * TICKS_PER_SECOND;

/// For this long a process may have our name and no command line yet: an exec sets them one after the other, and
/// a CPU limit may stop it between the two. Later, a program has removed its own command line.
const EXEC: u64 = TICKS_PER_SECOND;

/// Scans `/proc` repeatedly, and remembers what it need not read twice.
#[derive(Clone, Debug)]
pub struct Scanner {
    root: PathBuf,
    place: Place,
    known: BTreeMap<i32, KnownProcess>,
    /// Containers whose mounts were read, each with the latest stage.
    described: BTreeMap<ContainerId, Stage>,
}

/// What follows from a process's age and name.
#[derive(Clone, Copy, Debug)]
struct ProcessKind {
    /// It belongs to a runtime, which makes the container.
    is_runtimes: bool,
    /// It may still move to another cgroup, or belong to a runtime that we do not know.
    is_young: bool,
}

#[derive(Clone, Debug)]
struct KnownProcess {
    id: ProcessId,
    container: Option<ContainerId>,
    /// Its start has been reported.
    reported: bool,
    /// It waits for the runtime's order to exec the container's program.
    waits: bool,
    program: Program,
    /// When it was first seen in the middle of an exec of our program.
    exec_began: Option<u64>,
}

/// What a process runs, by its name and its command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    /// Our program.
    Copilot,
    /// It has the name of our program, and no command line yet.
    InExec,
    Other,
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

    /// The container of a process that lived at the last scan.
    #[must_use]
    pub fn container_of_pid(&self, pid: i32) -> Option<&ContainerId> {
        self.known.get(&pid)?.container.as_ref()
    }

    /// The pids that may still become a container's first process: those that the last scan did not
    /// see, and young ones that it could not assign to a container.
    #[must_use]
    pub fn unassigned_pids(&self) -> BTreeSet<i32> {
        let now = Timestamp::now().0 / TICK;
        let is_unassigned = |pid: &i32| {
            self.known.get(pid).is_none_or(|known| {
                !known.reported && !known.waits && now.saturating_sub(known.id.started) < YOUTH
            })
        };
        self.pids().filter(is_unassigned).collect()
    }

    fn pids(&self) -> impl Iterator<Item = i32> + use<> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
    }

    /// Looks only at processes that the last scan did not see, or saw in the making. This is far cheaper
    /// than a full scan, and does not show which processes are gone.
    pub fn newcomers(&mut self) -> Vec<Event> {
        let now = Timestamp::now().0 / TICK;
        let mut events = Vec::new();
        let mut pids = self.unassigned_pids();
        let waiting = self.known.iter().filter(|(_, known)| known.waits);
        pids.extend(waiting.map(|(pid, _)| *pid));
        for pid in pids {
            let process = Process::new_with_root(self.root.join(pid.to_string()));
            if let Ok(process) = process
                && let Ok(stat) = process::stat(&process)
                && is_alive(&stat)
            {
                self.look_at(&process, &stat, process_id(&stat), now, &mut events);
            }
        }
        events
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
        let seen = self.each_living(|scanner, process, stat| {
            let id = process_id(stat);
            alive.insert(id);
            present.insert(stat.pid);
            scanner.look_at(process, stat, id, now, &mut events);
        });
        self.known.retain(|pid, _| present.contains(pid));
        match seen {
            // A process that is hidden may live.
            Ok(()) if !self.can_be_complete() => {}
            Ok(()) => events.push(Event::Scanned { alive, began }),
            Err(error) => warn!(%error, "not all processes could be read; scanning again"),
        }
        events
    }

    /// Shows all processes that live, one at a time, because each holds a file open. Leaves out a
    /// process that goes away meanwhile or is hidden from us; returns any other failure at the end.
    fn each_living(&mut self, mut show: impl FnMut(&mut Self, &Process, &Stat)) -> ProcResult<()> {
        let mut failed = Ok(());
        for process in all_processes_with_root(&self.root)? {
            match process.and_then(|process| Ok((process::stat(&process)?, process))) {
                Ok((stat, process)) if is_alive(&stat) => show(self, &process, &stat),
                Ok(_) | Err(ProcError::NotFound(_) | ProcError::PermissionDenied(_)) => {}
                Err(error) => failed = Err(error),
            }
        }
        failed
    }

    fn look_at(
        &mut self,
        process: &Process,
        stat: &Stat,
        id: ProcessId,
        now: u64,
        events: &mut Vec<Event>,
    ) {
        let age = now.saturating_sub(id.started);
        let kind = ProcessKind {
            is_runtimes: is_runtime(stat, age),
            is_young: age < YOUTH,
        };
        let known = self.known.get(&stat.pid).filter(|known| known.id == id);
        let may_move = kind.is_young || kind.is_runtimes;
        let container = match known {
            Some(known) if known.container.is_some() || !may_move => known.container.clone(),
            _ => self.container_of(process, kind),
        };
        let mut reported =
            known.is_some_and(|known| known.reported && known.container == container);
        let was_copilot = known.is_some_and(|known| known.program == Program::Copilot);
        let mut exec_began = known.and_then(|known| known.exec_began);
        let mut program = Program::Other;
        let mut waits = false;
        if let Some(container) = &container {
            program = self.note_copilot(process, stat, container, was_copilot, events);
            let is_in_exec = program == Program::InExec;
            exec_began = is_in_exec.then(|| exec_began.unwrap_or(now));
            let is_settled = exec_began.is_none_or(|began| now.saturating_sub(began) >= EXEC);
            self.describe(process, container, kind, events);
            waits = kind.is_runtimes && !reported && stat.comm.ends_with(LAST_STAGE);
            if !reported && !kind.is_runtimes && is_settled {
                reported = true;
                events.push(Event::ProcessStarted {
                    process: id,
                    container: container.clone(),
                    at: Timestamp(id.started * TICK),
                    entered: self.entered(stat, container),
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
                program,
                exec_began,
            },
        );
    }

    /// Reports a process that entered another container and has the name of our program, or has lost it. Reads
    /// its command line only then.
    fn note_copilot(
        &self,
        process: &Process,
        stat: &Stat,
        container: &ContainerId,
        was_copilot: bool,
        events: &mut Vec<Event>,
    ) -> Program {
        let is_copilot = is_copilots_name(&stat.comm);
        let program = if is_copilot {
            Program::Copilot
        } else {
            Program::Other
        };
        let is_news = is_copilot != was_copilot && !self.place.is_own(container);
        if !is_news || !self.entered(stat, container) {
            return program;
        }
        let job = if is_copilot {
            let cmdline = process::read(process, "cmdline").unwrap_or_default();
            if cmdline.is_empty() {
                return Program::InExec;
            }
            job_of(&cmdline)
        } else {
            None
        };
        events.push(Event::CopilotSeen {
            container: container.clone(),
            process: process_id(stat),
            job,
        });
        program
    }

    /// The container of our pod in which a process runs.
    fn container_of(&self, process: &Process, kind: ProcessKind) -> Option<ContainerId> {
        if let PodPath::SharedCgroup { uid } = &self.place.pod {
            let evidence = evidence_of(process, kind.is_runtimes)?;
            let name = evidence
                .name
                .filter(|_| evidence.pod_uid.as_ref() == Some(uid));
            return name.map(|name| ContainerId::new(&name));
        }
        let text = process::read(process, "cgroup").ok()?;
        let path = self.place.path_in(&text)?;
        self.place.container_of(process, path, kind.is_runtimes)
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
    fn entered(&self, stat: &Stat, container: &ContainerId) -> bool {
        if stat.ppid == 0 {
            return true;
        }
        let known = self
            .known
            .get(&stat.ppid)
            .map(|known| known.container.clone());
        let parents = known.unwrap_or_else(|| {
            let parent = self.root.join(stat.ppid.to_string());
            let parent = Process::new_with_root(parent).ok()?;
            let is_runtimes = process::stat(&parent).is_ok_and(|stat| is_runtime(&stat, 0));
            let kind = ProcessKind {
                is_runtimes,
                is_young: true,
            };
            self.container_of(&parent, kind)
        });
        parents.as_ref() != Some(container)
    }
}

/// Whether a scan has found anything besides the set of living processes.
#[must_use]
pub fn has_news(events: &[Event]) -> bool {
    let is_news = |event: &Event| !matches!(event, Event::Scanned { .. });
    events.iter().any(is_news)
}

#[cfg(test)]
mod tests;

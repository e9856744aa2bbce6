//! From the kernel's records to the vocabulary of events.
//!
//! The kernel names a container by its cgroup id, `/proc` by its path: here the two are brought
//! together, by the process at hand while it lives, by the pod's directory where it is mounted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use copilot_common::{Record, flag, kind};
use procfs::process::Process;
use tracing::{debug, trace};

use super::newcomers::Newcomers;
use crate::track::{
    ContainerId, Event, ExitStatus, ProcessId, Timestamp,
    mounts::{MountEvidence, Stage, evidence_of},
    place::{Membership, Place, directory},
    process::{self, TICK, process_id},
};

/// Translates records; remembers which cgroup is which container.
pub struct Records {
    place: Place,
    containers: BTreeMap<u64, ContainerId>,
    /// Containers whose cgroups have been looked for in the pod's directory.
    sought: BTreeSet<ContainerId>,
    /// Containers whose mounts have been read: they are all made before the first exec.
    described: BTreeSet<ContainerId>,
    /// Cgroups of containers that a runtime has been seen to make, until their program begins.
    in_the_making: BTreeSet<u64>,
    /// Cgroups of containers whose program has been seen to begin.
    begun: BTreeSet<u64>,
    /// Records have been lost: that one is missing means nothing any more.
    has_gaps: bool,
    /// When the processes that live were started, in clock ticks, by pid: for a kernel whose
    /// records do not tell, since of a process that has ended nobody else can.
    starts: BTreeMap<u64, u64>,
}

impl Records {
    /// For our pod; `own` is the cgroup id of our own container, if we are in the pod.
    pub fn new(place: Place, own: Option<u64>) -> Self {
        let containers = own.into_iter().zip(place.own.clone()).collect();
        Self {
            place,
            containers,
            sought: BTreeSet::new(),
            described: BTreeSet::new(),
            in_the_making: BTreeSet::new(),
            begun: BTreeSet::new(),
            has_gaps: false,
            starts: BTreeMap::new(),
        }
    }

    /// Takes what a look at all processes has shown.
    pub fn learn(&mut self, seen: &[Event]) {
        for event in seen {
            if let Event::ProcessStarted { process, .. } = event {
                self.starts.insert(process.pid, process.started);
            }
        }
    }

    /// A process's pid as the programs know it.
    pub fn kernel_pid(&self, process: ProcessId) -> u64 {
        match self.place.proc_root {
            Some(_) => ProcessId::FOREIGN + process.pid,
            None => process.pid,
        }
    }

    /// Takes the word that a process was made for the first time in a container. A runtime that makes
    /// a container is a process of the node.
    pub fn expect_one(&mut self, fork: &Record) {
        if is_of_the_runtime(fork) && fork.inner_pid == fork.host_pid {
            self.in_the_making.insert(fork.cgroup);
        }
    }

    /// Takes the word that records were lost.
    pub fn expect_gaps(&mut self) {
        self.has_gaps = true;
    }

    /// The cgroup ids of containers. One that no record has told yet, since it ran before we came, may
    /// be told by the pod's directory.
    pub fn cgroup_ids<'a>(
        &mut self,
        containers: impl Iterator<Item = &'a ContainerId>,
    ) -> Vec<u64> {
        let wanted: BTreeSet<&ContainerId> = containers.collect();
        for container in &wanted {
            if self.sought.insert(ContainerId::clone(container))
                && let Some(pod) = &self.place.directory
                && let Some(id) = directory::id_of_container(pod, container)
            {
                self.containers.insert(id, ContainerId::clone(container));
            }
        }
        self.containers
            .iter()
            .filter(|(_, container)| wanted.contains(container))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Whether this is the cgroup of our own container.
    pub fn is_own(&self, cgroup: u64) -> bool {
        let known = self.containers.get(&cgroup).cloned();
        known
            .or_else(|| self.by_directory(cgroup))
            .is_some_and(|container| self.place.is_own(&container))
    }

    /// Appends the events that a record tells, and ends the wait for a container that is made.
    pub fn translate(
        &mut self,
        record: &Record,
        newcomers: &mut Newcomers,
        events: &mut VecDeque<Event>,
    ) {
        trace!(?record, "record");
        // The runtime's own processes work in a container's cgroup while it is made: they live in
        // the node's pid namespace, where no container's first process does.
        if record.cgroup == 0 || is_of_the_runtime(record) {
            return;
        }
        let process = self.identity(record);
        let made = newcomers.container_of_pid(process).cloned();
        let at = Timestamp(record.at);
        match record.kind {
            kind::EXEC => {
                let entered = record.flags & flag::CHILD == 0;
                let container = self.container_of_exec(record.cgroup, process, made.as_ref());
                self.describe(process, &container, record, events);
                if entered {
                    newcomers.arrived(record.cgroup);
                    self.in_the_making.remove(&record.cgroup);
                    self.begun.insert(record.cgroup);
                    events.extend(self.program_of(record, process, &container));
                }
                events.push_back(Event::ProcessStarted {
                    process,
                    container,
                    at,
                    entered,
                });
            }
            kind::EXIT => {
                let mut container = self.container(record.cgroup, process, made.as_ref());
                if self.has_failed(record) {
                    newcomers.arrived(record.cgroup);
                    let failed = container
                        .unwrap_or_else(|| ContainerId::new(&format!("cgroup {}", record.cgroup)));
                    events.push_back(Event::ContainerSeen {
                        container: failed.clone(),
                        evidence: None,
                    });
                    events.push_back(Event::ContainerExited {
                        container: failed.clone(),
                        status: ExitStatus::NotStarted,
                        alive: at,
                        at,
                    });
                    container = Some(failed);
                } else if self.began_unseen(record) {
                    let begun = self.container_of_exec(record.cgroup, process, made.as_ref());
                    events.extend(began_before_us(record, process, &begun));
                    container = Some(begun);
                }
                events.push_back(Event::ProcessExited {
                    process,
                    container,
                    status: status(record),
                    at,
                });
            }
            other => debug!(kind = other, "a record of an unknown kind"),
        }
    }

    /// Whether the process that has ended was the runtime's, waiting in a container to become its
    /// program: it is nobody's child there, as its own children are, hooks among them. Where the
    /// kernel does not describe its structures, children cannot be told.
    fn has_failed(&self, exit: &Record) -> bool {
        let may_tell = !self.has_gaps && exit.started != 0 && exit.flags & flag::CHILD == 0;
        may_tell && self.in_the_making.contains(&exit.cgroup)
    }

    /// Whether it is the end of a container's first process, in a pid namespace of its own, whose
    /// beginning nobody has seen: it was there before us, and no look at `/proc` shows it.
    fn began_unseen(&self, exit: &Record) -> bool {
        let is_first = exit.pid == 0 && exit.inner_pid == 1 && exit.flags & flag::CHILD == 0;
        is_first && !self.is_own(exit.cgroup) && !self.begun.contains(&exit.cgroup)
    }

    /// Reads the mounts of the container in which a program has just begun.
    fn describe(
        &mut self,
        process: ProcessId,
        container: &ContainerId,
        exec: &Record,
        events: &mut VecDeque<Event>,
    ) {
        if self.place.is_own(container) || self.described.contains(container) {
            return;
        }
        // A runtime's hook is a child of its first process, and runs while the container is made.
        let is_child = exec.flags & flag::CHILD != 0;
        let is_hook = is_child && self.in_the_making.contains(&exec.cgroup);
        let process = self.visible(process);
        let evidence = process.and_then(|process| evidence_of(&process, is_hook));
        let is_final = |evidence: &MountEvidence| {
            evidence.stage == Stage::Complete && (!is_child || evidence.name.is_some())
        };
        if evidence.as_ref().is_some_and(is_final) {
            self.described.insert(container.clone());
        }
        events.push_back(Event::ContainerSeen {
            container: container.clone(),
            evidence,
        });
    }

    /// The container with this cgroup, in which this process ran a program; if it cannot be told,
    /// the cgroup's id is its name, once and for all.
    fn container_of_exec(
        &mut self,
        id: u64,
        process: ProcessId,
        made: Option<&ContainerId>,
    ) -> ContainerId {
        self.container(id, process, made).unwrap_or_else(|| {
            let container = ContainerId::new(&format!("cgroup {id}"));
            self.containers.insert(id, container.clone());
            container
        })
    }

    /// The container with this cgroup, in which this process is, if it can be told; `made` is where
    /// it was seen while its container was made.
    fn container(
        &mut self,
        id: u64,
        process: ProcessId,
        made: Option<&ContainerId>,
    ) -> Option<ContainerId> {
        if let Some(container) = self.containers.get(&id) {
            return Some(container.clone());
        }
        let container = self
            .by_directory(id)
            .or_else(|| self.by_process(process))
            .or_else(|| made.cloned())?;
        self.containers.insert(id, container.clone());
        Some(container)
    }

    /// A container's cgroup is a directory of the pod's, and its id is the inode.
    fn by_directory(&self, id: u64) -> Option<ContainerId> {
        directory::container_of_id(self.place.directory.as_ref()?, id)
    }

    /// A process that has ended is still there until its parent has been told.
    fn by_process(&self, process: ProcessId) -> Option<ContainerId> {
        let text = process::read(&self.visible(process)?, "cgroup").ok()?;
        match self.place.pod.membership(self.place.path_in(&text)?) {
            Membership::Container(container) => Some(container),
            Membership::Pod | Membership::Outside => None,
        }
    }

    /// Which process a record is about. One that lives is remembered until it ends.
    fn identity(&mut self, record: &Record) -> ProcessId {
        let pid = match record.pid {
            // As the node's `/proc` names it.
            _ if self.place.proc_root.is_some() => u64::from(record.host_pid),
            0 => ProcessId::FOREIGN + u64::from(record.host_pid),
            pid => u64::from(pid),
        };
        if record.started != 0 {
            let started = record.started / TICK;
            return ProcessId { started, pid };
        }
        let known = match record.kind {
            kind::EXIT => self.starts.remove(&pid),
            _ => None,
        };
        let started = known.or_else(|| self.started(pid)).unwrap_or(0);
        if record.kind == kind::EXEC {
            self.starts.insert(pid, started);
        }
        ProcessId { started, pid }
    }

    /// What a container runs that cannot be read otherwise. The kernel pads the name with NUL.
    fn program_of(
        &self,
        record: &Record,
        process: ProcessId,
        container: &ContainerId,
    ) -> Option<Event> {
        let name = record.comm.split(|byte| *byte == 0).next()?;
        let can_be_read = self.place.is_own(container) || self.visible(process).is_some();
        (!can_be_read && !name.is_empty()).then(|| Event::ProgramSeen {
            container: container.clone(),
            program: String::from_utf8_lossy(name).into_owned(),
        })
    }

    fn visible(&self, process: ProcessId) -> Option<Process> {
        self.place.process(process.visible_pid()?)
    }

    /// When a process that we can see was started, in clock ticks.
    fn started(&self, pid: u64) -> Option<u64> {
        let process = self.visible(ProcessId { started: 0, pid })?;
        Some(process_id(&process::stat(&process).ok()?).started)
    }
}

/// What is to be told, late, of a first process that has just ended.
fn began_before_us(exit: &Record, process: ProcessId, container: &ContainerId) -> [Event; 2] {
    [
        Event::ContainerSeen {
            container: container.clone(),
            evidence: None,
        },
        Event::ProcessStarted {
            process,
            container: container.clone(),
            at: Timestamp(exit.started),
            entered: true,
        },
    ]
}

/// A process that our pid namespace cannot see and that is not the first of its own one.
fn is_of_the_runtime(record: &Record) -> bool {
    record.pid == 0 && record.inner_pid > 1
}

fn status(record: &Record) -> ExitStatus {
    if record.flags & flag::STATUS == 0 {
        return ExitStatus::Unknown;
    }
    ExitStatus::from_wait(record.status.cast_signed(), record.flags & flag::OOM != 0)
}

#[cfg(test)]
mod tests;

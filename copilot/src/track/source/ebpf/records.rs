//! Translates the kernel's records into events.
//!
//! The kernel names a container by its cgroup id, `/proc` by its path. The two are matched here: by the
//! process of the record while it lives, or by the pod's directory where it is mounted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use copilot_common::{CommandLine, Record, flag, kind};
use procfs::process::Process;
use tracing::{debug, trace};

use super::{
    copilots::{Copilots, job_in_proc, name_in},
    newcomers::Newcomers,
};
use crate::track::{
    ContainerId, Event, ExitStatus, Job, ProcessId, Timestamp,
    mounts::{MountEvidence, Stage, evidence_of},
    place::{Membership, Place, directory},
    process::{self, TICK, process_id},
};

/// Translates records, and remembers which cgroup belongs to which container.
pub struct Records {
    place: Place,
    containers: BTreeMap<u64, ContainerId>,
    /// Containers whose cgroups were looked up in the pod's directory.
    sought: BTreeSet<ContainerId>,
    /// Containers whose mounts were read when a program ran, so that they are complete.
    described: BTreeSet<ContainerId>,
    /// Cgroups of containers that a runtime makes, until their program begins.
    in_the_making: BTreeSet<u64>,
    /// Cgroups of containers whose program has begun.
    begun: BTreeSet<u64>,
    /// Processes that run our program.
    copilots: Copilots,
    /// Records were lost, so the absence of a record proves nothing any more.
    has_gaps: bool,
    /// The start times of living processes by pid, in clock ticks. A kernel without BTF does not record
    /// them, and they cannot be read once the process has ended.
    starts: BTreeMap<u64, u64>,
}

impl Records {
    /// A translator for our pod; `own` is the cgroup id of our own container, if we are in the pod.
    pub fn new(place: Place, own: Option<u64>) -> Self {
        let containers = own.into_iter().zip(place.own.clone()).collect();
        Self {
            place,
            containers,
            sought: BTreeSet::new(),
            described: BTreeSet::new(),
            in_the_making: BTreeSet::new(),
            begun: BTreeSet::new(),
            copilots: Copilots::default(),
            has_gaps: false,
            starts: BTreeMap::new(),
        }
    }

    /// Remembers the start times that a scan has found.
    pub fn learn(&mut self, seen: &[Event]) {
        for event in seen {
            if let Event::ProcessStarted { process, .. } = event {
                self.starts.insert(process.pid, process.started);
            }
        }
    }

    /// A process's pid as the programs report it.
    pub fn kernel_pid(&self, process: ProcessId) -> u64 {
        match self.place.proc_root {
            Some(_) => ProcessId::FOREIGN + process.pid,
            None => process.pid,
        }
    }

    /// Notes the first fork in a container: if the process belongs to a runtime, the container is being
    /// made. A runtime that makes a container is a process of the node.
    pub fn expect_container(&mut self, fork: &Record) {
        if is_of_the_runtime(fork) && fork.inner_pid == fork.host_pid {
            self.in_the_making.insert(fork.cgroup);
        }
    }

    /// Notes the command line of a process that has the name of our program.
    pub fn expect_copilot(&mut self, line: &CommandLine) {
        self.copilots.expect(line);
    }

    /// Notes that records were lost.
    pub fn expect_gaps(&mut self) {
        self.has_gaps = true;
    }

    /// The cgroup ids of containers. The pod's directory may yield the id of a container without a
    /// record, which ran before the programs were attached.
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

    /// Appends the events of a record, and ends the wait for a container whose program begins.
    pub fn translate(
        &mut self,
        record: &Record,
        newcomers: &mut Newcomers,
        events: &mut VecDeque<Event>,
    ) {
        trace!(?record, "record");
        // A runtime's own processes work in a container's cgroup while they make it. They live in the
        // node's pid namespace, where a container's first process never lives.
        if record.cgroup == 0 || is_of_the_runtime(record) {
            return;
        }
        let process = self.identity(record);
        let made = newcomers.container_of_pid(process).cloned();
        let at = Timestamp(record.at);
        let told = self.copilots.take(record);
        match record.kind {
            kind::EXEC => {
                let entered = record.flags & flag::CHILD == 0;
                let container = self.container_of_exec(record.cgroup, process, made.as_ref());
                if entered {
                    newcomers.arrived(record.cgroup);
                    self.in_the_making.remove(&record.cgroup);
                    self.begun.insert(record.cgroup);
                    events.extend(self.program_of(record, process, &container));
                    events.extend(self.copilot_in(process, &container, told));
                }
                self.describe(process, &container, record, events);
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
                    events.extend(self.copilot_in(process, &begun, told));
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

    /// Whether the ended process was a runtime's that waited in a container to exec its program. Its
    /// parent is outside the container; its own children, such as hooks, have theirs inside. A kernel
    /// without BTF does not record which process is a child.
    fn has_failed(&self, exit: &Record) -> bool {
        let is_certain = !self.has_gaps && exit.started != 0 && exit.flags & flag::CHILD == 0;
        is_certain && self.in_the_making.contains(&exit.cgroup)
    }

    /// Whether this is the end of a container's first process whose start was never reported: it began
    /// before the programs were attached, in a pid namespace of its own that `/proc` does not show.
    fn began_unseen(&self, exit: &Record) -> bool {
        let is_first = exit.pid == 0 && exit.inner_pid == 1 && exit.flags & flag::CHILD == 0;
        is_first && !self.is_own(exit.cgroup) && !self.begun.contains(&exit.cgroup)
    }

    /// Reads the mount evidence of the container in which a program has just begun.
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
        // A hook is a child of the container's first process, and runs while the container is made.
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

    /// The container with this cgroup, in which this process ran a program. If its name is unknown, the
    /// cgroup's id becomes its name for good.
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

    /// The container with this cgroup, in which this process lives, if its name can be found; `made` is
    /// the container that a scan found for the process earlier.
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

    /// Looks for the cgroup id among the inodes of the pod's subdirectories.
    fn by_directory(&self, id: u64) -> Option<ContainerId> {
        directory::container_with_id(self.place.directory.as_ref()?, id)
    }

    /// Reads the cgroup of the process. A zombie's can be read until its parent reaps it.
    fn by_process(&self, process: ProcessId) -> Option<ContainerId> {
        let text = process::read(&self.visible(process)?, "cgroup").ok()?;
        match self.place.pod.membership(self.place.path_in(&text)?) {
            Membership::Container(container) => Some(container),
            Membership::Pod | Membership::Outside => None,
        }
    }

    /// The process of a record. Remembers the start time of one that lives until it ends.
    fn identity(&mut self, record: &Record) -> ProcessId {
        let pid = match record.pid {
            // The node's `/proc` shows it by its pid on the node.
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

    /// The event with the name of a container's program, if `/proc` does not show the container.
    fn program_of(
        &self,
        record: &Record,
        process: ProcessId,
        container: &ContainerId,
    ) -> Option<Event> {
        let program = name_in(record);
        let is_visible = self.place.is_own(container) || self.visible(process).is_some();
        (!is_visible && !program.is_empty()).then(|| Event::ProgramSeen {
            container: container.clone(),
            program,
            command: Some(record.command).filter(|command| *command != 0),
        })
    }

    /// The event of a process that entered another container, if it runs our program or does so no longer; `told` is
    /// what the kernel shows of it.
    fn copilot_in(
        &mut self,
        process: ProcessId,
        container: &ContainerId,
        told: Option<Job>,
    ) -> Option<Event> {
        if self.place.is_own(container) {
            return None;
        }
        let job = match self.visible(process) {
            Some(visible) => job_in_proc(&visible),
            None => told,
        };
        self.copilots.event(container, process, job)
    }

    fn visible(&self, process: ProcessId) -> Option<Process> {
        self.place.process(process.visible_pid()?)
    }

    /// The start time of a process that we see, in clock ticks.
    fn started(&self, pid: u64) -> Option<u64> {
        let process = self.visible(ProcessId { started: 0, pid })?;
        Some(process_id(&process::stat(&process).ok()?).started)
    }
}

/// The late events for a first process that began before the programs were attached, and has just
/// ended.
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

/// Whether the process belongs to a runtime: it is outside our pid namespace, and not the first process
/// of its own.
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

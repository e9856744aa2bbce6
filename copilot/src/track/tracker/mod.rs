//! The state machine: events in, "main started" and "main exited" out.
//!
//! No I/O, no clock, no async. Events only *add* to what is known of containers and their processes. After
//! each event the tracker judges all of it again, and reports each change once. So an event may come
//! twice, late or out of order between sources. Called by `watch`. Never here: which ending follows.
//!
//! Main has started at the first exec of its container's first process, and has ended when that process
//! has ended. The runtime's processes exec and exit in the container's cgroup before that, and exec
//! sessions come after. After a loss of events the tracker waits for a scan that shows which processes
//! live. It also waits after an end that may be an init container's.

mod container;
mod judgement;
mod overview;
mod sighting;
mod transition;

use std::collections::{BTreeMap, BTreeSet};

use self::{
    container::{Container, Exit, Process},
    judgement::candidate,
    transition::Doubt,
};
pub use self::{overview::ContainerOverview, transition::Transition};
use super::{
    ContainerId, Event, Marker, ProcessId, Timestamp,
    identify::{Rules, Why},
};

/// How many exits to keep of processes that may turn out to be the first of their container. Beyond this
/// the youngest processes are dropped: a first process is older than its children.
const STRAYS: usize = 4096;

/// Who lives that may still write outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// No container.
    Nobody,
    /// Only containers that run our program, or say so: they wait for main as we do.
    Copilots,
    /// Others.
    Others,
}

/// What is known of the pod so far.
#[derive(Debug)]
pub struct Tracker {
    rules: Rules,
    containers: BTreeMap<ContainerId, Container>,
    /// Exits of processes whose start was not reported, with the container if it is known.
    strays: BTreeMap<ProcessId, (Exit, Option<ContainerId>)>,
    /// Events were lost before this moment: the tracker concludes nothing before a scan that began later.
    unsure_before: Option<Timestamp>,
    /// When events were last known to be lost.
    last_loss: Option<Timestamp>,
    markers: BTreeMap<Marker, Timestamp>,
    found: Option<(Vec<ContainerId>, Why)>,
    started: bool,
    doubt: Doubt,
    exited: bool,
    marked: bool,
}

impl Tracker {
    /// A tracker that knows nothing yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            containers: BTreeMap::new(),
            strays: BTreeMap::new(),
            unsure_before: None,
            last_loss: None,
            markers: BTreeMap::new(),
            found: None,
            started: false,
            doubt: Doubt::None,
            exited: false,
            marked: false,
        }
    }

    /// Takes one event and returns what follows from it.
    pub fn observe(&mut self, event: Event) -> Vec<Transition> {
        match event {
            Event::ContainerSeen {
                container,
                evidence,
            } => {
                self.containers
                    .entry(container)
                    .or_default()
                    .describe(evidence);
            }
            Event::ProcessStarted {
                process,
                container,
                at,
                entered,
            } => self.start(process, &container, at, entered),
            Event::ProcessExited {
                process,
                container,
                status,
                at,
            } => self.exit(
                process,
                container,
                Exit {
                    status,
                    at,
                    alive: at,
                },
            ),
            Event::ProgramSeen {
                container,
                program,
                command,
            } => {
                let known = self.containers.entry(container).or_default();
                // Exec sessions come later, and run programs of their own.
                if known.program.is_none() {
                    known.program = Some(program);
                    known.command = command;
                }
            }
            Event::CopilotSeen {
                container,
                process,
                job,
            } => {
                let known = self.containers.entry(container).or_default();
                known.note_copilot(process, job);
            }
            Event::ContainerStarted { container, at } => {
                self.containers.entry(container).or_default().announce(at);
            }
            Event::ContainerExited {
                container,
                status,
                at,
                alive,
            } => self
                .containers
                .entry(container)
                .or_default()
                .announce_end(Exit { status, at, alive }),
            Event::MarkerWritten { marker, at } => {
                self.markers.entry(marker).or_insert(at);
            }
            Event::Scanned { alive, began } => self.compare(&alive, began),
            Event::Lost { at, .. } => {
                self.last_loss = self.last_loss.max(Some(at));
                self.unsure_before = self.unsure_before.max(Some(at));
            }
        }
        self.conclude()
    }

    /// No other container will come, so the container that seems to be main is main. SIGTERM means this,
    /// since kubelet stops us only after main, or with the whole pod.
    pub fn confirm(&mut self) -> Vec<Transition> {
        self.doubt = Doubt::Dispelled;
        self.conclude()
    }

    /// Whether all that seem to be main have ended, and another may come.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        matches!(self.doubt, Doubt::About { .. })
    }

    /// How many containers are known to have ended.
    #[must_use]
    pub fn ends(&self) -> usize {
        let containers = self.containers.values();
        containers
            .filter(|container| container.exit().is_some())
            .count()
    }

    /// Whether main has been seen to run.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.started
    }

    /// Whether a main was seen to run and was not seen to end. A marker file does not count as seen to run:
    /// no source would see that main end.
    #[must_use]
    pub fn is_main_alive(&self) -> bool {
        let mains = self
            .mains()
            .iter()
            .filter_map(|main| self.containers.get(main));
        mains
            .into_iter()
            .any(|main| main.began().is_some() && main.exit().is_none())
    }

    /// Whether a container lives that may be main: not ours, not the sandbox, not known infrastructure.
    #[must_use]
    pub fn is_anybody_there(&self) -> bool {
        self.containers.iter().any(|(id, container)| {
            container.exit().is_none() && self.rules.may_become_main(&candidate(id, container))
        })
    }

    /// Who lives that may still write outputs. A logger whose mounts are known, and are not those of the outputs,
    /// does not count: it may live as long as the pod.
    #[must_use]
    pub fn writers(&self) -> Writers {
        let mut found = Writers::Nobody;
        for (id, container) in &self.containers {
            let candidate = candidate(id, container);
            if container.exit().is_some() || !self.rules.may_write_outputs(&candidate) {
                continue;
            }
            if !self.rules.is_copilot(&candidate) {
                return Writers::Others;
            }
            found = Writers::Copilots;
        }
        found
    }

    /// Whether main has started, and no other container can turn out to be main.
    #[must_use]
    pub fn is_main_certain(&self) -> bool {
        let found = self.found.as_ref();
        self.started && found.is_some_and(|(_, why)| self.rules.is_certain(*why))
    }

    /// The main containers, as far as they are known.
    #[must_use]
    pub fn mains(&self) -> &[ContainerId] {
        self.found.as_ref().map_or(&[], |(mains, _)| mains)
    }

    /// The containers whose first process is known, each with that process.
    pub fn first_processes(&self) -> impl Iterator<Item = (&ContainerId, ProcessId)> {
        self.containers
            .iter()
            .filter_map(|(id, container)| Some((id, container.first.as_ref()?.id)))
    }

    /// The first processes of the mains that have started.
    #[must_use]
    pub fn main_processes(&self) -> Vec<ProcessId> {
        self.mains()
            .iter()
            .filter_map(|main| self.first_of(main))
            .map(|first| first.id)
            .collect()
    }

    /// The names of containers, for a person; the id if the name is unknown.
    #[must_use]
    pub fn names(&self, containers: &[ContainerId]) -> Vec<String> {
        let name = |id: &ContainerId| {
            let evidence = self.containers.get(id)?.evidence.as_ref()?;
            evidence.name.clone()
        };
        let names = containers.iter();
        names
            .map(|id| name(id).unwrap_or_else(|| id.to_string()))
            .collect()
    }

    /// The names of the other containers seen so far, for a person.
    #[must_use]
    pub fn names_seen(&self) -> Vec<String> {
        let others = self.containers.keys();
        let others = others.filter(|id| self.rules.own.as_ref() != Some(*id));
        self.names(&others.cloned().collect::<Vec<_>>())
    }

    fn first_of(&self, container: &ContainerId) -> Option<&Process> {
        self.containers.get(container)?.first.as_ref()
    }

    fn start(&mut self, id: ProcessId, container: &ContainerId, at: Timestamp, entered: bool) {
        let known = self.containers.entry(container.clone()).or_default();
        // A child of the container is not its first process, unless another source says so.
        let is_first = known.first.as_ref().is_some_and(|first| first.id == id);
        if !(entered || is_first) || !known.enter(id, at) {
            return;
        }
        if let Some((exit, _)) = self.strays.remove(&id)
            && let Some(first) = &mut known.first
        {
            first.end(exit);
        }
        self.strays
            .retain(|stray, (_, of)| *stray < id || of.as_ref() != Some(container));
    }

    fn exit(&mut self, id: ProcessId, container: Option<ContainerId>, exit: Exit) {
        let mut is_known = false;
        let firsts = self
            .containers
            .values_mut()
            .filter_map(|each| each.first.as_mut());
        for first in firsts.filter(|first| first.id == id) {
            first.end(exit);
            is_known = true;
        }
        let is_younger = container
            .as_ref()
            .and_then(|container| self.containers.get(container))
            .is_some_and(|container| container.began_before(id));
        if is_known || is_younger {
            return;
        }
        self.strays.insert(id, (exit, container));
        if self.strays.len() > STRAYS {
            self.strays.pop_last();
        }
    }

    fn compare(&mut self, alive: &BTreeSet<ProcessId>, began: Timestamp) {
        if self.unsure_before.is_some_and(|lost| lost <= began) {
            self.unsure_before = None;
        }
        let firsts = self
            .containers
            .values_mut()
            .filter_map(|each| each.first.as_mut());
        for first in firsts {
            first.compare(alive, began);
        }
    }
}

#[cfg(test)]
mod tests;

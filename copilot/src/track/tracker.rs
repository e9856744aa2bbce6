//! The state machine: events in, "main started" and "main exited" out.
//!
//! No I/O, no clock, no async. Events only ever *add* to what is known of containers and their
//! processes; after each one the whole is judged anew, and what has changed is said once. So an
//! event may come twice, late or out of order between sources.
//!
//! Main has started at the first exec of its container's first process, and has ended when that
//! process has: the runtime's own processes exec and exit in the container's cgroup before, and
//! exec sessions come after. Events that were lost make the tracker hold its word until a scan has
//! shown who still lives.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ContainerId, Event, ExitStatus, ProcessId, Timestamp,
    identify::{Candidate, Rules, Why},
    kubelet::Traits,
};

/// What the tracker has concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// These containers are main. Said again if the set changes before main has ended.
    MainFound {
        /// The containers, in the order of their names.
        containers: Vec<ContainerId>,
        /// By which rule.
        why: Why,
    },
    /// The first of the mains runs its program.
    MainStarted {
        /// The first processes of the mains that have started so far.
        processes: Vec<ProcessId>,
        /// When.
        at: Timestamp,
    },
    /// All mains have ended.
    MainExited {
        /// The worst status of them.
        status: ExitStatus,
        /// When the last of them ended.
        at: Timestamp,
    },
}

/// How many exits are kept for processes whose start has not been told; the oldest go first.
const STRAYS: usize = 4096;

/// What is known of the pod so far.
#[derive(Debug)]
pub struct Tracker {
    rules: Rules,
    containers: BTreeMap<ContainerId, Container>,
    /// Exits of processes that no container is known for yet.
    strays: BTreeMap<ProcessId, Exit>,
    /// Events were lost: nothing is concluded before the next scan.
    unsure: bool,
    found: Option<(Vec<ContainerId>, Why)>,
    started: bool,
    exited: bool,
}

#[derive(Debug, Default)]
struct Container {
    /// A source has described it, even if only to say that nothing could be read of it.
    seen: bool,
    traits: Option<Traits>,
    /// The processes that came from outside, oldest first.
    entered: BTreeMap<ProcessId, Process>,
}

#[derive(Debug)]
struct Process {
    started: Timestamp,
    exit: Option<Exit>,
}

#[derive(Clone, Copy, Debug)]
struct Exit {
    status: ExitStatus,
    at: Timestamp,
}

impl Tracker {
    /// A tracker that knows nothing yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            containers: BTreeMap::new(),
            strays: BTreeMap::new(),
            unsure: false,
            found: None,
            started: false,
            exited: false,
        }
    }

    /// Takes one event and says what follows from it.
    pub fn observe(&mut self, event: Event) -> Vec<Transition> {
        match event {
            Event::ContainerSeen { container, traits } => self.see(container, traits),
            Event::ProcessStarted {
                process,
                container,
                at,
                entered,
            } => self.start(process, container, at, entered),
            Event::ProcessExited {
                process,
                status,
                at,
                ..
            } => self.exit(process, Exit { status, at }),
            Event::Scanned { alive, began } => self.compare(&alive, began),
            Event::Lost { .. } => self.unsure = true,
        }
        self.conclude()
    }

    /// Whether main has been seen to run.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.started
    }

    /// The main containers, as far as they are known.
    #[must_use]
    pub fn mains(&self) -> &[ContainerId] {
        self.found.as_ref().map_or(&[], |(mains, _)| mains)
    }

    /// The containers whose first process is known: their later execs change nothing.
    pub fn known_containers(&self) -> impl Iterator<Item = &ContainerId> {
        self.containers
            .iter()
            .filter(|(_, container)| container.first().is_some())
            .map(|(id, _)| id)
    }

    /// The first processes of the mains that have started.
    #[must_use]
    pub fn main_processes(&self) -> Vec<ProcessId> {
        self.mains()
            .iter()
            .filter_map(|main| self.containers.get(main)?.first())
            .map(|(id, _)| *id)
            .collect()
    }

    /// The names of the containers seen so far, for a person who looks for one.
    #[must_use]
    pub fn names_seen(&self) -> Vec<String> {
        self.containers
            .iter()
            .map(|(id, container)| {
                let name = container
                    .traits
                    .as_ref()
                    .and_then(|traits| traits.name.clone());
                name.unwrap_or_else(|| id.to_string())
            })
            .collect()
    }

    fn see(&mut self, id: ContainerId, traits: Option<Traits>) {
        let container = self.containers.entry(id).or_default();
        // Early in a container's life its mounts are not all there: keep the reading that says more.
        container.seen = true;
        let worth = |traits: &Traits| (traits.name.is_some(), traits.mounts.len());
        if traits.as_ref().map(worth) >= container.traits.as_ref().map(worth) {
            container.traits = traits;
        }
    }

    fn start(&mut self, id: ProcessId, container: ContainerId, at: Timestamp, entered: bool) {
        let container = self.containers.entry(container).or_default();
        // A child of the container is never its first process: a main that forks all day must not
        // fill our memory.
        if !entered && !container.entered.contains_key(&id) {
            return;
        }
        let stray = self.strays.remove(&id);
        let process = container.entered.entry(id).or_insert(Process {
            started: at,
            exit: None,
        });
        process.started = process.started.min(at);
        if let Some(exit) = stray {
            process.end(exit);
        }
    }

    fn exit(&mut self, id: ProcessId, exit: Exit) {
        let known = self
            .containers
            .values_mut()
            .find_map(|container| container.entered.get_mut(&id));
        if let Some(process) = known {
            process.end(exit);
            return;
        }
        self.strays.insert(id, exit);
        if self.strays.len() > STRAYS {
            self.strays.pop_first();
        }
    }

    /// A scan shows who lives: whoever it could have seen and did not is gone.
    fn compare(&mut self, alive: &BTreeSet<ProcessId>, began: Timestamp) {
        self.unsure = false;
        let all = self
            .containers
            .values_mut()
            .flat_map(|container| &mut container.entered);
        for (id, process) in all {
            let visible = id.visible_pid().is_some();
            if visible && process.started < began && !alive.contains(id) {
                process.end(Exit {
                    status: ExitStatus::Unknown,
                    at: began,
                });
            }
        }
    }

    fn conclude(&mut self) -> Vec<Transition> {
        let mut transitions = Vec::new();
        if self.unsure || self.exited {
            return transitions;
        }
        let Some((mains, why)) = self.choose() else {
            return transitions;
        };
        if self.found.as_ref().map(|(found, _)| found) != Some(&mains) {
            self.found = Some((mains.clone(), why));
            transitions.push(Transition::MainFound {
                containers: mains.clone(),
                why,
            });
        }
        let firsts: Vec<Option<(&ProcessId, &Process)>> = mains
            .iter()
            .map(|main| self.containers.get(main).and_then(Container::first))
            .collect();
        let known: Vec<_> = firsts.iter().flatten().collect();
        if !self.started
            && let Some(at) = known.iter().map(|(_, process)| process.started).min()
        {
            self.started = true;
            transitions.push(Transition::MainStarted {
                processes: known.iter().map(|(id, _)| **id).collect(),
                at,
            });
        }
        let exits: Option<Vec<Exit>> = firsts.iter().map(|first| (*first)?.1.exit).collect();
        if let Some(exits) = exits
            && let Some(last) = exits.iter().max_by_key(|exit| exit.at)
        {
            self.exited = true;
            transitions.push(Transition::MainExited {
                status: exits
                    .iter()
                    .fold(ExitStatus::Code(0), |worst, exit| worst.worse(exit.status)),
                at: last.at,
            });
        }
        transitions
    }

    fn choose(&self) -> Option<(Vec<ContainerId>, Why)> {
        // A container that no source has described yet could still turn out to be infrastructure.
        let candidates: Vec<Candidate<'_>> = self
            .containers
            .iter()
            .filter(|(_, container)| container.seen)
            .map(|(id, container)| {
                let first = container.first().map(|(_, process)| process);
                Candidate {
                    id,
                    traits: container.traits.as_ref(),
                    began: first.map(|process| process.started),
                    ended: first.and_then(|process| process.exit).map(|exit| exit.at),
                }
            })
            .collect();
        self.rules.choose(&candidates)
    }
}

impl Container {
    /// The oldest of the processes that came from outside.
    fn first(&self) -> Option<(&ProcessId, &Process)> {
        self.entered.first_key_value()
    }
}

impl Process {
    /// Takes an exit; one whose status is known replaces one whose status is not.
    fn end(&mut self, exit: Exit) {
        if self.exit.is_none_or(|known| {
            known.status == ExitStatus::Unknown && exit.status != ExitStatus::Unknown
        }) {
            self.exit = Some(exit);
        }
    }
}

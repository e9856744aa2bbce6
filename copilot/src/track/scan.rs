//! One complete look at the processes that we can see, as events.
//!
//! The `proc` source is nothing but this, repeated; the `ebpf` source begins with it, for whoever
//! ran before it was attached, and comes back to it after a loss.

use std::collections::{BTreeMap, BTreeSet};

use procfs::process::{Process, Stat, all_processes};
use tracing::debug;

use super::cgroup::{self, Membership, PodPath};
use super::place::{Place, read_file_of};
use super::{ContainerId, Event, ProcessId, Timestamp, kubelet::Traits};

/// Clock ticks a second, as `/proc` counts start times; fixed at 100 for user space.
const TICKS_PER_SECOND: u64 = 100;

/// Nanoseconds of one clock tick.
pub const TICK: u64 = 1_000_000_000 / TICKS_PER_SECOND;

/// So long after its start a process may still be moved into its container's cgroup, and a
/// container's mounts may still be made.
const YOUTH: u64 = 5 * TICKS_PER_SECOND;

/// Command names of a container runtime's own first process, before it execs the container's program.
const RUNTIME_NAMES: &[&str] = &["runc:[", "crun", "youki:["];

/// Looks at `/proc`, again and again, and remembers what it need not read twice.
#[derive(Debug)]
pub struct Scanner {
    place: Place,
    known: BTreeMap<i32, Known>,
    /// Containers whose traits have been read for good.
    described: BTreeSet<ContainerId>,
}

#[derive(Debug)]
struct Known {
    id: ProcessId,
    container: Option<ContainerId>,
    /// Its start has been told.
    told: bool,
}

impl Scanner {
    /// A scanner of our pod's processes.
    #[must_use]
    pub fn new(place: Place) -> Self {
        Self {
            place,
            known: BTreeMap::new(),
            described: BTreeSet::new(),
        }
    }

    /// What has changed since the last look; the last event is [`Event::Scanned`].
    pub fn scan(&mut self) -> Vec<Event> {
        let began = Timestamp::now();
        let now = began.0 / TICK;
        let mut events = Vec::new();
        let mut alive = BTreeSet::new();
        let mut present = BTreeSet::new();
        for (process, stat) in living() {
            let id = process_id(&stat);
            alive.insert(id);
            present.insert(stat.pid);
            self.look_at(&process, &stat, id, now, &mut events);
        }
        self.known.retain(|pid, _| present.contains(pid));
        events.push(Event::Scanned { alive, began });
        events
    }

    /// How many processes live in these containers, by one look at all.
    pub fn living_in(&mut self, containers: &[ContainerId]) -> usize {
        self.scan();
        self.known
            .values()
            .filter_map(|known| known.container.as_ref())
            .filter(|container| containers.contains(container))
            .count()
    }

    fn look_at(
        &mut self,
        process: &Process,
        stat: &Stat,
        id: ProcessId,
        now: u64,
        events: &mut Vec<Event>,
    ) {
        let young = now.saturating_sub(id.started) < YOUTH;
        let known = self.known.get(&stat.pid).filter(|known| known.id == id);
        let container = match known {
            Some(known) if known.container.is_some() || !young => known.container.clone(),
            _ => self.container_of(process),
        };
        let told = known.is_some_and(|known| known.told && known.container == container);
        let mut now_told = told;
        if let Some(container) = &container {
            self.describe(process, container, young, events);
            if !told && !is_runtime(stat) {
                now_told = true;
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
            Known {
                id,
                container,
                told: now_told,
            },
        );
    }

    /// The container of our pod in which a process runs.
    fn container_of(&self, process: &Process) -> Option<ContainerId> {
        if let PodPath::Untold { uid } = &self.place.pod {
            let traits = traits_of(process)?;
            let name = traits.name.filter(|_| traits.pod_uid.as_ref() == Some(uid));
            return name.map(|name| ContainerId::new(&name));
        }
        let text = read_file_of(process, "cgroup").ok()?;
        let (path, _) = cgroup::container_path(&text)?;
        match self.place.pod.membership(path) {
            Membership::Container(container) => Some(container),
            Membership::Pod | Membership::Outside => None,
        }
    }

    fn describe(
        &mut self,
        process: &Process,
        container: &ContainerId,
        young: bool,
        events: &mut Vec<Event>,
    ) {
        if self.described.contains(container) {
            return;
        }
        let traits = traits_of(process);
        let complete = traits.as_ref().is_some_and(|traits| traits.name.is_some());
        if complete || !young {
            self.described.insert(container.clone());
        }
        events.push(Event::ContainerSeen {
            container: container.clone(),
            traits,
        });
    }

    /// Whether the parent lies outside the container; in a shared pid namespace it then has no pid.
    fn entered(&self, stat: &Stat, container: &ContainerId) -> bool {
        if stat.ppid == 0 {
            return true;
        }
        let known = self
            .known
            .get(&stat.ppid)
            .map(|known| known.container.clone());
        let parents = known.unwrap_or_else(|| {
            let parent = Process::new(stat.ppid).ok()?;
            self.container_of(&parent)
        });
        parents.as_ref() != Some(container)
    }
}

/// What a process's mounts say of its container; nothing if it is gone, or its leader has ended.
pub fn traits_of(process: &Process) -> Option<Traits> {
    match read_file_of(process, "mountinfo") {
        Ok(text) => Some(Traits::from_mountinfo(&text)),
        Err(error) => {
            debug!(pid = process.pid(), %error, "mountinfo cannot be read");
            None
        }
    }
}

/// All processes that live, with their stat. A process that goes away meanwhile is left out.
fn living() -> impl Iterator<Item = (Process, Stat)> {
    all_processes()
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|process| {
            let stat = process.stat().ok()?;
            lives(&stat).then_some((process, stat))
        })
}

/// A zombie has ended, unless it is a leader whose other threads live on.
fn lives(stat: &Stat) -> bool {
    !matches!(stat.state, 'Z' | 'X' | 'x') || stat.num_threads > 1
}

fn is_runtime(stat: &Stat) -> bool {
    RUNTIME_NAMES.iter().any(|name| stat.comm.starts_with(name))
}

/// The identity of a process, as `/proc/PID/stat` tells it.
#[must_use]
pub fn process_id(stat: &Stat) -> ProcessId {
    ProcessId {
        started: stat.starttime,
        pid: u64::try_from(stat.pid).unwrap_or(0),
    }
}

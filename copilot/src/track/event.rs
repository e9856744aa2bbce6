//! The vocabulary: the only things that a source may say.
//!
//! An event may come twice, late, or out of order between sources; the tracker is built for that.
//! A process is a pid *and* its start time, never a bare pid, so a recycled pid is another process.
//! All times are boot time (`CLOCK_BOOTTIME`), which the kernel's events carry as well.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use rustix::time::{ClockId, clock_gettime};

use super::{mounts::MountEvidence, status::ExitStatus};

/// Nanoseconds since boot, time asleep included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// What `CLOCK_BOOTTIME` says now.
    #[must_use]
    pub fn now() -> Self {
        let now = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        Self(seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0))
    }

    /// The time from `earlier` to this; zero if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A process: its thread group id and when it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId {
    /// Clock ticks since boot (hundredths of a second), as `/proc/PID/stat` tells: the coarsest
    /// unit that every source knows. First in order, so that processes sort by age.
    pub started: u64,
    /// The id in our own pid namespace; with [`ProcessId::FOREIGN`] added, the id in the initial
    /// one, for a process that ours cannot see.
    pub pid: u64,
}

impl ProcessId {
    /// Added to the pid of a process of a pid namespace that is not ours.
    pub const FOREIGN: u64 = copilot_common::FOREIGN;

    /// The pid as `/proc` names it, if our pid namespace can see the process.
    #[must_use]
    pub fn visible_pid(self) -> Option<i32> {
        i32::try_from(self.pid).ok()
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.visible_pid() {
            Some(pid) => write!(f, "{pid}"),
            None => write!(f, "{} (of the node)", self.pid & (Self::FOREIGN - 1)),
        }
    }
}

/// A container, by the id that its runtime gave it: stable for its life, and the same for every
/// source. The kernel's side knows it within the name of a cgroup, the API within an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(Arc<str>);

impl ContainerId {
    /// From the name of the cgroup one level below the pod, or from the id itself.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(runtime_id(name).into())
    }

    /// The id; of a cgroup whose name holds none, the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The container's id within the name of its cgroup: `cri-containerd-<id>.scope`, `crio-<id>.scope`,
/// `docker-<id>.scope`, `<id>`; the name, if it holds none.
fn runtime_id(name: &str) -> &str {
    let stem = name.strip_suffix(".scope").unwrap_or(name);
    stem.rsplit('-')
        .next()
        .filter(|id| id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .unwrap_or(name)
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file by which main speaks to us, as the reference's `file` watcher understands it (spec §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Marker {
    /// `_START`: main has begun.
    Start,
    /// `_SUCCESS`: the outputs are complete.
    Success,
    /// `_ERROR`: main has failed; the file says why.
    Error,
}

impl Marker {
    /// All of them, by file name.
    pub const ALL: [(&'static str, Self); 3] = [
        ("_START", Self::Start),
        ("_SUCCESS", Self::Success),
        ("_ERROR", Self::Error),
    ];

    /// The file's name.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Start => "_START",
            Self::Success => "_SUCCESS",
            Self::Error => "_ERROR",
        }
    }
}

/// Something that a source has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A container of the pod exists; `evidence` is what is known of it so far.
    ContainerSeen {
        /// Which.
        container: ContainerId,
        /// What its mounts say of it; nothing where they could not be read.
        evidence: Option<MountEvidence>,
    },
    /// A process runs a program of its container: it has succeeded in an exec, or was found running.
    ProcessStarted {
        /// Which.
        process: ProcessId,
        /// Where it runs.
        container: ContainerId,
        /// When; for a process that was found running, when it was started.
        at: Timestamp,
        /// Whether it came into the container from outside, its parent being elsewhere: the
        /// container's first process does, and those of exec sessions do.
        entered: bool,
    },
    /// The last thread of a process has exited.
    ProcessExited {
        /// Which.
        process: ProcessId,
        /// Where it ran, if the source knows.
        container: Option<ContainerId>,
        /// How it ended.
        status: ExitStatus,
        /// When it ended, or when it was first missed.
        at: Timestamp,
    },
    /// The name of the program that a container's first process runs. It is not proof of who the
    /// container is, but where its mounts cannot be read there is nothing else.
    ProgramSeen {
        /// Which container.
        container: ContainerId,
        /// The command name, of at most 15 bytes.
        program: String,
    },
    /// A container runs its program, by the word of one who knows containers and not processes.
    ContainerStarted {
        /// Which.
        container: ContainerId,
        /// When.
        at: Timestamp,
    },
    /// A container has ended, by the same word, or no process is left in its cgroup.
    ContainerExited {
        /// Which.
        container: ContainerId,
        /// How it ended.
        status: ExitStatus,
        /// When it ended, or when it was found empty.
        at: Timestamp,
        /// When it still lived for certain: the end lies between this and `at`.
        alive: Timestamp,
    },
    /// A marker file lies in the output directory.
    MarkerWritten {
        /// Which.
        marker: Marker,
        /// When it was seen.
        at: Timestamp,
    },
    /// A complete look at the processes that we can see: any other that we could see is gone.
    Scanned {
        /// The processes that live.
        alive: BTreeSet<ProcessId>,
        /// When the look began: a process that started later may be missing from it.
        began: Timestamp,
    },
    /// The source has lost events. Nothing is concluded until an [`Event::Scanned`] that began later.
    Lost {
        /// How many, as far as it can tell.
        count: u64,
        /// When it was noticed: whatever is lost happened before.
        at: Timestamp,
    },
}

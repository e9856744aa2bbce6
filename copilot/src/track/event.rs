//! The vocabulary of process events: all that a source may report.
//!
//! An event may come twice, late, or out of order between sources; the tracker allows for that.
//! A process is a pid *and* its start time, never a bare pid, so a recycled pid is another process.
//! All times are boot time (`CLOCK_BOOTTIME`), as in the kernel's events.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use rustix::time::{ClockId, clock_gettime};

use super::{mounts::MountEvidence, status::ExitStatus};

/// Nanoseconds since boot, time asleep included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The current `CLOCK_BOOTTIME`.
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
    /// Clock ticks since boot (hundredths of a second), as in `/proc/PID/stat`: the unit that every source
    /// knows. The first field, so that processes sort by age.
    pub started: u64,
    /// The id in our pid namespace. If our namespace does not show the process: the id in the initial
    /// namespace plus [`ProcessId::FOREIGN`].
    pub pid: u64,
}

impl ProcessId {
    /// Added to the pid of a process that our pid namespace does not show.
    pub const FOREIGN: u64 = copilot_common::FOREIGN;

    /// The pid in `/proc`, if our pid namespace shows the process.
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

/// A container, by the id that its runtime gave it: stable for its life, and the same for every source.
/// The name of its cgroup contains the id, and so does the API's container address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(Arc<str>);

impl ContainerId {
    /// From the name of the cgroup one level below the pod, or from the id.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(runtime_id(name).into())
    }

    /// The id, or the cgroup's name if that contains no id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The container's id within the name of its cgroup: `cri-containerd-<id>.scope`, `crio-<id>.scope`,
/// `docker-<id>.scope`, `<pod>:cri-containerd:<id>`, `<id>`; the name, if it holds none.
fn runtime_id(name: &str) -> &str {
    let stem = name.strip_suffix(".scope").unwrap_or(name);
    stem.rsplit(['-', ':'])
        .next()
        .filter(|id| id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .unwrap_or(name)
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a process of our program does, or of the reference's: its command line says it. Each waits for main, or
/// ends before main begins; none is main.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// `sidecar`: it uploads when main has ended.
    Sidecar,
    /// `download`: it ends before main begins, or streams while main runs.
    Download,
}

/// A file that main writes for the sidecar, as the reference's `file` watcher reads it (spec §7).
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

/// What a source has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A container of the pod exists.
    ContainerSeen {
        /// The container.
        container: ContainerId,
        /// What its mounts say of it so far; nothing if they could not be read.
        evidence: Option<MountEvidence>,
    },
    /// A process runs a program of its container: its exec succeeded, or a look found it.
    ProcessStarted {
        /// The process.
        process: ProcessId,
        /// Its container.
        container: ContainerId,
        /// The time of the exec, or of the process's start if a look found it.
        at: Timestamp,
        /// Its parent is outside the container: so it is the container's first process, or that of an exec
        /// session.
        entered: bool,
    },
    /// The last thread of a process has exited.
    ProcessExited {
        /// The process.
        process: ProcessId,
        /// Its container, if the source knows it.
        container: Option<ContainerId>,
        /// How it ended.
        status: ExitStatus,
        /// When it ended, or when it was first missed.
        at: Timestamp,
    },
    /// The name of the program that a container's first process runs. It proves nothing, but nothing else is
    /// known of a container whose mounts cannot be read.
    ProgramSeen {
        /// The container.
        container: ContainerId,
        /// The command name, of at most 15 bytes.
        program: String,
        /// A fingerprint of the command line: a restarted container has the same one.
        command: Option<u64>,
    },
    /// A process that entered a container runs our program, or the reference's; with no job: it runs another
    /// program now. Comes before the process's start, so that it is never taken for main.
    CopilotSeen {
        /// The container.
        container: ContainerId,
        /// The process.
        process: ProcessId,
        /// What it does.
        job: Option<Job>,
    },
    /// A container runs its program. From a source that knows containers and not processes.
    ContainerStarted {
        /// The container.
        container: ContainerId,
        /// When its program began.
        at: Timestamp,
    },
    /// A container has ended. From such a source, or because its cgroup holds no process.
    ContainerExited {
        /// The container.
        container: ContainerId,
        /// How it ended.
        status: ExitStatus,
        /// When it ended, or when it was found empty.
        at: Timestamp,
        /// When it certainly still lived: the end lies between this and `at`.
        alive: Timestamp,
    },
    /// The output directory contains a marker file.
    MarkerWritten {
        /// The file.
        marker: Marker,
        /// When it was seen.
        at: Timestamp,
    },
    /// A complete look at the visible processes: a visible process that it does not list is gone.
    Scanned {
        /// The processes that live.
        alive: BTreeSet<ProcessId>,
        /// When the look began: it may not list a process that started later.
        began: Timestamp,
    },
    /// The source has lost events. Nothing is concluded until an [`Event::Scanned`] that began later.
    Lost {
        /// How many, as far as the source knows.
        count: u64,
        /// When the source noticed: the lost events happened before.
        at: Timestamp,
    },
}

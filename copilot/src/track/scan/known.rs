//! What a scan knows of a process, and remembers for the next one.

use procfs::process::Stat;

use crate::track::{
    ContainerId, ProcessId,
    process::{TICKS_PER_SECOND, is_runtime},
};

/// For this long after its start, in clock ticks, a process may still be moved into its container's cgroup, and a
/// container's mounts may still be made.
pub(super) const YOUTH: u64 = 5 * TICKS_PER_SECOND;

/// For this long, in clock ticks, a process may have our name and no command line yet: an exec sets them one after
/// the other, and a CPU limit may stop it between the two. Later, a program has removed its own command line.
pub(super) const EXEC: u64 = TICKS_PER_SECOND;

/// What follows from a process's age and name.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessKind {
    /// It belongs to a runtime, which makes the container.
    pub(super) is_runtimes: bool,
    /// It may still move to another cgroup, or belong to a runtime that we do not know.
    pub(super) is_young: bool,
}

impl ProcessKind {
    /// The kind of a process of this age, in clock ticks.
    pub(super) fn of(stat: &Stat, age: u64) -> Self {
        Self {
            is_runtimes: is_runtime(stat, age),
            is_young: age < YOUTH,
        }
    }
}

/// What is remembered of a process.
#[derive(Clone, Debug)]
pub(super) struct KnownProcess {
    pub(super) id: ProcessId,
    pub(super) container: Option<ContainerId>,
    /// Its start has been reported.
    pub(super) reported: bool,
    /// It waits for the runtime's order to exec the container's program.
    pub(super) waits: bool,
    /// At the last look it had the name of our program.
    pub(super) is_copilot: bool,
    /// When it was first seen in the middle of an exec of our program, in clock ticks.
    pub(super) exec_began: Option<u64>,
}

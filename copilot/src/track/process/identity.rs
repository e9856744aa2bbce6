//! What follows from a process's `stat`: its identity, whether it lives, whether it is a container
//! runtime's.

use procfs::process::Stat;

use crate::track::ProcessId;

/// Clock ticks in a second. `/proc` counts start times in ticks: always 100 for user space.
pub const TICKS_PER_SECOND: u64 = 100;

/// Nanoseconds in a clock tick.
pub const TICK: u64 = 1_000_000_000 / TICKS_PER_SECOND;

/// The end of the name of a runtime's process that has only the exec left to do. Processes of earlier
/// stages exit instead.
pub const LAST_STAGE: &str = "[2:INIT]";

/// For this time after its start, in clock ticks, a process with a runtime's name counts as a
/// runtime's. It makes a container, or waits for the order to start the program, which takes a busy
/// node many seconds. The time is bounded because any program may have such a name.
pub const MAKING: u64 = 600 * TICKS_PER_SECOND;

/// The same for a name that is a plain word: an ordinary program has such a name far more often.
pub const MAKING_BY_PLAIN_NAME: u64 = 30 * TICKS_PER_SECOND;

/// The prefixes of the command name that a container runtime's own process has (`runc:[2:INIT]`) before
/// it execs the container's program.
const RUNTIME_PREFIXES: &[&str] = &["runc:[", "youki:["];

/// The command names of such processes that are plain words.
const RUNTIME_NAMES: &[&str] = &["crun"];

/// The identity of a process: its pid and its start time.
#[must_use]
pub fn process_id(stat: &Stat) -> ProcessId {
    ProcessId {
        started: stat.starttime,
        pid: u64::try_from(stat.pid).unwrap_or(0),
    }
}

/// Whether a process lives. A zombie has ended, unless it is a thread group leader whose other threads
/// live on.
#[must_use]
pub fn is_alive(stat: &Stat) -> bool {
    !matches!(stat.state, 'Z' | 'X' | 'x') || stat.num_threads > 1
}

/// Whether the process has a runtime's name and is young enough to be a runtime's. `age` is in clock
/// ticks.
#[must_use]
pub fn is_runtime(stat: &Stat, age: u64) -> bool {
    let name = stat.comm.as_str();
    let is_marked = || {
        RUNTIME_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    (age < MAKING && is_marked()) || (age < MAKING_BY_PLAIN_NAME && RUNTIME_NAMES.contains(&name))
}

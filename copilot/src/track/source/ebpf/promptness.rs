//! How soon this thread runs once a record wakes it.
//!
//! On a busy node the kernel lets the current process go on until the end of its slice, unless the one that wakes up
//! has asked for a shorter one (EEVDF scheduler, Linux 6.12; sched(7), `sched_setattr(2)`). A shorter slice changes
//! the order only: the share of the CPU stays the same. It needs no right. Called by the source.

use std::io;

use rustix::thread::gettid;
use tracing::debug;

/// The shortest slice that the kernel accepts, in nanoseconds. Reading a record takes less.
const SHORTEST: u64 = 100_000;

/// `struct sched_attr` of `linux/sched/types.h`, in its first version.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    /// For an ordinary thread: its slice, in nanoseconds; 0 for the kernel's choice.
    runtime: u64,
    deadline: u64,
    period: u64,
}

const SIZE: u32 = 48;
const _: () = assert!(size_of::<Attributes>() == SIZE as usize);

/// Keeps this thread's slice short until it is dropped in the same thread.
#[derive(Debug)]
pub struct Promptness {
    /// The thread, and what it had before.
    before: Option<(rustix::thread::Pid, Attributes)>,
}

impl Promptness {
    /// Asks for the shortest slice. Without it the reports come later on a busy node, so a refusal is not an error.
    pub fn begin() -> Self {
        let before = attributes().and_then(|before| {
            // Other policies have no slice, or one of their own.
            if before.policy != libc::SCHED_OTHER.cast_unsigned() {
                return Ok(None);
            }
            set(&Attributes {
                runtime: SHORTEST,
                ..before
            })?;
            Ok(Some((gettid(), before)))
        });
        let before = before.unwrap_or_else(|error| {
            debug!(%error, "this thread's slice of CPU time stays as it is");
            None
        });
        Self { before }
    }
}

impl Drop for Promptness {
    fn drop(&mut self) {
        if let Some((thread, before)) = self.before
            && thread == gettid()
            && let Err(error) = set(&before)
        {
            debug!(%error, "this thread's slice of CPU time stays short");
        }
    }
}

fn attributes() -> io::Result<Attributes> {
    let mut found = Attributes::default();
    // SAFETY: the structure has `SIZE` bytes, and any bytes are a value of it. Thread 0 is this one.
    let result = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut found, SIZE, 0) };
    succeeded(result)?;
    found.size = SIZE;
    Ok(found)
}

fn set(wanted: &Attributes) -> io::Result<()> {
    // SAFETY: the structure holds its own size, and lives until the call returns. Thread 0 is this one.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const *wanted, 0) };
    succeeded(result)
}

fn succeeded(result: libc::c_long) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threads_slice_is_short_for_a_time() {
        let before = attributes().unwrap();
        let promptness = Promptness::begin();
        // Before Linux 6.12 ordinary threads have no slice of their own.
        let during = attributes().unwrap();
        assert!([SHORTEST, 0].contains(&during.runtime), "{during:?}");
        assert_eq!((during.policy, during.nice), (before.policy, before.nice));
        drop(promptness);
        let after = attributes().unwrap();
        assert_eq!((after.runtime, after.nice), (before.runtime, before.nice));
    }
}

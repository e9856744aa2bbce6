//! One process, as `/proc` shows it: its text files, its identity, whether it is a runtime's.
//!
//! [`file`] reads, and only [`file`]: a test can delay each reading there. [`identity`] is pure: what
//! follows from a `stat`. Never here: containers, mounts, and who is main. Called by `mounts`, `place`,
//! `scan` and the sources.

mod file;
mod identity;

pub use file::{read, stat};
pub use identity::{LAST_STAGE, TICK, TICKS_PER_SECOND, is_alive, is_runtime, process_id};
#[cfg(test)]
pub use identity::{MAKING, MAKING_BY_PLAIN_NAME};

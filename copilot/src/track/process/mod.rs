//! One process, as `/proc` shows it: its text files, its identity, whether it is a runtime's or runs our program.
//!
//! Only [`file`] reads, so that a test can delay each read; [`copilot`] asks it for a command line. [`identity`] and
//! [`program`] are pure: what follows from a `stat`, and from a command line. Never here: containers, mounts, and
//! who main is. Called by `mounts`, `place`, `scan` and the sources.

mod copilot;
mod file;
mod identity;
mod program;

pub use copilot::{Program, program_of};
pub use file::{io_error, is_out_of_sight, is_passing, read, stat};
pub use identity::{LAST_STAGE, TICK, TICKS_PER_SECOND, is_alive, is_runtime, process_id};
#[cfg(test)]
pub use identity::{MAKING, MAKING_BY_PLAIN_NAME};
pub use program::{COPILOT, is_copilots_name, job_of};

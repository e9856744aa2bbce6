//! Reads the files of one process in `/proc`: its text files, and its `stat`.
//!
//! Every read of another process's files goes through here, so that a test can delay it. A busy node
//! makes such reads slow: the runtime goes on while we read, and we meet half-made containers that a
//! fast machine never shows.

use std::{
    io::{self, Read as _},
    sync::OnceLock,
    thread,
    time::Duration,
};

use procfs::{
    ProcError,
    process::{Process, Stat},
};
use rustix::io::Errno;
use tracing::warn;

/// Only for tests: the longest delay of a read, in microseconds. Each read then waits for a random time
/// up to it.
const DELAY: &str = "COPILOT_TEST_PROC_DELAY_US";

/// Reads a text file of a process's directory. Names of files and cgroups may hold any bytes; one that
/// is not UTF-8 must not hide the others.
///
/// # Errors
///
/// The file cannot be opened or read, for instance because the process is gone.
pub fn read(process: &Process, name: &str) -> io::Result<String> {
    delay();
    let mut file = process.open_relative(name).map_err(io_error)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads the `stat` of a process.
///
/// # Errors
///
/// The process is gone or hidden from us, or the text cannot be parsed.
pub fn stat(process: &Process) -> io::Result<Stat> {
    delay();
    process.stat().map_err(io_error)
}

/// The kernel's error behind one of the library's.
#[must_use]
pub fn io_error(error: ProcError) -> io::Error {
    match error {
        ProcError::Io(error, _) => error,
        ProcError::NotFound(_) => io::Error::new(io::ErrorKind::NotFound, error),
        ProcError::PermissionDenied(_) => io::Error::new(io::ErrorKind::PermissionDenied, error),
        error => io::Error::other(error),
    }
}

/// Whether a read failed because its process is gone, or is hidden from us.
#[must_use]
pub fn is_out_of_sight(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied];
    kinds.contains(&error.kind()) || Errno::from_io_error(error) == Some(Errno::SRCH)
}

/// Whether a read failed for a reason that says nothing of the process, such as too many open files. Another try may
/// work.
#[must_use]
pub fn is_passing(error: &io::Error) -> bool {
    let passing = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::IO];
    Errno::from_io_error(error).is_some_and(|errno| passing.contains(&errno))
}

fn delay() {
    static LONGEST: OnceLock<Option<u64>> = OnceLock::new();
    if let Some(longest) = LONGEST.get_or_init(longest_delay) {
        thread::sleep(Duration::from_micros(rand::random_range(0..=*longest)));
    }
}

/// Logs a warning if a delay is set, so that the log explains a slow sidecar.
fn longest_delay() -> Option<u64> {
    let longest = std::env::var(DELAY).ok()?;
    match longest.parse() {
        Ok(longest) => {
            warn!("{DELAY}: each read of /proc is delayed by up to {longest} µs");
            Some(longest)
        }
        Err(error) => {
            warn!("{DELAY} is not a number of microseconds: {longest:?}: {error}");
            None
        }
    }
}

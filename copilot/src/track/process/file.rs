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
    ProcResult,
    process::{Process, Stat},
};
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
    let mut file = process
        .open_relative(name)
        .map_err(|error| io::Error::other(error.to_string()))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads the `stat` of a process.
///
/// # Errors
///
/// The process is gone or hidden from us, or the text cannot be parsed.
pub fn stat(process: &Process) -> ProcResult<Stat> {
    delay();
    process.stat()
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

//! Reads the mounts of a process.

use std::io;

use procfs::process::Process;
use tracing::debug;

use super::MountEvidence;
use crate::track::process;

/// The mount evidence of a process. `None` if the process is gone, or if it is a runtime's
/// (`is_runtimes`) and its mounts do not name the container yet.
#[must_use]
pub fn evidence_of(process: &Process, is_runtimes: bool) -> Option<MountEvidence> {
    match process::read(process, "mountinfo").or_else(|error| mounts_of_threads(process, error)) {
        Ok(text) if is_runtimes => MountEvidence::from_runtimes_mountinfo(&text),
        Ok(text) => Some(MountEvidence::from_mountinfo(&text)),
        Err(error) => {
            debug!(pid = process.pid(), %error, "mountinfo cannot be read");
            None
        }
    }
}

/// Reads the mounts through a thread that lives: a process whose leader has ended shows them only
/// there.
fn mounts_of_threads(process: &Process, error: io::Error) -> io::Result<String> {
    process
        .tasks()
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .find_map(|task| process::read(process, &format!("task/{}/mountinfo", task.tid)).ok())
        .ok_or(error)
}

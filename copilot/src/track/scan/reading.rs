//! Reads all processes of a directory like `/proc`, and says once if some cannot be read.

use std::{fs, io, path::Path};

use procfs::process::{Process, Stat, all_processes_with_root};
use thiserror::Error;
use tracing::{info, warn};

use crate::limits;
use crate::track::Event;
use crate::track::process::{io_error, is_alive, is_out_of_sight, is_passing, stat};

/// The pids of all processes, as the directory lists them.
///
/// # Errors
/// It cannot be listed.
pub(super) fn pids(root: &Path) -> io::Result<impl Iterator<Item = i32> + use<>> {
    let entries = fs::read_dir(root)?.flatten();
    Ok(entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()))
}

/// Shows all processes that live, one at a time, because each holds a file open. Leaves out a process that goes
/// away meanwhile or is hidden from us.
///
/// # Errors
/// Any other failure to read one of them, and `show`'s, after all others have been shown.
pub(super) fn each_living(
    root: &Path,
    mut show: impl FnMut(&Process, &Stat) -> io::Result<()>,
) -> io::Result<()> {
    let mut failed = Ok(());
    for process in all_processes_with_root(root).map_err(io_error)? {
        let read = process
            .map_err(io_error)
            .and_then(|process| Ok((stat(&process)?, process)));
        let shown = match read {
            Ok((stat, process)) if is_alive(&stat) => show(&process, &stat),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = shown
            && !is_out_of_sight(&error)
        {
            failed = Err(error);
        }
    }
    failed
}

/// Whether a scan has found anything besides the set of living processes.
#[must_use]
pub fn has_news(events: &[Event]) -> bool {
    let is_news = |event: &Event| !matches!(event, Event::Scanned { .. });
    events.iter().any(is_news)
}

/// The processes of the pod cannot be read.
#[derive(Debug, Error)]
#[error("not all processes in /proc can be read: {}", reason(.0))]
pub struct UnreadableProcesses(#[from] io::Error);

/// An error, with what to do about it.
fn reason(error: &io::Error) -> String {
    match limits::advice(error) {
        Some(advice) => format!("{error}. {advice}"),
        None => error.to_string(),
    }
}

/// Why scans could not read all processes, in words.
#[derive(Clone, Debug, Default)]
pub(super) struct Unread {
    /// The last one; nothing if it could.
    pub(super) now: Option<String>,
    /// Any of them, and any look at new processes.
    pub(super) ever: Option<String>,
}

impl Unread {
    /// Notes how a scan has ended. Logs only a change: a scan that fails is soon repeated.
    pub(super) fn note(&mut self, seen: io::Result<()>) {
        let now = seen.err().map(|error| reason(&error));
        match (&self.now, &now) {
            (None, Some(reason)) => warn!(
                reason,
                "not all processes in /proc can be read: this is tried again, and until it works nothing follows \
                 from what is not seen there"
            ),
            (Some(_), None) => info!("all processes in /proc can be read again"),
            _ => {}
        }
        self.ever = self.ever.take().or_else(|| now.clone());
        self.now = now;
    }

    /// Notes a failure that says nothing of the process that was looked at. It may be gone before the next look.
    pub(super) fn missed<T>(&mut self, look: io::Result<T>) -> Option<T> {
        if let Err(error) = &look
            && is_passing(error)
        {
            self.ever.get_or_insert_with(|| reason(error));
        }
        look.ok()
    }
}

//! A note in the output directory that main has ended well, for the next life of this sidecar: one that begins after
//! main's end sees nothing of it. Only for trees; declared outputs decide themselves.
//!
//! The note names this host, so it says nothing about another run in the same volume, and it must be a file of our
//! own user. A program can write `_SUCCESS` anyway, so the note gives main no power that it has not got.

use std::io::Write as _;

use tracing::debug;

use crate::beneath::SharedDirectory;
use crate::upload::tree::GOOD_END;

/// The longest host name, and a line end.
const LARGEST: u64 = 256;

/// Notes that main has ended well. Without the note the next life reports that it does not know.
pub(super) fn note(outputs: &SharedDirectory, worker: &str) {
    if is_noted(outputs, worker) {
        return;
    }
    let written = || -> std::io::Result<()> {
        let directory = outputs.open().map_err(std::io::Error::other)?;
        let mut file = directory.open_own(GOOD_END)?;
        file.set_len(0)?;
        file.write_all(line(worker).as_bytes())
    };
    if let Err(error) = written() {
        debug!(%error, "{GOOD_END} cannot be written: a later life will not know that main has ended well");
    }
}

/// Whether an earlier life on this host has noted it.
pub(super) fn is_noted(outputs: &SharedDirectory, worker: &str) -> bool {
    let read = || {
        let directory = outputs.open().ok()?;
        directory.read_own(GOOD_END, LARGEST).ok()?
    };
    read().is_some_and(|text| text == line(worker).as_bytes())
}

fn line(worker: &str) -> String {
    format!("{worker}\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_note_counts_for_the_host_that_wrote_it() {
        let place = tempfile::tempdir().unwrap();
        let shared = SharedDirectory::at(place.path());
        assert!(!is_noted(&shared, "pod-1"));
        note(&shared, "pod-1");
        assert!(is_noted(&shared, "pod-1"));
        assert!(!is_noted(&shared, "pod-2"));
        // A later run in the same volume writes its own.
        note(&shared, "pod-2");
        assert!(is_noted(&shared, "pod-2") && !is_noted(&shared, "pod-1"));
        fs::remove_file(place.path().join(GOOD_END)).unwrap();
        fs::create_dir(place.path().join(GOOD_END)).unwrap();
        note(&shared, "pod-1");
        assert!(!is_noted(&shared, "pod-1"));
    }
}

//! How much room a directory has, for a person who asks before the first byte. Writes nothing. Caller: `doctor`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Space, SpaceError, volume};
use crate::beneath::{GuardedDirectory, Place};

/// A name that no file is made with.
const NEVER_MADE: &str = ".copilot-room";

/// The room of a file system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Its type, such as `ext4` or `tmpfs`.
    pub kind: String,
    /// Where it is mounted.
    pub mount: PathBuf,
    /// Bytes that we may still write; on a tmpfs no more than the memory that is left for it.
    pub left: u64,
    /// Its bytes in all.
    pub size: u64,
    /// Files that may still be made.
    pub files_left: u64,
    /// Whether it keeps files in memory, which counts against the limit of our container.
    pub in_memory: bool,
}

/// The room where `path` is.
#[must_use]
pub fn room(path: &Path) -> Room {
    volume::room_at(path)
}

/// Whether files of so many bytes together have room in a directory.
///
/// # Errors
/// What is too small, and what to do.
pub fn has_room(directory: &Arc<GuardedDirectory>, bytes: u64) -> Result<(), SpaceError> {
    let place = Place::new(directory, NEVER_MADE);
    Space::new(None).claim(&place, Some(bytes)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beneath::SharedDirectory;

    #[test]
    fn what_fits_and_what_does_not_is_told_without_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let found = room(directory.path());
        assert!(found.left > 0 && found.size >= found.left, "{found:?}");
        assert!(directory.path().starts_with(&found.mount), "{found:?}");
        let opened = SharedDirectory::at(directory.path()).open().unwrap();
        has_room(&opened, 1).unwrap();
        let error = has_room(&opened, 1 << 60).unwrap_err();
        assert!(error.to_string().contains("has no room"), "{error}");
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }
}

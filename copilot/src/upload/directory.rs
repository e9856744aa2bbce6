//! Main's output directory, as uploads read it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::Stat;

use super::error::UploadError;
use crate::beneath::{FileKind, GuardedDirectory, SharedDirectory, SharedError, kind};
use crate::literal::output::{EntryKind, advice};
use crate::transfer::LocalFile;

/// Opens main's output directory.
pub(super) fn open(shared: &SharedDirectory) -> Result<Arc<GuardedDirectory>, UploadError> {
    shared.open().map_err(|cause| {
        let path = shared.path().to_owned();
        match cause {
            SharedError::Open(cause) => UploadError::Directory { path, cause },
            SharedError::Replaced(_) => UploadError::Replaced { path, cause },
        }
    })
}

/// A file in it to upload; the transfer opens it.
pub(super) fn local_file(directory: &Arc<GuardedDirectory>, path: &Path) -> LocalFile {
    let (directory, path) = (Arc::clone(directory), path.to_owned());
    LocalFile::new(directory.shown(&path), move || {
        directory.open_file(&path).map_err(advised)
    })
}

/// The error, with advice if there is any.
pub(super) fn advised(error: io::Error) -> io::Error {
    // Too many open files keep their number, by which the message knows them.
    if error.kind() != io::ErrorKind::PermissionDenied {
        return error;
    }
    io::Error::new(error.kind(), format!("{error}{}", advice(&error)))
}

/// The kind of entry that a stat describes.
pub(super) fn entry_kind(stat: &Stat) -> EntryKind {
    match kind(stat) {
        FileKind::File => EntryKind::File,
        FileKind::Directory => EntryKind::Directory,
        FileKind::Special(kind) => EntryKind::Special(kind),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_missing_directory_is_reported_with_the_flag() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        for name in ["nothing", "file"] {
            let error = open(&SharedDirectory::at(&place.path().join(name))).unwrap_err();
            let error = error.to_string();
            assert!(
                error.contains(name) && error.contains("--from-local-dir"),
                "{error}"
            );
        }
    }
}

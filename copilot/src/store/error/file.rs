//! From what the file system reports about an object of the local kind to its meaning.

use std::io;
use std::path::Path;

use super::{Cause, Location, StoreError};
use crate::{limits, permission};

impl StoreError {
    /// The meaning of a file system's error about the object at `path`.
    pub(in crate::store) fn from_io(
        error: io::Error,
        path: &Path,
        location: Location,
        action: &'static str,
    ) -> Self {
        let kind = error.kind();
        let line = match limits::advice(&error) {
            Some(advice) => format!("{error}. {advice}"),
            None => error.to_string(),
        };
        let cause = Cause::new(line, error);
        match kind {
            io::ErrorKind::NotFound => Self::NotFound { location, cause },
            io::ErrorKind::PermissionDenied => Self::Denied {
                location,
                cause,
                advice: permission::advice(path),
            },
            _ => Self::Refused {
                location,
                action,
                cause,
            },
        }
    }

    /// The same while writing, where a missing directory means a missing container, and the directory decides
    /// who may write: objects are written beside their place.
    pub(in crate::store) fn from_io_write(
        error: io::Error,
        path: &Path,
        location: Location,
    ) -> Self {
        let directory = path.parent().unwrap_or(path);
        match Self::from_io(error, directory, location, "writing") {
            Self::NotFound { location, cause } => Self::NoContainer { location, cause },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::StoreService;
    use crate::store::reference::Reference;

    static SERVICE: StoreService = StoreService {
        name: "a local directory",
        identity: "nobody",
    };

    fn told(error: i32, path: &Path) -> StoreError {
        let reference = Reference::parse("file://data/x").unwrap();
        let location = Location::new(&reference, "/store", &SERVICE);
        StoreError::from_io(
            io::Error::from_raw_os_error(error),
            path,
            location,
            "reading",
        )
    }

    #[test]
    fn a_refused_file_is_told_without_credentials() {
        let message = told(libc::EACCES, Path::new("/")).to_string();
        for word in ["has mode", "we run as uid", "fsGroup", "file://data/x"] {
            assert!(message.contains(word), "{word}: {message}");
        }
        assert!(!message.contains("credentials"), "{message}");
    }

    #[test]
    fn too_many_open_files_name_the_limit() {
        let message = told(libc::EMFILE, Path::new("/x")).to_string();
        assert!(message.contains("ulimit -n"), "{message}");
    }
}

//! From what the file system reports about an object of the local kind to its meaning.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{Cause, Location, StoreError};
use crate::descriptors;

impl StoreError {
    /// The meaning of a file system's error about the object at `path`.
    pub(in crate::store) fn from_io(
        error: io::Error,
        path: &Path,
        location: Location,
        action: &'static str,
    ) -> Self {
        let kind = error.kind();
        let line = match descriptors::advice(&error) {
            Some(advice) => format!("{error}. {advice}"),
            None => error.to_string(),
        };
        let cause = Cause::new(line, error);
        match kind {
            io::ErrorKind::NotFound => Self::NotFound { location, cause },
            io::ErrorKind::PermissionDenied => Self::Denied {
                location,
                cause,
                advice: permission(path),
            },
            _ => Self::Refused {
                location,
                action,
                cause,
            },
        }
    }

    /// The same while writing, where a missing directory means a missing container.
    pub(in crate::store) fn from_io_write(
        error: io::Error,
        path: &Path,
        location: Location,
    ) -> Self {
        match Self::from_io(error, path, location, "writing") {
            Self::NotFound { location, cause } => Self::NoContainer { location, cause },
            other => other,
        }
    }
}

/// What the kernel compared, and what to do: who owns the file, or the nearest directory above it that we
/// can see, its mode, and who we are.
fn permission(path: &Path) -> String {
    let seen = path
        .ancestors()
        .find_map(|path| Some((path, path.symlink_metadata().ok()?)));
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    let we = format!("we run as uid {user}, gid {group}");
    let Some((path, meta)) = seen else {
        return format!("Let our user read and write {}: {we}", path.display());
    };
    format!(
        "{} has mode {:04o} and belongs to uid {}, gid {}; {we}. Change its mode or owner, or the pod's runAsUser \
         or fsGroup",
        path.display(),
        meta.mode() & 0o7777,
        meta.uid(),
        meta.gid()
    )
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

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
    fn a_refused_file_is_told_with_its_mode_its_owner_and_us() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let owner = fs::metadata(&path).unwrap().uid();
        let message = told(libc::EACCES, &path).to_string();
        let we = format!("we run as uid {}", rustix::process::geteuid());
        for word in [
            "mode 0640",
            &format!("uid {owner}"),
            &we,
            "fsGroup",
            "file://data/x",
        ] {
            assert!(message.contains(word), "{word}: {message}");
        }
        assert!(!message.contains("credentials"), "{message}");
        // What does not exist yet is refused by its directory.
        let directory = dir.path().display().to_string();
        let message = told(libc::EPERM, &path.with_file_name("new")).to_string();
        assert!(
            message.contains(&format!("{directory} has mode")),
            "{message}"
        );
    }

    #[test]
    fn too_many_open_files_name_the_limit() {
        let message = told(libc::EMFILE, Path::new("/x")).to_string();
        assert!(message.contains("ulimit -n"), "{message}");
    }
}

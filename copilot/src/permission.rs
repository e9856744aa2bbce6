//! What to do about a file that the kernel does not let us read or write: what it compared. Callers: errors that
//! name a file.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Who owns the file, or the nearest directory above it that we can see, its mode, who we are, and what to do.
#[must_use]
pub fn advice(path: &Path) -> String {
    let seen = path
        .ancestors()
        .find_map(|path| Some((path, path.symlink_metadata().ok()?)));
    let we = ourselves();
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

/// Who we are for the kernel.
#[must_use]
pub fn ourselves() -> String {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    format!("we run as uid {user}, gid {group}")
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_file_or_the_directory_above_it_is_described() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let owner = fs::metadata(&path).unwrap().uid();
        let words = advice(&path);
        for word in [
            "mode 0640",
            &format!("belongs to uid {owner}"),
            &ourselves(),
            "fsGroup",
        ] {
            assert!(words.contains(word), "{word}: {words}");
        }
        // What does not exist is refused by its directory.
        let directory = dir.path().display().to_string();
        let words = advice(&dir.path().join("no/new"));
        assert!(
            words.starts_with(&format!("{directory} has mode")),
            "{words}"
        );
    }
}

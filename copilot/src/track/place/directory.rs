//! The pod's directory in the mounted cgroup tree: which subdirectory belongs to which container. A
//! cgroup's id is the inode of its directory.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{ContainerId, cgroup::container_from_name};

/// Finds the directory of a container's cgroup, whose name may hold more than the id; `None` if it does
/// not exist.
///
/// # Errors
///
/// The pod's directory exists and cannot be read.
pub fn find(pod: &Path, container: &ContainerId) -> io::Result<Option<PathBuf>> {
    let entries = match fs::read_dir(pod) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name();
        if container_from_name(&name.to_string_lossy()).as_ref() == Some(container) {
            return Ok(Some(pod.join(name)));
        }
    }
    Ok(None)
}

/// The id of a container's cgroup.
#[must_use]
pub fn id_of_container(pod: &Path, container: &ContainerId) -> Option<u64> {
    let directory = find(pod, container).ok()??;
    fs::metadata(directory).ok().map(|found| found.ino())
}

/// The container whose cgroup has this id.
#[must_use]
pub fn container_with_id(pod: &Path, id: u64) -> Option<ContainerId> {
    let entries = fs::read_dir(pod).ok()?;
    let entry = entries
        .filter_map(Result::ok)
        .find(|entry| entry.metadata().is_ok_and(|found| found.ino() == id))?;
    entry.file_name().to_str().map(ContainerId::new)
}

//! The pod's directory in the cgroup tree, where it is mounted here: which of its directories is
//! which container. A cgroup's id is its directory's inode.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{ContainerId, cgroup::container_called};

/// The directory of a container's cgroup, whose name may hold more than the id; none if it is gone.
pub fn of_container(pod: &Path, container: &ContainerId) -> io::Result<Option<PathBuf>> {
    let entries = match fs::read_dir(pod) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name();
        if container_called(&name.to_string_lossy()).as_ref() == Some(container) {
            return Ok(Some(pod.join(name)));
        }
    }
    Ok(None)
}

/// The id of a container's cgroup.
#[must_use]
pub fn id_of_container(pod: &Path, container: &ContainerId) -> Option<u64> {
    let directory = of_container(pod, container).ok()??;
    fs::metadata(directory).ok().map(|found| found.ino())
}

/// The container whose cgroup has this id.
#[must_use]
pub fn container_of_id(pod: &Path, id: u64) -> Option<ContainerId> {
    let entries = fs::read_dir(pod).ok()?;
    let entry = entries
        .filter_map(Result::ok)
        .find(|entry| entry.metadata().is_ok_and(|found| found.ino() == id))?;
    entry.file_name().to_str().map(ContainerId::new)
}

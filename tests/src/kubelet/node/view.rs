//! The mounts of a node: its own folders where a real node has them, its view of cgroups, and mounts
//! like those of dozens of other pods.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use serde_json::Value;

use crate::kubelet::runtime;
use crate::other_pods::{self, bind, mount_at};

/// Places that a node's programs use whatever their settings are, with the folder of ours that is
/// mounted there. Without a folder it is a `tmpfs`, whose files are lost at the end.
pub const PLACES: [(&str, Option<&str>); 3] = [
    ("/run/containerd", Some("run-containerd")),
    ("/var/lib/kubelet", None),
    ("/var/log/containers", None),
];

/// Makes all mounts. They are private to this process's namespace, and vanish with it.
///
/// Nothing is mounted above the folder in which kubelet keeps volumes: as on a node with one disk, no
/// line of the node's own mount table concerns a pod's volume.
pub fn prepare(directory: &Path, settings: &Value) -> Result<()> {
    for (place, folder) in PLACES {
        match folder {
            Some(folder) => {
                let folder = directory.join(folder);
                fs::create_dir_all(&folder)?;
                bind(&folder, Path::new(place))?;
            }
            None => mount_at("tmpfs", Path::new(place), c"mode=755")?,
        }
    }
    if settings["bare"] == true {
        one_tree(&runtime::memory(directory))?;
    }
    other_pods::mount_all(&directory.join("neighbours"))?;
    // Kubelet needs its mounts to propagate into containers.
    let everywhere = MountPropagationFlags::SHARED | MountPropagationFlags::REC;
    mount_change("/", everywhere).context("mounts cannot be shared")
}

/// Shows one cgroup2 tree on a machine that has several hierarchies. Memory limits come from the v1
/// hierarchy, which containers cannot see.
fn one_tree(memory: &Path) -> Result<()> {
    let cgroups = "/sys/fs/cgroup";
    unmount(cgroups, UnmountFlags::DETACH).context(cgroups)?;
    mount_at("cgroup2", Path::new(cgroups), c"")?;
    fs::create_dir_all(memory)?;
    mount_at("cgroup", memory, c"memory")
}

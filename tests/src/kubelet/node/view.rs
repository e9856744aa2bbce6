//! The mounts of a node: its own places where a real one has them, its view of cgroups, and the mounts
//! of dozens of other pods.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use serde_json::Value;

use crate::kubelet::runtime;
use crate::other_pods::{self, bind, mount_at};

/// Places that programs of a node use whatever they are told, and the folder of ours that takes each
/// one's part; where there is none, what is written there is forgotten.
pub const PLACES: [(&str, Option<&str>); 3] = [
    ("/run/containerd", Some("run-containerd")),
    ("/var/lib/kubelet", None),
    ("/var/log/containers", None),
];

/// Lays out everything. The mounts are private to this process's namespace, and end with it.
///
/// Nothing is mounted above the folder in which kubelet keeps volumes: as on a node with one disk, no
/// line of the node's own table has to do with a pod's volume.
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
    // Kubelet wants what it mounts to be seen in containers.
    let everywhere = MountPropagationFlags::SHARED | MountPropagationFlags::REC;
    mount_change("/", everywhere).context("mounts cannot be shared")
}

/// One cgroup2 tree where the machine has several; limits of memory come from the old hierarchy, out
/// of the containers' sight.
fn one_tree(memory: &Path) -> Result<()> {
    let cgroups = "/sys/fs/cgroup";
    unmount(cgroups, UnmountFlags::DETACH).context(cgroups)?;
    mount_at("cgroup2", Path::new(cgroups), c"")?;
    fs::create_dir_all(memory)?;
    mount_at("cgroup", memory, c"memory")
}

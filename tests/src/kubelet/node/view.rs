//! The mounts of a node: its own places where a real one has them, its view of cgroups, and what the
//! mounts of dozens of other pods look like.

use std::ffi::{CStr, CString};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::mount::{mount, mount_bind, mount_change, unmount};
use serde_json::Value;

use crate::kubelet::runtime;

/// Places that programs of a node use whatever they are told, and the folder of ours that takes each
/// one's part; where there is none, what is written there is forgotten.
pub const PLACES: [(&str, Option<&str>); 3] = [
    ("/run/containerd", Some("run-containerd")),
    ("/var/lib/kubelet", None),
    ("/var/log/containers", None),
];

/// How many other pods there seem to be: five mounts each.
const OTHERS: u32 = 80;

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
    crowd(&directory.join("neighbours"))?;
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

/// What dozens of other pods have mounted, in a file system that is forgotten.
fn crowd(place: &Path) -> Result<()> {
    fs::create_dir_all(place)?;
    mount_at("tmpfs", place, c"mode=755")?;
    let kubelet = place.join("var/lib/kubelet/pods");
    let networks = place.join("run/netns");
    fs::create_dir_all(&networks)?;
    for number in 0..OTHERS {
        let uid = format!("{number:08x}-5eed-4000-8000-00000000c0de");
        let volumes = kubelet.join(&uid).join("volumes");
        let token = volumes.join("kubernetes.io~projected/kube-api-access-q5x7z");
        let outputs = volumes.join("kubernetes.io~empty-dir/flyte-outputs");
        for volume in [&token, &outputs] {
            fs::create_dir_all(volume)?;
            mount_at("tmpfs", volume, c"size=64k")?;
        }
        let sub = outputs.join("sub");
        let bound = kubelet
            .join(&uid)
            .join("volume-subpaths/flyte-outputs/main/0");
        fs::create_dir_all(&sub)?;
        fs::create_dir_all(&bound)?;
        bind(&sub, &bound)?;

        let network = networks.join(format!("cni-{uid}"));
        fs::write(&network, "")?;
        bind(Path::new("/proc/self/ns/net"), &network)?;
        overlay(place, number)?;
    }
    Ok(())
}

/// A container's root, as a runtime keeps it.
fn overlay(place: &Path, number: u32) -> Result<()> {
    let root = place.join(format!("run/tasks/{number:064x}/rootfs"));
    let layers = place.join("layers").join(number.to_string());
    let [lower, upper, work] = ["lower", "upper", "work"].map(|name| layers.join(name));
    for folder in [&root, &lower, &upper, &work] {
        fs::create_dir_all(folder)?;
    }
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.display(),
        upper.display(),
        work.display()
    );
    mount_at("overlay", &root, &CString::new(options)?)
}

fn mount_at(kind: &str, target: &Path, options: &CStr) -> Result<()> {
    mount(kind, target, kind, MountFlags::empty(), options)
        .with_context(|| format!("{kind} cannot be mounted at {}", target.display()))
}

fn bind(from: &Path, to: &Path) -> Result<()> {
    mount_bind(from, to)
        .with_context(|| format!("{} cannot be mounted at {}", from.display(), to.display()))
}

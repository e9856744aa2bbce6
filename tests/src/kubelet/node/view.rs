//! The mounts of a node: its own places where a real one has them, its view of cgroups, and what the
//! mounts of dozens of other pods look like.

use std::ffi::CStr;
use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::mount::{mount, mount_bind, mount_change, unmount};
use serde_json::Value;

use super::HERE;
use crate::kubelet::runtime::MEMORY;

/// What lies where on a node, and in which folder of ours.
const PLACES: [(&str, &str); 5] = [
    ("/run/containerd", "run-containerd"),
    ("/var/lib/containerd", "containerd"),
    ("/var/lib/kubelet", "kubelet"),
    ("/var/log/pods", "pod-logs"),
    ("/var/log/containers", "container-logs"),
];

/// How many other pods there seem to be: five mounts each.
const OTHERS: u32 = 80;

/// Lays out everything. The mounts are private to this process's namespace, and end with it.
pub fn prepare(directory: &Path, settings: &Value) -> Result<()> {
    // It may lie beneath what is covered next.
    let opened = File::open(directory)?;
    for covered in ["/run", "/var/lib", "/var/log"] {
        cover(covered)?;
    }
    fs::create_dir_all(HERE)?;
    bind(&format!("/proc/self/fd/{}", opened.as_raw_fd()), HERE)?;
    for (place, folder) in PLACES {
        let folder = format!("{HERE}/{folder}");
        fs::create_dir_all(&folder)?;
        fs::create_dir_all(place)?;
        bind(&folder, place)?;
    }
    if settings["kind"] == "v2" {
        one_tree(settings["bare"] == true)?;
    }
    crowd()?;
    // Kubelet wants what it mounts to be seen in containers.
    let everywhere = MountPropagationFlags::SHARED | MountPropagationFlags::REC;
    mount_change("/", everywhere).context("mounts cannot be shared")
}

/// One cgroup2 tree where the machine has several; limits of memory come from the old hierarchy, out
/// of the containers' sight.
fn one_tree(bare: bool) -> Result<()> {
    if !bare {
        return Ok(());
    }
    let cgroups = "/sys/fs/cgroup";
    unmount(cgroups, UnmountFlags::DETACH).context(cgroups)?;
    mount_at("cgroup2", cgroups, c"")?;
    fs::create_dir_all(MEMORY)?;
    mount_at("cgroup", MEMORY, c"memory")
}

/// What dozens of other pods have mounted.
fn crowd() -> Result<()> {
    let kubelet = Path::new("/var/lib/neighbours/kubelet/pods");
    for number in 0..OTHERS {
        let uid = format!("{number:08x}-5eed-4000-8000-00000000c0de");
        let volumes = kubelet.join(&uid).join("volumes");
        let token = volumes.join("kubernetes.io~projected/kube-api-access-q5x7z");
        let outputs = volumes.join("kubernetes.io~empty-dir/flyte-outputs");
        for volume in [&token, &outputs] {
            fs::create_dir_all(volume)?;
            mount_at("tmpfs", &volume.to_string_lossy(), c"size=64k")?;
        }
        let sub = outputs.join("sub");
        let bound = kubelet
            .join(&uid)
            .join("volume-subpaths/flyte-outputs/main/0");
        fs::create_dir_all(&sub)?;
        fs::create_dir_all(&bound)?;
        bind(&sub.to_string_lossy(), &bound.to_string_lossy())?;

        let network = format!("/run/netns/cni-{uid}");
        fs::create_dir_all("/run/netns")?;
        fs::write(&network, "")?;
        bind("/proc/self/ns/net", &network)?;
        overlay(number)?;
    }
    Ok(())
}

/// A container's root, as a runtime keeps it.
fn overlay(number: u32) -> Result<()> {
    let container = Path::new("/run/neighbours/tasks").join(format!("{number:064x}"));
    let layers = Path::new("/run/neighbours/layers").join(number.to_string());
    let root = container.join("rootfs");
    for folder in [
        &root,
        &layers.join("lower"),
        &layers.join("upper"),
        &layers.join("work"),
    ] {
        fs::create_dir_all(folder)?;
    }
    let options = format!(
        "lowerdir={at}/lower,upperdir={at}/upper,workdir={at}/work",
        at = layers.display()
    );
    let options = std::ffi::CString::new(options)?;
    mount_at("overlay", &root.to_string_lossy(), &options)
}

fn cover(place: &str) -> Result<()> {
    mount_at("tmpfs", place, c"mode=755")
}

fn mount_at(kind: &str, target: &str, options: &CStr) -> Result<()> {
    mount(kind, target, kind, MountFlags::empty(), options)
        .with_context(|| format!("{kind} cannot be mounted at {target}"))
}

fn bind(from: &str, to: &str) -> Result<()> {
    mount_bind(from, to).with_context(|| format!("{from} cannot be mounted at {to}"))
}

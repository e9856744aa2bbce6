//! The mounts that dozens of other pods have on a node.
//!
//! A test machine has few mounts. The process with which a runtime makes a container has all mounts of the
//! node until it pivots into the container's root: so a node shows states that a test machine does not.
//! Called by the nodes of `kubelet` and by the pods of `container`.

use std::ffi::{CStr, CString};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::mount::{MountFlags, mount, mount_bind};

/// How many other pods: each has five mounts.
const PODS: u32 = 80;

/// Makes the mounts of dozens of other pods below `place`, in a file system of its own.
///
/// # Errors
///
/// If a mount fails: the process may not have the right to mount.
pub fn mount_all(place: &Path) -> Result<()> {
    fs::create_dir_all(place)?;
    mount_at("tmpfs", place, c"mode=755")?;
    let kubelet = place.join("var/lib/kubelet/pods");
    let networks = place.join("run/netns");
    fs::create_dir_all(&networks)?;
    for number in 0..PODS {
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

/// The root of a container, as a runtime mounts it.
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

/// Mounts a file system of this kind.
///
/// # Errors
///
/// The kernel refuses; the error names the place.
pub fn mount_at(kind: &str, target: &Path, options: &CStr) -> Result<()> {
    mount(kind, target, kind, MountFlags::empty(), options)
        .with_context(|| format!("{kind} cannot be mounted at {}", target.display()))
}

/// Binds a file or folder to another place.
///
/// # Errors
///
/// The kernel refuses; the error names both places.
pub fn bind(from: &Path, to: &Path) -> Result<()> {
    mount_bind(from, to)
        .with_context(|| format!("{} cannot be mounted at {}", from.display(), to.display()))
}

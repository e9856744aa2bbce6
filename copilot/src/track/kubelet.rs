//! What a container's mounts say of it: kubelet and the runtime leave their marks there, readable
//! without any privilege from another container of the pod.
//!
//! - `…/pods/<uid>/containers/<name>/<8 hex>` is bound to the termination log: the container's name.
//! - `…/pods/<uid>/volumes/…` are its volumes: who shares the output volume mounts the same device
//!   and root.
//! - The sandbox (pause) has none of these, only `…/sandboxes/<id>/resolv.conf`.
//!
//! Pure: text in, traits out. A line that cannot be read is skipped with a debug line.

use std::path::{Path, PathBuf};

use procfs::process::MountInfo;
use tracing::debug;

/// What the mounts of a container tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// The container's name in the pod's manifest.
    pub name: Option<String>,
    /// The pod's uid.
    pub pod_uid: Option<String>,
    /// The sandbox's id, which all containers of a pod share.
    pub sandbox: Option<String>,
    /// Whether this is the sandbox itself.
    pub is_sandbox: bool,
    /// What is mounted in it, its root file system excepted.
    pub mounts: Vec<Mount>,
}

/// A directory or file, as one container mounts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// `major:minor` of the file system's device.
    pub device: String,
    /// The mounted directory, relative to the file system's root.
    pub root: PathBuf,
    /// Where the container sees it.
    pub target: PathBuf,
}

impl Mount {
    /// Whether two containers see common files through these mounts: with `subPath` one root lies
    /// below the other.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.device == other.device
            && (self.root.starts_with(&other.root) || other.root.starts_with(&self.root))
    }
}

impl Traits {
    /// Reads the text of a `/proc/PID/mountinfo`.
    #[must_use]
    pub fn from_mountinfo(text: &str) -> Self {
        let mut traits = Self::default();
        let mut of_kubelet = false;
        for line in text.lines() {
            let mount = match MountInfo::from_line(line) {
                Ok(mount) => mount,
                Err(error) => {
                    debug!(line, %error, "a line of mountinfo cannot be read");
                    continue;
                }
            };
            let root = unescape(&mount.root);
            of_kubelet |= traits.read_kubelet_root(&root);
            if let Some(sandbox) = component_after(&root, "sandboxes") {
                traits.sandbox = Some(sandbox);
            }
            let target = unescape(&mount.mount_point.to_string_lossy());
            if target != Path::new("/") {
                traits.mounts.push(Mount {
                    device: mount.majmin,
                    root,
                    target,
                });
            }
        }
        traits.is_sandbox = traits.sandbox.is_some() && !of_kubelet;
        traits
    }

    /// Whether any mark was found: outside Kubernetes there is none.
    #[must_use]
    pub fn is_of_a_pod(&self) -> bool {
        self.name.is_some() || self.pod_uid.is_some() || self.sandbox.is_some()
    }

    /// The mount in which a path of the container lies, if it is not on the root file system.
    #[must_use]
    pub fn mount_of(&self, path: &Path) -> Option<&Mount> {
        self.mounts
            .iter()
            .filter(|mount| path.starts_with(&mount.target))
            .max_by_key(|mount| mount.target.as_os_str().len())
    }

    /// Takes what a mount's root says if it lies below kubelet's directory of a pod.
    fn read_kubelet_root(&mut self, root: &Path) -> bool {
        let names: Vec<&str> = root.iter().filter_map(|name| name.to_str()).collect();
        // `pods` alone also occurs in cgroup roots: what follows the uid decides. The last match
        // counts, since what stands before is the node's own choice.
        let Some(at) = names.windows(3).rposition(|window| {
            window[0] == "pods"
                && matches!(
                    window[2],
                    "containers" | "volumes" | "volume-subpaths" | "etc-hosts"
                )
        }) else {
            return false;
        };
        self.pod_uid = Some(names[at + 1].to_owned());
        // `containers/<name>/<8 hex>`: the file behind the termination log.
        if let ("containers", Some(name), Some(_)) =
            (names[at + 2], names.get(at + 3), names.get(at + 4))
        {
            self.name = Some((*name).to_owned());
        }
        true
    }
}

/// The component that follows `name`, if something follows that one in turn.
fn component_after(path: &Path, name: &str) -> Option<String> {
    let names: Vec<&str> = path.iter().filter_map(|name| name.to_str()).collect();
    let at = names.iter().position(|each| *each == name)?;
    names.get(at + 2)?;
    names.get(at + 1).map(|each| (*each).to_owned())
}

/// Undoes the kernel's octal escapes of space, tab, newline and backslash in mountinfo.
fn unescape(text: &str) -> PathBuf {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let (character, length) = match rest.get(..4) {
            Some("\\040") => (' ', 4),
            Some("\\011") => ('\t', 4),
            Some("\\012") => ('\n', 4),
            Some("\\134") => ('\\', 4),
            _ => ('\\', 1),
        };
        plain.push(character);
        rest = &rest[length..];
    }
    plain.push_str(rest);
    plain.into()
}

#[cfg(test)]
mod tests;

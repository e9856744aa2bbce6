//! Reads mount evidence from the text of a `mountinfo`. Kubelet and the runtime leave it in a
//! container's mounts, and another container of the pod can read it without any privilege.
//!
//! - `…/pods/<uid>/containers/<name>/<8 hex>` is bound to the termination log: the container's name.
//! - `…/pods/<uid>/volumes/…` are its volumes: two containers share the output volume if they mount
//!   the same device and root.
//! - The sandbox (pause) has only `…/sandboxes/<id>/resolv.conf`.
//!
//! A runtime makes a container in this order: it starts a process in a copy of the *node's* mount
//! namespace, mounts the container's file systems below `…/rootfs`, calls `pivot_root`, detaches the
//! node's root, and runs the program. Until the node's root is detached the table holds all mounts of
//! the node, often thousands, and only some of the container's. [`Stage`] marks such a reading, and
//! only the container's own part of it is kept.
//!
//! Pure: text in, evidence out. A line that cannot be parsed is skipped with a debug line.

use std::path::{Path, PathBuf};

use procfs::process::MountInfo;
use tracing::debug;

/// How far the runtime had got when the mounts were read. A later stage is more complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The runtime has not yet pivoted into the container's root, or not yet detached the node's root:
    /// more mounts may come.
    BeforePivot,
    /// The runtime has pivoted, and the program has not begun: all volumes are mounted.
    BeforeStart,
    /// The program runs, or the evidence comes from the pod's manifest.
    #[default]
    Complete,
}

/// What the mounts of a container show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MountEvidence {
    /// How far the runtime had got.
    pub stage: Stage,
    /// The container's name in the pod's manifest.
    pub name: Option<String>,
    /// The pod's uid.
    pub pod_uid: Option<String>,
    /// The sandbox's id, which all containers of a pod share.
    pub sandbox: Option<String>,
    /// Whether this is the sandbox itself.
    pub is_sandbox: bool,
    /// All its mounts, except its root file system.
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
    /// Whether two containers see common files through these mounts: with `subPath` one root may lie
    /// below the other.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.device == other.device
            && (self.root.starts_with(&other.root) || other.root.starts_with(&self.root))
    }
}

impl MountEvidence {
    /// Reads the `/proc/PID/mountinfo` of a process that runs its container's program, or that belongs
    /// to a runtime we do not know.
    #[must_use]
    pub fn from_mountinfo(text: &str) -> Self {
        match root_before_pivot(text) {
            Some(root) => {
                let is_below = |line: &&str| Path::new(target_of(line)).starts_with(root);
                Self::from_lines(text.lines().filter(is_below), Some(root))
            }
            None if holds_two_roots(text) => Self::from_lines(
                text.lines().filter(|line| is_termination_log(line)),
                Some(""),
            ),
            None => Self::from_lines(text.lines(), None),
        }
    }

    /// Reads the `/proc/PID/mountinfo` of a runtime's own process, which waits to become the container's
    /// program. `None` while the table does not name the container: it is still the node's.
    #[must_use]
    pub fn from_runtimes_mountinfo(text: &str) -> Option<Self> {
        let mut evidence = Self::from_mountinfo(text);
        evidence.name.as_ref()?;
        evidence.stage = evidence.stage.min(Stage::BeforeStart);
        Some(evidence)
    }

    /// Reads these lines; `root` is the container's root in a table of the node's mounts.
    fn from_lines<'a>(lines: impl Iterator<Item = &'a str>, root: Option<&str>) -> Self {
        let mut evidence = Self::default();
        if root.is_some() {
            evidence.stage = Stage::BeforePivot;
        }
        let mut of_kubelet = false;
        for line in lines {
            let info = match MountInfo::from_line(line) {
                Ok(info) => info,
                Err(error) => {
                    debug!(line, %error, "a line of mountinfo cannot be read");
                    continue;
                }
            };
            let target = info.mount_point.to_string_lossy();
            let target = target.strip_prefix(root.unwrap_or_default());
            let mount = Mount {
                device: info.majmin,
                root: unescape(&info.root),
                target: unescape(target.filter(|rest| !rest.is_empty()).unwrap_or("/")),
            };
            of_kubelet |= evidence.read_kubelet_root(&mount.root);
            if let Some(sandbox) = component_after(&mount.root, "sandboxes") {
                evidence.sandbox = Some(sandbox);
            }
            if mount.target != Path::new("/") {
                evidence.mounts.push(mount);
            }
        }
        evidence.is_sandbox = evidence.sandbox.is_some() && !of_kubelet;
        evidence
    }

    /// Whether these mounts belong to a container of a pod; false outside Kubernetes.
    #[must_use]
    pub fn is_of_a_pod(&self) -> bool {
        self.name.is_some() || self.pod_uid.is_some() || self.sandbox.is_some()
    }

    /// The mount that holds a path of the container, unless the root file system does.
    #[must_use]
    pub fn mount_of(&self, path: &Path) -> Option<&Mount> {
        self.mounts
            .iter()
            .filter(|mount| path.starts_with(&mount.target))
            .max_by_key(|mount| mount.target.as_os_str().len())
    }

    /// Takes the pod's uid and the container's name from a mount's root below kubelet's directory of a
    /// pod. Returns whether it lies there.
    fn read_kubelet_root(&mut self, root: &Path) -> bool {
        let Some((uid, rest)) = below_kubelet(root) else {
            return false;
        };
        self.pod_uid = Some(uid.to_owned());
        if let Some(name) = container_of_log(&rest) {
            self.name = Some(name.to_owned());
        }
        true
    }
}

/// The container's root among the node's mounts, as mountinfo writes it, if the runtime has not pivoted
/// into it yet. Kubelet binds a termination log into every container and nowhere else. Before the pivot
/// it lies below a mount that will become the root: the runtime's directory, with a `/proc` of its own.
/// A node may have thousands of mounts, so this compares fields and does not parse lines.
fn root_before_pivot(text: &str) -> Option<&str> {
    let logs = text.lines().filter(|line| is_termination_log(line));
    let roots = logs.map(|log| {
        let above = Path::new(target_of(log)).ancestors().skip(1);
        let mut above = above.filter_map(Path::to_str).filter(|root| *root != "/");
        above.find(|root| is_root_of_container(text, root))
    });
    // A log at its final path belongs to a container that runs.
    roots.collect::<Option<Vec<&str>>>()?.pop()
}

/// Whether the node's root is still mounted: `pivot_root(".", ".")` stacks it on the container's, and
/// the runtime detaches it a moment later with all mounts below it. Until then the node's volumes look
/// like the container's.
fn holds_two_roots(text: &str) -> bool {
    text.lines().filter(|line| target_of(line) == "/").count() > 1
}

fn is_termination_log(line: &str) -> bool {
    let root = line.split(' ').nth(3).unwrap_or_default();
    // Cheap, and false for most lines.
    root.contains("/containers/")
        && below_kubelet(Path::new(root)).is_some_and(|(_, rest)| container_of_log(&rest).is_some())
}

fn is_root_of_container(text: &str, root: &str) -> bool {
    let is_named_so = matches!(root.rsplit('/').next(), Some("rootfs" | "merged"));
    let is_its_proc = |line: &str| {
        target_of(line).strip_prefix(root) == Some("/proc")
            && line
                .split_once(" - ")
                .is_some_and(|(_, kind)| kind.starts_with("proc "))
    };
    text.lines().any(|line| target_of(line) == root)
        && (is_named_so || text.lines().any(is_its_proc))
}

/// The mount point in a line of mountinfo.
fn target_of(line: &str) -> &str {
    line.split(' ').nth(4).unwrap_or_default()
}

/// The pod's uid and the components after it, if a mount's root lies below kubelet's directory of a
/// pod.
fn below_kubelet(root: &Path) -> Option<(&str, Vec<&str>)> {
    let names: Vec<&str> = root.iter().filter_map(|name| name.to_str()).collect();
    // `pods` alone also occurs in cgroup roots, so the component after the uid decides. The last match
    // counts, because the node's administrator chooses the path before it.
    let at = names.windows(3).rposition(|window| {
        window[0] == "pods"
            && matches!(
                window[2],
                "containers" | "volumes" | "volume-subpaths" | "etc-hosts"
            )
    })?;
    Some((names[at + 1], names[at + 2..].to_vec()))
}

/// The container's name in `containers/<name>/<8 hex>`: the file behind a termination log.
fn container_of_log<'a>(rest: &[&'a str]) -> Option<&'a str> {
    match rest {
        ["containers", name, _, ..] => Some(name),
        _ => None,
    }
}

/// The component after `name`, unless it is the last one.
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

//! Paths of cgroups: which pod and container a process belongs to, from the text of its
//! `/proc/PID/cgroup`. Pure.
//!
//! The component one level below the pod names the container, never the leaf: crun puts processes one
//! level deeper. In a private cgroup namespace, other containers of the pod appear as `/../<name>`
//! (crun: `/../../<name>/container`), and the pod's own name is hidden. Some runtimes give pods no cgroup: their
//! containers lie [`beside`] each other.

use crate::track::ContainerId;

/// The id of our own container where our cgroup namespace hides its name.
const OWN: &str = "(own)";

/// The prefix of the scopes that CRI-O puts beside a pod's containers, for its monitors.
const MONITOR_PREFIX: &str = "crio-conmon-";

/// The kernel appends this to the path of a removed cgroup.
const DELETED: &str = " (deleted)";

/// Where the pod lies, as the paths in `/proc/PID/cgroup` show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodPath {
    /// At this full path, without a slash at the end.
    Absolute(String),
    /// This many steps up from the root of our own cgroup namespace.
    Above(usize),
    /// It has no cgroup of its own: the runtime keeps the containers of all pods side by side, and the name
    /// of each begins with its pod's: `<pod>:cri-containerd:<id>`.
    Beside {
        /// The full path of the cgroup that holds them, without a slash at the end.
        parent: String,
        /// The pod's name.
        pod: String,
    },
    /// Paths do not show it: the runtime keeps all containers in one cgroup. Kubelet's mounts tell
    /// containers apart instead.
    SharedCgroup {
        /// The pod's uid.
        uid: String,
    },
}

/// How a cgroup path relates to our pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// It lies in this container.
    Container(ContainerId),
    /// It is the pod's own cgroup, or the runtime's monitor beside the containers.
    Pod,
    /// It lies outside the pod.
    Outside,
}

impl PodPath {
    /// How a path of `/proc/PID/cgroup` relates to this pod.
    #[must_use]
    pub fn membership(&self, path: &str) -> Membership {
        let rest = match self {
            Self::Absolute(pod) => match path.strip_prefix(pod.as_str()) {
                Some("") => return Membership::Pod,
                Some(rest) if rest.starts_with('/') => rest,
                _ => return Membership::Outside,
            },
            Self::Above(steps) => {
                let (above, rest) = split_steps(path);
                if above == 0 {
                    return Membership::Container(ContainerId::new(OWN));
                }
                if above != *steps {
                    return Membership::Outside;
                }
                rest
            }
            Self::Beside { parent, pod } => match path.strip_prefix(parent.as_str()) {
                Some("") => return Membership::Pod,
                Some(rest) if first_of(rest).and_then(pod_beside) == Some(pod) => rest,
                _ => return Membership::Outside,
            },
            Self::SharedCgroup { .. } => return Membership::Outside,
        };
        rest.split('/')
            .find(|name| !name.is_empty())
            .and_then(container_from_name)
            .map_or(Membership::Pod, Membership::Container)
    }
}

/// The container whose cgroup, one level below the pod, has this name; `None` for the runtime's
/// monitor.
#[must_use]
pub fn container_from_name(name: &str) -> Option<ContainerId> {
    (!name.starts_with(MONITOR_PREFIX)).then(|| ContainerId::new(name))
}

/// A line of `/proc/PID/cgroup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CgroupLine<'a> {
    /// `0` for cgroup2.
    hierarchy: &'a str,
    controllers: &'a str,
    path: &'a str,
}

fn lines(text: &str) -> impl Iterator<Item = CgroupLine<'_>> {
    text.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (hierarchy, controllers) = (fields.next()?, fields.next()?);
        let path = fields.next()?;
        // A zombie may outlive its cgroup.
        let path = path.strip_suffix(DELETED).unwrap_or(path);
        path.starts_with('/').then_some(CgroupLine {
            hierarchy,
            controllers,
            path,
        })
    })
}

/// The path in the cgroup2 hierarchy.
#[must_use]
pub fn unified_path(text: &str) -> Option<&str> {
    let mut lines = lines(text);
    let unified = lines.find(|line| line.hierarchy == "0");
    unified.map(|line| line.path)
}

/// The path in the cgroup v1 hierarchy that has this controller.
#[must_use]
pub fn path_of_controller<'a>(text: &'a str, controller: &str) -> Option<&'a str> {
    let has_it = |line: &CgroupLine<'_>| line.controllers.split(',').any(|each| each == controller);
    lines(text).find(has_it).map(|line| line.path)
}

/// The path that identifies the container, and whether it is that of the cgroup2 hierarchy.
///
/// The cgroup2 path counts if it names a pod or is relative to our own cgroup namespace; otherwise the
/// first path that names a pod. On a node with cgroup v1 the cgroup2 path may mean nothing: an older
/// runtime leaves its containers in `/system.slice` there.
#[must_use]
pub fn container_path(text: &str) -> Option<(&str, bool)> {
    let unified = unified_path(text);
    let names_pod = |path: &str| pod_components(path).is_some() || beside(path).is_some();
    if let Some(path) = unified
        && (names_pod(path) || split_steps(path).0 > 0)
    {
        return Some((path, true));
    }
    let named = lines(text).find(|line| names_pod(line.path));
    named
        .map(|line| (line.path, false))
        .or(unified.map(|path| (path, true)))
}

/// Whether two processes are in the same container, from the texts of their `/proc/PID/cgroup`.
///
/// The first hierarchy in which both paths name a container of a pod decides. Differences in other
/// lines mean nothing: a hierarchy may hold only a container's first process, or belong to a
/// monitoring tool, a nested systemd, or an older runtime. If no path names a container, as in a
/// private cgroup namespace, the cgroup2 path decides.
#[must_use]
pub fn is_same_container(one: &str, other: &str) -> bool {
    let named = |text| lines(text).filter_map(|line| Some((line, container_in(line.path)?)));
    let both = named(one).find_map(|(line, container)| {
        let same_hierarchy = |(other, _): &(CgroupLine<'_>, _)| {
            (other.hierarchy, other.controllers) == (line.hierarchy, line.controllers)
        };
        let (_, found) = named(other).find(same_hierarchy)?;
        Some(found == container)
    });
    both.unwrap_or_else(|| {
        let path = |text| container_path(text).map(|(path, _)| path);
        path(one) == path(other)
    })
}

/// The part of a path that leads to the container: one level below the pod, or beside other pods'.
fn container_in(path: &str) -> Option<Vec<&str>> {
    let depth = match beside(path) {
        Some((above, _)) => above + 1,
        None => pod_components(path)? + 1,
    };
    let names: Vec<&str> = components(path).take(depth).collect();
    (names.len() == depth).then_some(names)
}

/// The controllers of the first cgroup v1 hierarchy in which a process has this path. A hierarchy
/// without controllers, such as systemd's own, does not count.
#[must_use]
pub fn controllers(text: &str, path: &str) -> Vec<String> {
    let of_line = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let controllers = fields.next()?;
        let names: Vec<String> = controllers
            .split(',')
            .filter(|name| !name.is_empty() && !name.starts_with("name="))
            .map(str::to_owned)
            .collect();
        (fields.next()? == path && !names.is_empty()).then_some(names)
    };
    text.lines().find_map(of_line).unwrap_or_default()
}

/// How many components of a path lead to the pod, by kubelet's naming: `pod<uid>`, or with the systemd
/// driver `…-pod<uid>.slice`. The last match counts, because the node may itself run in a pod.
#[must_use]
pub fn pod_components(path: &str) -> Option<usize> {
    let names: Vec<&str> = components(path).collect();
    names
        .iter()
        .rposition(|name| names_a_pod(name))
        .map(|at| at + 1)
}

/// How many components of a path lead to a container that lies beside those of other pods, and its pod's
/// name; `None` if the path names a pod further down, as on a node that itself runs in a pod.
#[must_use]
pub fn beside(path: &str) -> Option<(usize, &str)> {
    let names: Vec<&str> = components(path).collect();
    let at = names.iter().rposition(|name| pod_beside(name).is_some())?;
    let is_last = pod_components(path).is_none_or(|level| level <= at);
    is_last.then_some((at, pod_beside(names[at])?))
}

/// The pod in the name of a container that lies beside those of other pods. A runtime that makes cgroups
/// itself, under a kubelet that leaves them to systemd, takes systemd's notation for a name:
/// `kubepods-burstable-pod<uid>.slice:cri-containerd:<id>`.
#[must_use]
pub fn pod_beside(name: &str) -> Option<&str> {
    let (pod, _) = name.split_once(':')?;
    names_a_pod(pod).then_some(pod)
}

/// The pod's uid in kubelet's name for its cgroup, in the form of the manifest.
#[must_use]
pub fn uid_of(pod: &str) -> Option<String> {
    let name = pod.strip_suffix(".slice").unwrap_or(pod);
    let (_, uid) = name.rsplit_once("pod").filter(|_| names_a_pod(pod))?;
    Some(uid.replace('_', "-"))
}

fn first_of(rest: &str) -> Option<&str> {
    rest.strip_prefix('/')?.split('/').next()
}

/// The components of a path.
pub fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

/// How many steps up (`/..`) a path starts with, and the rest of the path.
#[must_use]
pub fn split_steps(path: &str) -> (usize, &str) {
    let mut steps = 0;
    let mut rest = path;
    while let Some(next) = rest.strip_prefix("/..")
        && (next.is_empty() || next.starts_with('/'))
    {
        steps += 1;
        rest = next;
    }
    (steps, rest)
}

/// How many steps up from our own cgroup namespace the pod lies, from the path of another container of
/// the pod: `/../<name>`, or with crun `/../../<name>/container`. `None` for any other path: a probe
/// that kubelet is just starting in our container is still in the runtime's own cgroup, far above.
#[must_use]
pub fn steps_of_neighbour(path: &str) -> Option<usize> {
    let (steps, rest) = split_steps(path);
    let names: Vec<&str> = components(rest).collect();
    match (steps, names.as_slice()) {
        (1, [_, ..]) => Some(1),
        (2, [_, "container", ..]) => Some(2),
        _ => None,
    }
}

/// Whether a component is kubelet's name for a pod. The uid is 32 hex digits, with or without dashes;
/// systemd's escaping turns dashes into underscores.
#[must_use]
pub fn names_a_pod(component: &str) -> bool {
    let name = component.strip_suffix(".slice").unwrap_or(component);
    let Some(at) = name.rfind("pod") else {
        return false;
    };
    let (before, uid) = (&name[..at], &name[at + 3..]);
    let digits = uid.bytes().filter(u8::is_ascii_hexdigit).count();
    (before.is_empty() || before.ends_with('-'))
        && digits == 32
        && uid
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests;

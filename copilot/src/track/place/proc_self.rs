//! Finds our place from what `/proc` shows of our own process. Pure: the caller reads the files.

use std::path::{Path, PathBuf};

use procfs::process::MountInfo;
use tracing::info;

use super::{Membership, NotACgroup, Place, PlaceError, PodPath, cgroup, error::no_such_cgroup};
use crate::track::{ContainerId, mounts::MountEvidence};

/// What `/proc` shows of our own process: our place follows from this alone.
pub struct ProcSelf<'a> {
    /// The text of `/proc/self/cgroup`.
    pub cgroup: &'a str,
    /// The text of `/proc/self/mountinfo`.
    pub mountinfo: &'a str,
    /// Whether our cgroup namespace is the node's own, so that paths start at the root.
    pub initial_namespace: bool,
    /// Reads the `cgroup` files of all processes that we see; needed in a private namespace only.
    pub others: &'a dyn Fn() -> Vec<String>,
}

impl ProcSelf<'_> {
    /// Our place as the paths show it. The pod's directory may not exist.
    pub fn place(&self) -> Result<Place, PlaceError> {
        let (own_path, unified) = self.own_path();
        if let Some((level, pod)) = cgroup::beside(own_path) {
            return Ok(self.beside_other_pods(own_path, unified, level, pod));
        }
        if let Some(level) = cgroup::pod_components(own_path) {
            return Ok(self.below_a_named_pod(own_path, unified, level));
        }
        if self.initial_namespace {
            return self.by_mounts(own_path);
        }
        let steps = self.steps_to_pod();
        let pod = PodPath::Above(steps);
        Ok(Place {
            own: own_container(&pod, own_path),
            pod,
            unified: true,
            controllers: Vec::new(),
            directory: None,
            level: None,
            above_us: Some(count(steps + cgroup::components(own_path).count())),
            evidence: self.evidence(),
            proc_root: None,
            hides_processes: false,
            kinship: None,
        })
    }

    /// Our place, given the directory of the pod's cgroup.
    pub fn place_in(&self, path: &Path) -> Result<Place, PlaceError> {
        let mount = self
            .mount()
            .ok_or_else(|| no_such_cgroup(path, NotACgroup::NotMounted))?;
        let Ok(below) = path.strip_prefix(&mount) else {
            return Err(no_such_cgroup(path, NotACgroup::Elsewhere { mount }));
        };
        let names: Vec<_> = below.iter().map(|name| name.to_string_lossy()).collect();
        if names.is_empty() {
            return Err(no_such_cgroup(path, NotACgroup::Root));
        }
        let level = names.len();
        let pod = PodPath::Absolute(format!("/{}", names.join("/")));
        let (own_path, _) = self.own_path();
        let own = own_container(&pod, own_path);
        let above = cgroup::components(own_path).count().saturating_sub(level);
        Ok(Place {
            pod,
            unified: true,
            controllers: Vec::new(),
            directory: Some(path.to_owned()),
            level: self.initial_namespace.then(|| count(level)),
            above_us: own.is_some().then(|| count(above)),
            own,
            evidence: self.evidence(),
            proc_root: None,
            hides_processes: false,
            kinship: None,
        })
    }

    fn below_a_named_pod(&self, own_path: &str, unified: bool, level: usize) -> Place {
        let (below, full) = upper_part(own_path, level);
        self.at(own_path, unified, level, PodPath::Absolute(full), &below)
    }

    /// Our own cgroup lies beside those of other pods, and its name begins with our pod's.
    fn beside_other_pods(&self, own_path: &str, unified: bool, level: usize, pod: &str) -> Place {
        let (below, parent) = upper_part(own_path, level);
        let pod = PodPath::Beside {
            parent,
            pod: pod.to_owned(),
        };
        self.at(own_path, unified, level, pod, &below)
    }

    /// Our place, `level` components below the root of the hierarchy, which lead to `below`.
    fn at(&self, own_path: &str, unified: bool, level: usize, pod: PodPath, below: &str) -> Place {
        let controllers = if unified {
            Vec::new()
        } else {
            cgroup::controllers(self.cgroup, own_path)
        };
        let directory = if unified {
            self.mount()
        } else {
            self.mount_of(&controllers)
        };
        Place {
            own: own_container(&pod, own_path),
            pod,
            unified,
            controllers,
            directory: directory.map(|mount| mount.join(below)),
            level: self.initial_namespace.then(|| count(level)),
            above_us: Some(count(cgroup::components(own_path).count() - level)),
            evidence: self.evidence(),
            proc_root: None,
            hides_processes: false,
            kinship: None,
        }
    }

    /// Our own cgroup does not lie in a pod's. We may still be in a pod, if kubelet's mounts say so.
    fn by_mounts(&self, own_path: &str) -> Result<Place, PlaceError> {
        let evidence = self.evidence();
        let (Some(uid), Some(name)) = (evidence.pod_uid.clone(), evidence.name.as_deref()) else {
            return Err(PlaceError::NoPod {
                path: own_path.to_owned(),
            });
        };
        Ok(Place {
            own: Some(ContainerId::new(name)),
            pod: PodPath::SharedCgroup { uid },
            unified: false,
            controllers: Vec::new(),
            directory: None,
            level: None,
            above_us: None,
            evidence,
            proc_root: None,
            hides_processes: false,
            kinship: None,
        })
    }

    /// How many steps up the pod lies from our private cgroup namespace. The paths of other containers
    /// show it; if pids are shared, we see at least the sandbox's.
    fn steps_to_pod(&self) -> usize {
        let steps = (self.others)()
            .iter()
            .filter_map(|text| cgroup::container_path(text))
            .filter_map(|(path, _)| cgroup::steps_of_neighbour(path))
            .min();
        steps.unwrap_or_else(|| {
            info!(
                "our cgroup namespace is private and we see no other container: the pod's cgroup is the \
                 parent of our own, unless the kernel names another"
            );
            1
        })
    }

    /// Our own cgroup, and whether it belongs to the cgroup2 hierarchy.
    fn own_path(&self) -> (&str, bool) {
        cgroup::container_path(self.cgroup).unwrap_or(("/", true))
    }

    fn evidence(&self) -> MountEvidence {
        MountEvidence::from_mountinfo(self.mountinfo)
    }

    /// Where the cgroup2 hierarchy is mounted, as a whole in terms of our namespace.
    fn mount(&self) -> Option<PathBuf> {
        let found = whole_mounts(self.mountinfo, "cgroup2").next();
        found.map(|mount| mount.mount_point)
    }

    /// The same for the cgroup v1 hierarchy that these controllers share.
    fn mount_of(&self, controllers: &[String]) -> Option<PathBuf> {
        let controller = controllers.first()?;
        let found = whole_mounts(self.mountinfo, "cgroup")
            .find(|mount| mount.super_options.contains_key(controller));
        found.map(|mount| mount.mount_point)
    }
}

/// The mounts of whole cgroup hierarchies of one version.
fn whole_mounts(mountinfo: &str, version: &str) -> impl Iterator<Item = MountInfo> {
    mountinfo
        .lines()
        .filter_map(|line| MountInfo::from_line(line).ok())
        .filter(move |mount| mount.fs_type == version && mount.root == "/")
}

/// The path of the first components, without and with the slash before it; for none, both are empty.
fn upper_part(path: &str, level: usize) -> (String, String) {
    let names: Vec<&str> = cgroup::components(path).take(level).collect();
    let below = names.join("/");
    let slash = if below.is_empty() { "" } else { "/" };
    let full = format!("{slash}{below}");
    (below, full)
}

fn own_container(pod: &PodPath, own_path: &str) -> Option<ContainerId> {
    match pod.membership(own_path) {
        Membership::Container(own) => Some(own),
        Membership::Pod | Membership::Outside => None,
    }
}

pub fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

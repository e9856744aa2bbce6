//! Our own pod and container among the cgroups of the node.
//!
//! [`cgroup`] is pure: it reads the paths of `/proc/PID/cgroup`. [`directory`] looks into the pod's
//! directory, [`visibility`] answers whether we see other containers' processes. Never here: who main
//! is, and events. Called by `attach`, `readiness`, `scan` and the sources. What the files do not show
//! (the pod's cgroup id, in a private cgroup namespace) the `ebpf` source learns from the kernel.

pub mod cgroup;
pub mod directory;
pub mod visibility;

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use procfs::process::{MountInfo, Process};
use thiserror::Error;
use tracing::{debug, info};

pub use self::cgroup::{Membership, PodPath};
use super::{ContainerId, mounts::MountEvidence, process};

/// Inode of the initial cgroup namespace (`PROC_CGROUP_INIT_INO`), the same on every kernel.
const INITIAL_CGROUP_NAMESPACE: u64 = 0xEFFF_FFFB;

/// Our place among the cgroups.
#[derive(Clone, Debug)]
pub struct Place {
    /// The pod, as paths of `/proc/PID/cgroup` show it.
    pub pod: PodPath,
    /// Whether those paths belong to the cgroup2 hierarchy.
    pub unified: bool,
    /// The controllers of the cgroup v1 hierarchy that has these paths, if cgroup2 does not.
    pub controllers: Vec<String>,
    /// The pod's cgroup directory, if the hierarchy is mounted in our container.
    pub directory: Option<PathBuf>,
    /// The pod's level below the root of the hierarchy, unless our cgroup namespace hides it.
    pub level: Option<u32>,
    /// How many levels the pod lies above our own cgroup; `None` if we are not in the pod.
    pub above_us: Option<u32>,
    /// Our own container; `None` if we are not in the pod.
    pub own: Option<ContainerId>,
    /// The evidence of our own mounts.
    pub evidence: MountEvidence,
    /// The node's own `/proc`, if it is mounted in our container and needed: other containers'
    /// processes then have the pids of the node.
    pub proc_root: Option<PathBuf>,
}

/// Why our pod was not found.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// A file of our own in `/proc` cannot be read.
    #[error("cannot find our own pod: {path} cannot be read ({source})")]
    Unreadable {
        /// The file.
        path: &'static str,
        /// The error of the read.
        source: io::Error,
    },
    /// Our own cgroup does not lie in a pod's.
    #[error(
        "our own cgroup {path} does not belong to a pod of kubelet's; name the pod's cgroup with \
         --pod-cgroup"
    )]
    NoPod {
        /// Our own cgroup.
        path: String,
    },
    /// `--proc-root` names a directory that is not the node's `/proc`.
    #[error(
        "--proc-root {path} is not the node's /proc (1/cgroup: {source}); mount the node's /proc \
         there (a `hostPath` volume of path /proc)"
    )]
    NoSuchProc {
        /// The directory that was given.
        path: PathBuf,
        /// The error of a look at the node's first process.
        source: io::Error,
    },
    /// `--pod-cgroup` names a directory that is not a pod's cgroup.
    #[error(
        "--pod-cgroup {path} is not a directory of a mounted cgroup2 hierarchy ({source}); \
         give its full path, such as /sys/fs/cgroup/kubepods/…/pod<uid>"
    )]
    NoSuchCgroup {
        /// The directory that was given.
        path: PathBuf,
        /// The rule that it breaks.
        source: NotACgroup,
    },
}

/// Why a directory cannot be the pod's cgroup.
#[derive(Debug, Error)]
pub enum NotACgroup {
    /// The directory does not exist, or we may not open it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is an ordinary directory.
    #[error("it has no cgroup.procs")]
    NoProcs,
    /// No cgroup2 hierarchy is mounted in our container.
    #[error("no cgroup2 hierarchy is mounted here")]
    NotMounted,
    /// It lies outside the mounted hierarchy.
    #[error("the hierarchy is mounted at {}", mount.display())]
    Elsewhere {
        /// Where the hierarchy is mounted.
        mount: PathBuf,
    },
    /// It is the root of the hierarchy.
    #[error("it is the root of the hierarchy, and a pod lies below it")]
    Root,
}

/// What `/proc` shows of our own process: our place follows from this alone.
pub(super) struct ProcSelf<'a> {
    /// The text of `/proc/self/cgroup`.
    pub cgroup: &'a str,
    /// The text of `/proc/self/mountinfo`.
    pub mountinfo: &'a str,
    /// Whether our cgroup namespace is the node's own, so that paths start at the root.
    pub initial_namespace: bool,
    /// Reads the `cgroup` files of all processes that we see; needed in a private namespace only.
    pub others: &'a dyn Fn() -> Vec<String>,
}

impl Place {
    /// Finds our place; `pod_cgroup` (`--pod-cgroup`) overrides what the paths say.
    pub fn find(pod_cgroup: Option<&Path>) -> Result<Self, PlaceError> {
        let proc_self = ProcSelf {
            cgroup: &read("/proc/self/cgroup")?,
            mountinfo: &read("/proc/self/mountinfo")?,
            initial_namespace: is_initial_namespace(),
            others: &cgroups_of_all,
        };
        let mut place = match pod_cgroup {
            Some(path) => {
                let path =
                    &fs::canonicalize(path).map_err(|error| no_such_cgroup(path, error.into()))?;
                if !path.join("cgroup.procs").is_file() {
                    return Err(no_such_cgroup(path, NotACgroup::NoProcs));
                }
                proc_self.place_in(path)?
            }
            None => proc_self.place()?,
        };
        place.directory = place.directory.filter(|directory| directory.is_dir());
        debug!(?place, "our place among the cgroups");
        Ok(place)
    }

    /// Looks at the node's `/proc` instead of ours, unless ours shows as much: a pid of the node serves
    /// to read a process, not to open a descriptor of it.
    pub fn with_proc_root(mut self, root: &Path) -> Result<Self, PlaceError> {
        fs::metadata(root.join("1/cgroup")).map_err(|source| PlaceError::NoSuchProc {
            path: root.to_owned(),
            source,
        })?;
        if self.shares_pids() {
            info!("the pod shares its pid namespace, so --proc-root is not needed");
        } else {
            self.proc_root = Some(root.to_owned());
        }
        Ok(self)
    }

    /// Whether the other containers share our pid namespace.
    #[must_use]
    pub fn shares_pids(&self) -> bool {
        !visibility::is_alone(&self.evidence)
    }

    /// Whether we see the processes of other containers: in a pid namespace that they share, or in the
    /// node's own `/proc`.
    #[must_use]
    pub fn shows_others(&self) -> bool {
        self.proc_root.is_some() || self.shares_pids()
    }

    /// The process with this pid, if we see it.
    #[must_use]
    pub fn process(&self, pid: i32) -> Option<Process> {
        let root = self.proc_root.as_deref().unwrap_or(Path::new("/proc"));
        Process::new_with_root(root.join(pid.to_string())).ok()
    }

    /// The path of a process in the hierarchy that names our pod's containers, from the text of its
    /// `/proc/PID/cgroup`.
    #[must_use]
    pub fn path_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self.controllers.first() {
            _ if self.unified => cgroup::unified_path(text),
            Some(controller) => cgroup::path_of_controller(text, controller),
            None => cgroup::container_path(text).map(|(path, _)| path),
        }
    }

    /// Whether this is our own container.
    #[must_use]
    pub fn is_own(&self, container: &ContainerId) -> bool {
        self.own.as_ref() == Some(container)
    }

    /// The id of the pod's cgroup: the inode of its directory.
    #[must_use]
    pub fn pod_id(&self) -> Option<u64> {
        let directory = self.directory.as_ref()?;
        fs::metadata(directory).ok().map(|found| found.ino())
    }
}

impl ProcSelf<'_> {
    /// Our place as the paths show it. The pod's directory may not exist.
    pub fn place(&self) -> Result<Place, PlaceError> {
        let (own_path, unified) = self.own_path();
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
        })
    }

    fn below_a_named_pod(&self, own_path: &str, unified: bool, level: usize) -> Place {
        let names: Vec<&str> = cgroup::components(own_path).collect();
        let below = names[..level].join("/");
        let pod = PodPath::Absolute(format!("/{below}"));
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
            above_us: Some(count(names.len() - level)),
            evidence: self.evidence(),
            proc_root: None,
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
                "our cgroup namespace is private and we see no other container: \
                 we take the parent of our own cgroup for the pod's"
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

fn is_initial_namespace() -> bool {
    fs::metadata("/proc/self/ns/cgroup")
        .is_ok_and(|namespace| namespace.ino() == INITIAL_CGROUP_NAMESPACE)
}

fn cgroups_of_all() -> Vec<String> {
    procfs::process::all_processes()
        .into_iter()
        .flatten()
        .filter_map(|process| process::read(&process.ok()?, "cgroup").ok())
        .collect()
}

fn no_such_cgroup(path: &Path, source: NotACgroup) -> PlaceError {
    PlaceError::NoSuchCgroup {
        path: path.to_owned(),
        source,
    }
}

fn own_container(pod: &PodPath, own_path: &str) -> Option<ContainerId> {
    match pod.membership(own_path) {
        Membership::Container(own) => Some(own),
        Membership::Pod | Membership::Outside => None,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn read(path: &'static str) -> Result<String, PlaceError> {
    let bytes = fs::read(path).map_err(|source| PlaceError::Unreadable { path, source })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;

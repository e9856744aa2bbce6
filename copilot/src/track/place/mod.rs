//! Our own pod and container among the cgroups of the node.
//!
//! [`cgroup`] reads the paths of `/proc/PID/cgroup`, [`proc_self`] finds our place from our own. Both are
//! pure. [`directory`] looks into the pod's cgroup directory, [`visibility`] answers whether we see other
//! containers' processes, and [`kinship`] which of them are our pod's. Never here: who main is, and events.
//! Called by `attach`, `readiness`, `scan` and the sources. In a private cgroup namespace, the files do not
//! show the pod's cgroup id: the `ebpf` source learns it from the kernel.

pub mod cgroup;
pub(crate) mod directory;
mod error;
mod kinship;
mod proc_self;
pub(crate) mod visibility;

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use procfs::process::Process;
use tracing::{debug, info};

use self::error::no_such_cgroup;
pub(super) use self::proc_self::ProcSelf;
pub use self::{
    cgroup::{Membership, PodPath},
    error::{NotACgroup, PlaceError},
    kinship::{Kinship, Namespaces},
};
use super::{ContainerId, flyte, mounts::MountEvidence, process};

/// Inode of the initial cgroup namespace (`PROC_CGROUP_INIT_INO`), the same on every kernel.
const INITIAL_CGROUP_NAMESPACE: u64 = 0xEFFF_FFFB;

/// The variable that kubelet sets in each container.
const API_HOST: &str = "KUBERNETES_SERVICE_HOST";

/// Where it mounts the pod's account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

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
    /// Whether `/proc` is mounted so that it hides processes from us: that one is not there proves nothing.
    pub hides_processes: bool,
    /// What shows which of the processes that we see are our pod's; none if their cgroups show it, or if
    /// all are.
    pub kinship: Option<Kinship>,
}

impl Place {
    /// Whether Flyte has made our container, by the name that kubelet's mounts show.
    #[must_use]
    pub fn is_flytes(&self) -> bool {
        let name = self.evidence.name.as_deref();
        name.and_then(flyte::prefix).is_some()
    }

    /// Whether it is Flyte's downloader.
    #[must_use]
    pub fn is_flytes_downloader(&self) -> bool {
        self.evidence
            .name
            .as_deref()
            .is_some_and(flyte::is_downloader)
    }

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
        place.hides_processes = visibility::hides_processes(proc_self.mountinfo, "/proc");
        if !visibility::is_private_pid_namespace() {
            place.learn_kinship();
        }
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
            let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
            self.hides_processes = visibility::hides_processes(&mountinfo, &root.to_string_lossy());
            self.learn_kinship();
        }
        Ok(self)
    }

    /// We see processes of other pods. Where the pod's cgroup has no name, theirs may lie beside ours.
    fn learn_kinship(&mut self) {
        if matches!(self.pod, PodPath::Above(_)) {
            self.kinship = Some(Kinship::new(&self.evidence, Namespaces::of_our_pod()));
        }
    }

    /// Whether nothing shows which of the processes that we see are our pod's.
    #[must_use]
    pub fn hides_the_pod(&self) -> bool {
        self.kinship
            .as_ref()
            .is_some_and(|kinship| !kinship.can_tell())
    }

    /// The container of our pod that a process with this path belongs to. `is_runtimes`: it is a runtime's.
    #[must_use]
    pub fn container_of(
        &self,
        process: &Process,
        path: &str,
        is_runtimes: bool,
    ) -> Option<ContainerId> {
        let Membership::Container(container) = self.pod.membership(path) else {
            return None;
        };
        let is_ours = self.is_own(&container)
            || self
                .kinship
                .as_ref()
                .is_none_or(|kinship| kinship.includes(process, path, is_runtimes));
        is_ours.then_some(container)
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
        !self.hides_processes && (self.proc_root.is_some() || self.shares_pids())
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

    /// Whether neither the names of cgroups nor our mounts are kubelet's: all that we know is that our cgroup
    /// namespace is private, as in a container of any kind.
    #[must_use]
    pub fn is_unknown_to_kubelet(&self) -> bool {
        matches!(self.pod, PodPath::Above(_)) && !self.evidence.is_of_a_pod()
    }

    /// The id of the pod's cgroup: the inode of its directory.
    #[must_use]
    pub fn pod_id(&self) -> Option<u64> {
        let directory = self.directory.as_ref()?;
        fs::metadata(directory).ok().map(|found| found.ino())
    }
}

/// Whether kubelet has started us, whatever cgroups and mounts show: it sets the address of the API in each
/// container, and mounts a token of the pod's account unless the pod forbids that. In a virtual machine for each
/// pod nothing else shows it.
#[must_use]
pub fn is_in_a_cluster() -> bool {
    std::env::var_os(API_HOST).is_some_and(|host| !host.is_empty()) || Path::new(ACCOUNT).is_dir()
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

fn read(path: &'static str) -> Result<String, PlaceError> {
    let bytes = fs::read(path).map_err(|source| PlaceError::Unreadable { path, source })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;

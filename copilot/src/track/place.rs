//! Where are we? Our own pod and container among the cgroups of the node.
//!
//! The pod's level comes from the path pattern where our cgroup namespace lets us see it; only
//! where nothing tells is the parent of our own cgroup assumed, and that is logged. What the files
//! do not say (the pod's cgroup id, in a private namespace) the `ebpf` source learns in the kernel.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use procfs::process::Process;
use thiserror::Error;
use tracing::{debug, info};

use super::cgroup::{self, Membership, PodPath};
use super::{ContainerId, kubelet::Traits};

/// Inode of the initial cgroup namespace (`PROC_CGROUP_INIT_INO`), the same on every kernel.
const INITIAL_CGROUP_NAMESPACE: u64 = 0xEFFF_FFFB;

/// Our place among the cgroups.
#[derive(Clone, Debug)]
pub struct Place {
    /// The pod, as paths of `/proc/PID/cgroup` show it.
    pub pod: PodPath,
    /// Whether those paths are of the cgroup2 hierarchy, which the kernel's events tell.
    pub unified: bool,
    /// The pod's directory, where its part of the cgroup2 tree is mounted here.
    pub directory: Option<PathBuf>,
    /// The pod's level below the root of the hierarchy, where our namespace does not hide it.
    pub level: Option<u32>,
    /// How many levels the pod lies above our own cgroup; nothing if we are not in the pod.
    pub above_us: Option<u32>,
    /// Our own container; nothing if we are not in the pod.
    pub own: Option<ContainerId>,
    /// What our own mounts say.
    pub traits: Traits,
}

/// Why our pod was not found.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// `/proc` could not be read.
    #[error("cannot find out in which pod we are: {path} cannot be read ({cause})")]
    Unreadable {
        /// Which file.
        path: &'static str,
        /// Why.
        cause: String,
    },
    /// Our cgroup has no name of a pod.
    #[error(
        "our own cgroup {path} is of no pod that kubelet made; name the pod's cgroup with --pod-cgroup"
    )]
    NoPod {
        /// Our own cgroup.
        path: String,
    },
    /// `--pod-cgroup` names no cgroup.
    #[error(
        "--pod-cgroup {path} is no directory of a mounted cgroup2 hierarchy ({cause}); \
         give its full path, such as /sys/fs/cgroup/kubepods/…/pod<uid>"
    )]
    NoSuchCgroup {
        /// What was given.
        path: PathBuf,
        /// Why it is none.
        cause: String,
    },
}

impl Place {
    /// Finds our place; `pod_cgroup` (`--pod-cgroup`) overrides what the paths say.
    pub fn find(pod_cgroup: Option<&Path>) -> Result<Self, PlaceError> {
        let text = read("/proc/self/cgroup")?;
        let mountinfo = read("/proc/self/mountinfo")?;
        let traits = Traits::from_mountinfo(&mountinfo);
        let (own_path, unified) = cgroup::container_path(&text).unwrap_or(("/", true));
        let namespace = Namespace::of_ours(&mountinfo);
        let place = match pod_cgroup {
            Some(path) => Self::given(path, own_path, &namespace, traits)?,
            None => Self::from_own_path(own_path, unified, &namespace, traits)?,
        };
        debug!(?place, own_path, "our place among the cgroups");
        Ok(place)
    }

    /// Whether a process of this cgroup is our own container's.
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

    fn given(
        path: &Path,
        own_path: &str,
        namespace: &Namespace,
        traits: Traits,
    ) -> Result<Self, PlaceError> {
        let refuse = |cause: &str| PlaceError::NoSuchCgroup {
            path: path.to_owned(),
            cause: cause.to_owned(),
        };
        let mount = namespace
            .mount
            .as_ref()
            .ok_or_else(|| refuse("none is mounted here"))?;
        let below = path
            .strip_prefix(mount)
            .map_err(|_| refuse(&format!("the hierarchy is mounted at {}", mount.display())))?;
        if !path.join("cgroup.procs").is_file() {
            return Err(refuse("it has no cgroup.procs"));
        }
        let pod = format!("/{}", below.display());
        let pod = pod.trim_end_matches('/').to_owned();
        let level = cgroup::components(&pod).count();
        let pod_path = PodPath::Absolute(pod);
        let own = own_container(&pod_path, own_path);
        let above = own
            .is_some()
            .then(|| cgroup::components(own_path).count().saturating_sub(level));
        Ok(Self {
            pod: pod_path,
            unified: true,
            directory: Some(path.to_owned()),
            level: namespace.initial.then(|| count(level)),
            above_us: above.map(count),
            own,
            traits,
        })
    }

    fn from_own_path(
        own_path: &str,
        unified: bool,
        namespace: &Namespace,
        traits: Traits,
    ) -> Result<Self, PlaceError> {
        if let Some(level) = cgroup::pod_components(own_path) {
            let names: Vec<&str> = cgroup::components(own_path).collect();
            let pod = format!("/{}", names[..level].join("/"));
            let directory = namespace
                .mount
                .as_ref()
                .filter(|_| unified)
                .map(|mount| mount.join(&pod[1..]))
                .filter(|directory| directory.is_dir());
            let pod = PodPath::Absolute(pod);
            return Ok(Self {
                own: own_container(&pod, own_path),
                pod,
                unified,
                directory,
                level: namespace.initial.then(|| count(level)),
                above_us: Some(count(names.len() - level)),
                traits,
            });
        }
        if namespace.initial {
            return Self::from_mounts(own_path, traits);
        }
        let steps = steps_to_pod();
        let pod = PodPath::Above(steps);
        Ok(Self {
            own: own_container(&pod, own_path),
            pod,
            unified: true,
            directory: None,
            level: None,
            above_us: Some(count(steps + cgroup::components(own_path).count())),
            traits,
        })
    }

    /// Our cgroup is no pod's: a pod there can still be, if kubelet's mounts say so.
    fn from_mounts(own_path: &str, traits: Traits) -> Result<Self, PlaceError> {
        let (Some(uid), Some(name)) = (traits.pod_uid.clone(), traits.name.as_deref()) else {
            return Err(PlaceError::NoPod {
                path: own_path.to_owned(),
            });
        };
        Ok(Self {
            own: Some(ContainerId::new(name)),
            pod: PodPath::Untold { uid },
            unified: false,
            directory: None,
            level: None,
            above_us: None,
            traits,
        })
    }
}

/// What our cgroup namespace shows.
struct Namespace {
    /// Whether it is the node's own, so that paths are whole.
    initial: bool,
    /// Where the whole cgroup2 hierarchy, as this namespace has it, is mounted.
    mount: Option<PathBuf>,
}

impl Namespace {
    fn of_ours(mountinfo: &str) -> Self {
        let mount = mountinfo
            .lines()
            .filter_map(|line| procfs::process::MountInfo::from_line(line).ok())
            .find(|mount| mount.fs_type == "cgroup2" && mount.root == "/")
            .map(|mount| mount.mount_point);
        let initial = fs::metadata("/proc/self/ns/cgroup")
            .is_ok_and(|namespace| namespace.ino() == INITIAL_CGROUP_NAMESPACE);
        Self { initial, mount }
    }
}

/// From a private cgroup namespace: how many steps up the pod lies. The other containers' paths
/// show it, and the sandbox at least is always there if pids are shared.
fn steps_to_pod() -> usize {
    let steps = procfs::process::all_processes()
        .into_iter()
        .flatten()
        .filter_map(|process| read_cgroup_path(&process.ok()?))
        .map(|path| cgroup::split_steps(&path).0)
        .filter(|steps| *steps > 0)
        .min();
    steps.unwrap_or_else(|| {
        info!(
            "our cgroup namespace is private and no other container can be seen: \
             the parent of our own cgroup is taken for the pod's"
        );
        1
    })
}

fn read_cgroup_path(process: &Process) -> Option<String> {
    let text = read_file_of(process, "cgroup").ok()?;
    cgroup::container_path(&text).map(|(path, _)| path.to_owned())
}

/// Reads a text file of a process's directory in `/proc`.
pub(super) fn read_file_of(process: &Process, name: &str) -> io::Result<String> {
    let file = process
        .open_relative(name)
        .map_err(|error| io::Error::other(error.to_string()))?;
    io::read_to_string(file)
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
    fs::read_to_string(path).map_err(|error| PlaceError::Unreadable {
        path,
        cause: error.to_string(),
    })
}

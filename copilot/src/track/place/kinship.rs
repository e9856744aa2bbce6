//! What shows that a process is of our pod where its cgroup does not: what it shares with us.
//!
//! In a cgroup namespace of our own the cgroup above ours is nameless. It may be the pod's, and it may hold
//! the containers of all pods.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use procfs::process::Process;

use super::cgroup;
use crate::confine::capabilities;
use crate::track::mounts::{MountEvidence, evidence_of};

/// Inodes of the node's own namespaces: `PROC_IPC_INIT_INO`, `PROC_UTS_INIT_INO`, and from Linux 6.18 on
/// `PROC_NET_INIT_INO`.
const INITIAL_IPC: u64 = 0xEFFF_FFFF;
const INITIAL_UTS: u64 = 0xEFFF_FFFE;
const INITIAL_NET: u64 = 0xEFFF_FFF9;

/// Where the kernel keeps the settings of the network that we are in.
const NETWORK_SETTINGS: &str = "/proc/sys/net/core";

/// A setting that the kernel shows in the node's own network namespace only.
const OF_THE_NODE: &str = "dev_weight";

/// The namespaces that the containers of our pod share, and that no process of the node has. Each container of
/// a pod has those of its sandbox, except the uts namespace with Docker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// The inode of the ipc namespace, unless it is the node's (`hostIPC`).
    pub ipc: Option<u64>,
    /// The inode of the uts namespace, unless it is the node's (`hostNetwork`).
    pub uts: Option<u64>,
    /// The inode of the network namespace, if it is certainly not the node's (`hostNetwork`).
    pub net: Option<u64>,
}

impl Namespaces {
    /// Our own.
    #[must_use]
    pub fn of_our_pod() -> Self {
        let own = |kind: &str| {
            let found = fs::metadata(Path::new("/proc/self/ns").join(kind));
            found.map_or(0, |found| found.ino())
        };
        let settings = Path::new(NETWORK_SETTINGS);
        let is_the_nodes = !settings.is_dir() || settings.join(OF_THE_NODE).exists();
        Self::unless_the_nodes([own("ipc"), own("uts"), own("net")], is_the_nodes)
    }

    /// From inodes (ipc, uts, net), 0 for one that is unknown.
    fn unless_the_nodes([ipc, uts, net]: [u64; 3], network_is_the_nodes: bool) -> Self {
        let unless = |found: u64, initial: u64| Some(found).filter(|it| ![0, initial].contains(it));
        Self {
            ipc: unless(ipc, INITIAL_IPC),
            uts: unless(uts, INITIAL_UTS),
            net: unless(net, INITIAL_NET).filter(|_| !network_is_the_nodes),
        }
    }

    /// Whether they show nothing, as in a pod that has all those of the node.
    #[must_use]
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a process has one of them. The kernel shows them to the same user, and with `CAP_SYS_PTRACE`.
    fn include(&self, process: &Process) -> bool {
        let Ok(theirs) = capabilities::looking(|| process.namespaces()) else {
            return false;
        };
        let has = |kind: &str, ours: Option<u64>| {
            let found = theirs.0.get(std::ffi::OsStr::new(kind));
            ours.is_some() && found.map(|found| found.identifier) == ours
        };
        has("ipc", self.ipc) || has("net", self.net) || has("uts", self.uts)
    }
}

/// What the processes of our pod share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinship {
    uid: Option<String>,
    namespaces: Namespaces,
}

impl Kinship {
    /// From the evidence of our own mounts, and our namespaces.
    #[must_use]
    pub fn new(own: &MountEvidence, namespaces: Namespaces) -> Self {
        Self {
            uid: own.pod_uid.clone(),
            namespaces,
        }
    }

    /// The same, with our pod's uid from another source.
    #[must_use]
    pub fn of_pod(self, uid: Option<String>) -> Self {
        Self {
            uid: self.uid.or(uid),
            ..self
        }
    }

    /// Whether anything shows who is of our pod.
    #[must_use]
    pub fn can_tell(&self) -> bool {
        self.uid.is_some() || !self.namespaces.are_none()
    }

    /// Whether a process is of our pod: by the name of its cgroup, else by kubelet's mounts, else by its
    /// namespaces. What cannot be told is not. `is_runtimes`: a runtime's process that makes a container.
    #[must_use]
    pub fn includes(&self, process: &Process, cgroup: &str, is_runtimes: bool) -> bool {
        let named = || self.named(cgroup);
        let mounted = || self.mounted(&evidence_of(process, is_runtimes)?);
        named()
            .or_else(mounted)
            .unwrap_or_else(|| self.namespaces.include(process))
    }

    /// What the path of a cgroup says, if it names a pod and we know ours.
    fn named(&self, cgroup: &str) -> Option<bool> {
        let ours = self.uid.as_ref()?;
        let (_, pod) = cgroup::beside(cgroup)?;
        Some(cgroup::uid_of(pod).as_ref() == Some(ours))
    }

    /// What mounts say, if they are kubelet's and we know our pod's.
    fn mounted(&self, evidence: &MountEvidence) -> Option<bool> {
        let (ours, theirs) = (self.uid.as_ref()?, evidence.pod_uid.as_ref()?);
        Some(ours == theirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    const OTHER: &str = "1f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

    fn kin(uid: Option<&str>) -> Kinship {
        let own = MountEvidence {
            pod_uid: uid.map(str::to_owned),
            ..MountEvidence::default()
        };
        Kinship::new(&own, Namespaces::default())
    }

    #[test]
    fn a_namespace_of_the_node_shows_nothing() {
        let ours = |found, of_the_node| Namespaces::unless_the_nodes(found, of_the_node);
        let of_the_node = [INITIAL_IPC, INITIAL_UTS, INITIAL_NET];
        assert!(ours(of_the_node, false).are_none());
        assert!(ours([0; 3], false).are_none());
        // Before Linux 6.18 only a setting shows whose network it is.
        assert!(ours([0, 0, 7], true).are_none());
        let all = ours([5, 6, 7], false);
        assert_eq!((all.ipc, all.uts, all.net), (Some(5), Some(6), Some(7)));
    }

    #[test]
    fn the_name_of_a_cgroup_or_kubelets_mounts_decide_where_our_pod_is_known() {
        let path = |uid: &str| {
            let uid = uid.replace('-', "_");
            format!("/../kubepods-burstable-pod{uid}.slice:cri-containerd:43e1")
        };
        let mounts = |uid: &str| MountEvidence {
            pod_uid: Some(uid.to_owned()),
            ..MountEvidence::default()
        };
        let ours = kin(Some(UID));
        for (uid, expected) in [(UID, true), (OTHER, false)] {
            assert_eq!(ours.named(&path(uid)), Some(expected), "{uid}");
            assert_eq!(ours.mounted(&mounts(uid)), Some(expected), "{uid}");
            assert_eq!(kin(None).named(&path(uid)), None);
            assert_eq!(kin(None).mounted(&mounts(uid)), None);
        }
        assert_eq!(ours.named("/../docker-43e1.scope"), None);
        assert_eq!(ours.mounted(&MountEvidence::default()), None);
    }

    #[test]
    fn where_nothing_can_be_told_no_process_is_of_our_pod() {
        let myself = Process::myself().expect("/proc shows this process");
        assert!(!kin(None).can_tell());
        assert!(!kin(None).includes(&myself, "/../docker-43e1.scope", false));
        let ours = Namespaces {
            uts: myself
                .namespaces()
                .expect("our own namespaces are shown")
                .0
                .get(std::ffi::OsStr::new("uts"))
                .map(|found| found.identifier),
            ..Namespaces::default()
        };
        let kin = Kinship::new(&MountEvidence::default(), ours);
        assert!(kin.can_tell());
        assert!(kin.includes(&myself, "/../docker-43e1.scope", false));
    }
}

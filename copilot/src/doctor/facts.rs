//! What [`gather`](super::gather) finds out, and [`judge`](super::judge) judges: plain values, without a verdict.

use std::path::PathBuf;

use crate::config::ShownSetting;
use crate::confine::Foretold;
use crate::store::StoreError;
use crate::track::decision::Sight;
use crate::track::watch::Glance;
use crate::transfer::{Room, TransferLimits};

/// Why something is not known or does not work, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason(pub String);

impl<E: std::error::Error> From<E> for Reason {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// The kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelFacts {
    /// Its release, such as `6.12.41-cloud-amd64`.
    pub release: String,
    /// Whether it is at least 5.8, the first with all that eBPF needs.
    pub has_ring_buffers: bool,
    /// Whether it is at least 5.14: before, eBPF needs the kernel's BTF.
    pub has_ancestor_helper: bool,
    /// Whether its BTF describes how a process ended; or why the BTF cannot be read.
    pub btf: Result<bool, Reason>,
    /// The security modules in force, such as `landlock,apparmor`; `None` if that is not visible here.
    pub security_modules: Option<String>,
    /// The label that a security module has given to this process.
    pub label: Option<String>,
}

/// What we may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RightsFacts {
    /// Our user.
    pub uid: u32,
    /// Capabilities and Landlock, now and later.
    pub foretold: Result<Foretold, Reason>,
    /// Whether a filter of system calls is in force.
    pub is_filtered: bool,
    /// Whether the system call `bpf` gets past that filter. Certain only with the capabilities for BPF.
    pub bpf_reaches_kernel: bool,
}

impl RightsFacts {
    /// Whether the capabilities for BPF are effective.
    #[must_use]
    pub fn have_bpf(&self) -> bool {
        self.has("BPF") && self.has("PERFMON")
    }

    /// Whether a capability is effective, by Kubernetes' name.
    #[must_use]
    pub fn has(&self, capability: &str) -> bool {
        let effective = self.foretold.as_ref().map(|it| &it.capabilities.effective);
        effective.is_ok_and(|names| names.split('+').any(|name| name == capability))
    }
}

/// Which processes our pid namespace shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PidNamespace {
    /// Our own container's only.
    Own,
    /// The pod's.
    Pod,
    /// The node's.
    Node,
}

/// The version of our cgroups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CgroupVersion {
    /// Version 2.
    Two,
    /// Version 1, with the controllers of the hierarchy that names the pod.
    One(Vec<String>),
}

/// Where we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceFacts {
    /// Our pid namespace.
    pub pids: PidNamespace,
    /// Whether `/proc` hides the processes of other users (`hidepid`).
    pub hides_processes: bool,
    /// Our own cgroup, as `/proc/self/cgroup` shows it.
    pub own_path: String,
    /// The pod.
    pub pod: Result<PodFacts, Reason>,
    /// Whether kubelet's variables or token are here.
    pub is_in_a_cluster: bool,
    /// Our host name, which is the pod's name unless the pod uses the node's network.
    pub host_name: String,
}

/// Our pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodFacts {
    /// Its cgroup, in words.
    pub path: String,
    /// The version of its cgroups.
    pub cgroups: CgroupVersion,
    /// Its uid, if kubelet's mounts show it.
    pub uid: Option<String>,
    /// The name of our own container, if kubelet's mounts show it.
    pub container: Option<String>,
    /// Whether nothing shows which processes are our pod's.
    pub is_hidden: bool,
}

/// One watcher of `auto`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatcherFacts {
    /// Its name.
    pub name: &'static str,
    /// How much it would see, or why it does not work.
    pub outcome: Result<Sight, Reason>,
}

/// How main would be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchingFacts {
    /// `--watcher`.
    pub wanted: Vec<&'static str>,
    /// The watchers of `auto`, best first.
    pub tried: Vec<WatcherFacts>,
    /// What the selected watchers see; or why none can be attached.
    pub glance: Result<Glance, Reason>,
    /// `--main-container`.
    pub main_container: Option<String>,
}

impl WatchingFacts {
    /// How much the watcher `ebpf` sees, if it works.
    #[must_use]
    pub fn ebpf(&self) -> Option<Sight> {
        let ebpf = self.tried.iter().find(|tried| tried.name == "ebpf")?;
        ebpf.outcome.as_ref().ok().copied()
    }
}

/// Limits on this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitFacts {
    /// Memory in bytes, of the tightest cgroup.
    pub memory: Option<u64>,
    /// CPU time in thousandths of a core, of the tightest cgroup.
    pub cpu: Option<u64>,
    /// Open files.
    pub open_files: Option<u64>,
    /// What transfers use within these.
    pub transfer: TransferLimits,
}

/// What a directory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `--from-local-dir`: main writes, the sidecar reads.
    Outputs,
    /// `--to-local-dir`: the downloader writes, main reads.
    Inputs,
}

/// A directory that we share with main.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeFacts {
    /// What it is for.
    pub purpose: Purpose,
    /// Its path.
    pub path: PathBuf,
    /// What is there; or why it cannot be opened.
    pub directory: Result<DirectoryFacts, Reason>,
}

/// A directory that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryFacts {
    /// Its file system.
    pub room: Room,
    /// Whether it lies on a volume of its own; `None` outside a pod.
    pub is_volume: Option<bool>,
    /// Whether we may do there what it is for; or what is in the way.
    pub access: Result<(), Reason>,
    /// Whether `--expect-size` bytes have room there, if asked.
    pub fits: Option<(u64, Result<(), Reason>)>,
}

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFacts {
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// What is odd about them.
    pub warnings: Vec<String>,
    /// Each storage setting, and each of our own that is set, with its source; secrets are hidden.
    pub values: Vec<ShownSetting>,
}

/// A reference to a store.
#[derive(Clone, Debug)]
pub struct StoreFacts {
    /// The flag that gives it.
    pub flag: &'static str,
    /// The reference, as it may be shown.
    pub reference: String,
    /// What the store says; or why it cannot be opened.
    pub store: Result<AnswerFacts, Reason>,
}

/// What a store says.
#[derive(Clone, Debug)]
pub struct AnswerFacts {
    /// Its endpoint or directory.
    pub endpoint: String,
    /// The object that was asked for, as it may be shown.
    pub object: String,
    /// Whether that object exists.
    pub exists: Result<bool, StoreError>,
    /// Seconds by which our clock is ahead; `None` if the store does not tell.
    pub clock_ahead: Option<i64>,
    /// The steps of `--probe` that were taken, in order.
    pub probe: Vec<ProbeStep>,
}

/// One step of `--probe`.
#[derive(Clone, Debug)]
pub struct ProbeStep {
    /// `write`, `read` or `delete`.
    pub name: &'static str,
    /// The object, as it may be shown.
    pub object: String,
    /// How it went.
    pub outcome: Result<(), Reason>,
}

/// All facts of one machine.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The kernel.
    pub kernel: KernelFacts,
    /// What we may do.
    pub rights: RightsFacts,
    /// Where we are.
    pub place: PlaceFacts,
    /// How main would be watched.
    pub watching: WatchingFacts,
    /// Limits on this process.
    pub limits: LimitFacts,
    /// The directories that the flags name.
    pub volumes: Vec<VolumeFacts>,
    /// The settings; or why they cannot be used.
    pub settings: Result<SettingFacts, Reason>,
    /// The references that the flags name.
    pub stores: Vec<StoreFacts>,
    /// Whether `--probe` was given.
    pub probed: bool,
}

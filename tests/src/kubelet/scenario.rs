//! The types that describe scenarios. The scenarios themselves are in [`super::table`].

/// A scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name; pod names begin with it.
    pub name: &'static str,
    /// What main does.
    pub main: Main,
    /// What else is in the pod.
    pub beside: &'static [Beside],
    /// What happens to the pod while main runs.
    pub act: Act,
    /// How main ends.
    pub end: End,
    /// The pid namespaces for which it makes sense.
    pub pids: &'static [Pids],
    /// If it needs an API server: the privileges for which it makes sense.
    pub cluster: Option<&'static [Privilege]>,
    /// Whether CI runs it, with each privilege or only with the first one.
    pub part: Part,
}

/// What main does.
#[derive(Clone, Copy, Debug)]
pub enum Main {
    /// A shell script, which can use `/var/flyte/outputs` and `/stamps`.
    Script(&'static str),
    /// A program that does not exist.
    Missing,
}

/// What is in a pod in addition to sidecar, downloader and main.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// An init container before the downloader that writes complete outputs.
    InitBefore,
    /// The same, but after the downloader.
    InitAfter,
    /// A mesh's proxy as a native sidecar.
    NativeMesh,
    /// The same as an ordinary container that outlives main.
    OrdinaryMesh,
    /// A second main: a script.
    SecondMain(&'static str),
    /// A liveness probe of main that runs a program in it each second.
    Probes,
    /// Main's memory is limited.
    LittleMemory,
    /// Main and the sidecar mount a folder of the output volume.
    SubPath,
    /// Main is called `primary`.
    Primary,
    /// `--main-container` names main, and another container mounts the output volume.
    Named,
    /// The pod's deadline in seconds.
    Deadline(u32),
    /// The sidecar's watches only last some seconds.
    ShortWatches,
    /// The sidecar waits longer for main's end.
    Patience,
    /// The pod's service account has no rights.
    NoRights,
}

/// What happens to a pod from outside while its main runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    Nothing,
    /// Main's first process is killed.
    KillMain,
    /// A program that would outlive main is started in main's container; main continues.
    Exec,
    /// The sidecar's process is killed; main continues when it runs again.
    KillSidecar,
    /// The pod is deleted.
    Delete,
    /// The pod is evicted through the API.
    Evict,
    /// The API server is restarted; main continues afterwards.
    RestartApi,
    /// The API server is restarted; main ends in between.
    EndWithoutApi,
    /// The pod belongs to a Job, which creates a second one when the first has failed.
    Job,
}

/// How main ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With code 0 and complete outputs.
    Good,
    /// With another code.
    Code(u8),
    /// By SIGKILL from outside.
    Killed,
    /// By SIGSEGV.
    Crashed,
    /// Killed by the OOM killer.
    OutOfMemory,
    /// Its program never started.
    NotStarted,
    /// It was never started, since the sidecar did not become ready.
    NeverTried,
    /// Stopped together with its pod.
    Stopped,
}

/// Whether the containers of a pod can see each other's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pids {
    /// `shareProcessNamespace: true`.
    Shared,
    /// Each container has its own pid namespace.
    Own,
}

impl Pids {
    /// Both.
    pub const ALL: &[Self] = &[Self::Shared, Self::Own];

    /// Its name in options and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Own => "own",
        }
    }
}

/// The sidecar's privileges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// uid 0 with `CAP_BPF` and `CAP_PERFMON`.
    Bpf,
    /// The same under the runtime's seccomp profile.
    BpfSeccomp,
    /// An ordinary user without capabilities.
    None,
    /// The same, with a service account that is allowed to watch pods.
    KubeApi,
}

impl Privilege {
    /// All.
    pub const ALL: &[Self] = &[Self::Bpf, Self::BpfSeccomp, Self::None, Self::KubeApi];

    /// Its name in options and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bpf => "bpf",
            Self::BpfSeccomp => "bpf-seccomp",
            Self::None => "none",
            Self::KubeApi => "kube-api",
        }
    }
}

/// How much of a scenario runs in CI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// With every privilege that has a watcher of its own.
    All,
    /// With `bpf` and shared pids.
    One,
    /// Nothing.
    Out,
}

/// What a watcher can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watcher {
    /// Start, end, exit status and OOM kills.
    Ebpf,
    /// The same without OOM kills, where the kernel is new enough.
    Pidfd,
    /// What kubelet has reported to the API.
    KubeApi,
    /// Only SIGTERM.
    Signal,
}

impl Watcher {
    /// The watcher that the sidecar must choose.
    #[must_use]
    pub fn expected(privilege: Privilege, pids: Pids) -> Self {
        match (privilege, pids) {
            (Privilege::Bpf | Privilege::BpfSeccomp, _) => Self::Ebpf,
            (Privilege::None, Pids::Shared) => Self::Pidfd,
            (Privilege::None, Pids::Own) => Self::Signal,
            (Privilege::KubeApi, _) => Self::KubeApi,
        }
    }

    /// The product's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ebpf => "ebpf",
            Self::Pidfd => "pidfd",
            Self::KubeApi => "kube-api",
            Self::Signal => "signal",
        }
    }
}

/// A scenario with one sidecar, on one node.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What the pod does.
    pub scenario: &'static Scenario,
    /// The privileges of its sidecar.
    pub privilege: Privilege,
    /// Whether its containers can see each other's processes.
    pub pids: Pids,
}

impl Case {
    /// Its name, which is also the pod's.
    #[must_use]
    pub fn name(&self) -> String {
        format!(
            "{}-{}-{}",
            self.scenario.name,
            self.privilege.name(),
            self.pids.name()
        )
    }

    /// The watcher that its sidecar must choose.
    #[must_use]
    pub fn watcher(&self) -> Watcher {
        Watcher::expected(self.privilege, self.pids)
    }

    /// Whether its pod is stopped as a whole while main runs.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        let deadline = |one: &Beside| matches!(one, Beside::Deadline(_));
        matches!(self.scenario.act, Act::Delete | Act::Evict)
            || self.scenario.beside.iter().any(deadline)
    }

    /// Whether it must run alone, since its event affects all pods.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        matches!(self.scenario.act, Act::RestartApi | Act::EndWithoutApi)
    }

    /// Whether its scenario has this in the pod.
    #[must_use]
    pub fn has(&self, beside: Beside) -> bool {
        self.scenario.beside.contains(&beside)
    }
}

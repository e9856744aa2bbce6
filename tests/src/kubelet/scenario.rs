//! What a pod does: the words of which scenarios are made. The scenarios themselves are in
//! [`super::table`].

/// A scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name: a pod's name begins with it.
    pub name: &'static str,
    /// What main does.
    pub main: Main,
    /// What is in the pod beside it.
    pub beside: &'static [Beside],
    /// What happens to the pod while main runs.
    pub act: Act,
    /// How main ends.
    pub end: End,
    /// For which pid namespaces it makes sense.
    pub pids: &'static [Pids],
    /// If it needs an API server: the privileges that it makes sense for.
    pub cluster: Option<&'static [Privilege]>,
    /// Whether it belongs to the part that fits CI, with each privilege or with the first only.
    pub part: Part,
}

/// What main does.
#[derive(Clone, Copy, Debug)]
pub enum Main {
    /// A shell script, which finds `/var/flyte/outputs` and `/stamps`.
    Script(&'static str),
    /// A program that does not exist.
    Missing,
}

/// What is in a pod beside sidecar, downloader and main.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// An init container before the downloader that writes complete outputs.
    InitBefore,
    /// The same behind the downloader.
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
    /// The pod may run for so many seconds.
    Deadline(u32),
    /// The sidecar's watches last for seconds only.
    ShortWatches,
    /// The sidecar waits for main's end for longer.
    Patience,
    /// The pod's account may watch nothing.
    NoRights,
}

/// What happens to a pod from outside once its main runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    Nothing,
    /// Main's first process is killed.
    KillMain,
    /// Somebody runs a program in main's container that would outlive main, and main goes on.
    Exec,
    /// The sidecar's process is killed; main goes on once it is back.
    KillSidecar,
    /// The pod is deleted.
    Delete,
    /// Its eviction is asked for.
    Evict,
    /// The API server ends and comes again; main goes on then.
    RestartApi,
    /// The API server ends; main ends before it comes again.
    EndWithoutApi,
    /// It is a Job's, which makes another once it has failed.
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
    /// Killed for memory.
    OutOfMemory,
    /// Its program never began.
    NotStarted,
    /// Nobody tried to start it, since the sidecar never got ready.
    NeverTried,
    /// Stopped with its pod, in whichever way.
    Stopped,
}

/// Whether the containers of a pod see each other's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pids {
    /// `shareProcessNamespace: true`.
    Shared,
    /// A pid namespace each.
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

/// What the sidecar may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// uid 0 with `CAP_BPF` and `CAP_PERFMON`.
    Bpf,
    /// The same under the runtime's seccomp profile.
    BpfSeccomp,
    /// An ordinary user without any capability.
    None,
    /// The same, with an account that may watch pods.
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

/// How much of a scenario belongs to the part that fits CI.
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
    /// What kubelet has reported.
    KubeApi,
    /// Nothing but SIGTERM.
    Signal,
}

impl Watcher {
    /// The one that a sidecar must get.
    #[must_use]
    pub fn of(privilege: Privilege, pids: Pids) -> Self {
        match (privilege, pids) {
            (Privilege::Bpf | Privilege::BpfSeccomp, _) => Self::Ebpf,
            (Privilege::None, Pids::Shared) => Self::Pidfd,
            (Privilege::None, Pids::Own) => Self::Signal,
            (Privilege::KubeApi, _) => Self::KubeApi,
        }
    }

    /// Its name, as the product calls it.
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
    /// What its sidecar may do.
    pub privilege: Privilege,
    /// Whether its containers see each other.
    pub pids: Pids,
}

impl Case {
    /// Its name, and the pod's.
    #[must_use]
    pub fn name(&self) -> String {
        format!(
            "{}-{}-{}",
            self.scenario.name,
            self.privilege.name(),
            self.pids.name()
        )
    }

    /// The watcher that the sidecar must get.
    #[must_use]
    pub fn watcher(&self) -> Watcher {
        Watcher::of(self.privilege, self.pids)
    }

    /// Whether its pod is stopped as a whole while main runs.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        let deadline = |one: &Beside| matches!(one, Beside::Deadline(_));
        matches!(self.scenario.act, Act::Delete | Act::Evict)
            || self.scenario.beside.iter().any(deadline)
    }

    /// Whether no other pod under test may be there, since what happens to it happens to all.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        matches!(self.scenario.act, Act::RestartApi | Act::EndWithoutApi)
    }

    /// Whether its scenario has this beside main.
    #[must_use]
    pub fn has(&self, beside: Beside) -> bool {
        self.scenario.beside.contains(&beside)
    }
}

//! The names of a pod's cgroups on a node, by kubelet's cgroup driver and the runtime.

/// How a node names cgroups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Kubelet's cgroupfs driver: `pod<uid>/<id>`.
    #[default]
    Cgroupfs,
    /// Kubelet's systemd driver: slices for the pod, a scope for the container.
    Systemd,
    /// The same with CRI-O and crun: the processes are one level below the scope.
    Nested,
    /// The systemd driver over a runtime that makes cgroups itself: the containers of all pods side by side,
    /// and the name of each begins with its pod's.
    Flat,
    /// The containers of all pods side by side, and no name says whose they are.
    Nameless,
}

impl Layout {
    /// The cgroup of a container, below the pod's directory `top` (without a slash).
    pub(super) fn path(self, top: &str, uid: &str, id: &str) -> String {
        let slice = format!("kubepods-besteffort-pod{}.slice", uid.replace('-', "_"));
        let slices = || format!("/{top}/kubepods.slice/kubepods-besteffort.slice/{slice}");
        match self {
            Self::Cgroupfs => format!("/{top}/pod{uid}/{id}"),
            Self::Systemd => format!("{}/cri-containerd-{id}.scope", slices()),
            Self::Nested => format!("{}/crio-{id}.scope/container", slices()),
            Self::Flat => format!("/{top}/{slice}:cri-containerd:{id}"),
            Self::Nameless => format!("/{top}/docker-{id}.scope"),
        }
    }
}

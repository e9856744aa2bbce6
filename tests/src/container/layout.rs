//! Where a node keeps a pod's cgroups: as kubelet's drivers and the runtimes name them.

/// How cgroups are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Kubelet's cgroupfs driver: `pod<uid>/<id>`.
    #[default]
    Cgroupfs,
    /// Kubelet's systemd driver: slices for the pod, a scope for the container.
    Systemd,
    /// The same as CRI-O with crun makes it: the processes are one level below the scope.
    Nested,
}

impl Layout {
    /// The cgroup of a container, below the pod's directory `top` (without a slash).
    pub(super) fn path(self, top: &str, uid: &str, id: &str) -> String {
        let slices = || {
            let uid = uid.replace('-', "_");
            format!(
                "/{top}/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{uid}.slice"
            )
        };
        match self {
            Self::Cgroupfs => format!("/{top}/pod{uid}/{id}"),
            Self::Systemd => format!("{}/cri-containerd-{id}.scope", slices()),
            Self::Nested => format!("{}/crio-{id}.scope/container", slices()),
        }
    }
}

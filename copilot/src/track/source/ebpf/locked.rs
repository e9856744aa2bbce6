//! The limit on locked memory, which kernels before 5.11 hold BPF programs and maps to.
//!
//! All that one user has loaded on the whole node counts, against the limit of whoever loads more.
//! Containers get the node's default: 64 KiB, which is nothing, or 8 MiB, which is plenty. What we
//! may raise is raised; the rest is told as it is, since the kernel's own word for it is that of
//! missing rights.

use aya::util::KernelVersion;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::debug;

/// From this kernel on, BPF memory is charged to the memory cgroup.
const CHARGED_TO_CGROUPS: KernelVersion = KernelVersion::new(5, 11, 0);

/// Raises the limit as far as our rights go: away with `CAP_SYS_RESOURCE`, else up to the hard one.
pub fn raise_limit() {
    let Some(limit) = limit_in_force() else {
        return;
    };
    let hard = getrlimit(Resource::Memlock).maximum;
    let none = Rlimit {
        current: None,
        maximum: None,
    };
    let highest = Rlimit {
        current: hard,
        maximum: hard,
    };
    let raised =
        setrlimit(Resource::Memlock, none).or_else(|_| setrlimit(Resource::Memlock, highest));
    debug!(before = limit, after = ?limit_in_force(), ?raised, "locked memory, in bytes");
}

/// The limit in bytes, where the kernel holds BPF to one.
pub fn limit_in_force() -> Option<u64> {
    let is_old = KernelVersion::current().is_ok_and(|version| version < CHARGED_TO_CGROUPS);
    getrlimit(Resource::Memlock).current.filter(|_| is_old)
}

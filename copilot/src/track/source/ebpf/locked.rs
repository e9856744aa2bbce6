//! The limit of locked memory (`RLIMIT_MEMLOCK`), against which Linux before 5.11 counts BPF programs and
//! maps.
//!
//! All BPF of one user on the node counts together, against the limit of the process that loads more.
//! Containers get the node's default: 64 KiB, which is too little, or 8 MiB, which is plenty. We raise
//! the limit as far as we may. If that is not enough, our error names the limit: the kernel's own error
//! is the one of missing capabilities.

use aya::util::KernelVersion;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::debug;

/// From this kernel on, BPF memory is charged to the memory cgroup.
const CHARGED_TO_CGROUPS: KernelVersion = KernelVersion::new(5, 11, 0);

/// Raises the limit as far as we may: removes it with `CAP_SYS_RESOURCE`, else raises it to the hard
/// limit.
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

/// The limit in bytes; `None` if the kernel does not limit BPF by it.
pub fn limit_in_force() -> Option<u64> {
    let is_old = KernelVersion::current().is_ok_and(|version| version < CHARGED_TO_CGROUPS);
    getrlimit(Resource::Memlock).current.filter(|_| is_old)
}

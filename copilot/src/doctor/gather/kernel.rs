//! The kernel.

use super::line_of;
use crate::doctor::facts::{KernelFacts, Reason};
use crate::kernel::is_at_least;

/// The list of security modules, where securityfs is mounted.
const MODULES: &str = "/sys/kernel/security/lsm";

/// The label that a security module has given to us.
const LABEL: &str = "/proc/self/attr/current";

/// The running kernel.
#[must_use]
pub fn kernel() -> KernelFacts {
    let name = rustix::system::uname();
    KernelFacts {
        release: name.release().to_string_lossy().into_owned(),
        has_ring_buffers: is_at_least((5, 8)),
        has_ancestor_helper: is_at_least((5, 14)),
        btf: btf(),
        security_modules: line_of(MODULES),
        label: line_of(LABEL),
    }
}

#[cfg(feature = "ebpf")]
fn btf() -> Result<bool, Reason> {
    Ok(crate::track::source::ebpf::describes_ends()?)
}

#[cfg(not(feature = "ebpf"))]
fn btf() -> Result<bool, Reason> {
    Err(Reason(
        "this binary was built without the watcher ebpf".to_owned(),
    ))
}

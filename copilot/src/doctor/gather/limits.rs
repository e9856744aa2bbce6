//! Limits on this process.

use rustix::process::{Resource, getrlimit};

use super::cpu::cpu_limit;
use crate::doctor::facts::LimitFacts;
use crate::transfer::{TransferLimits, memory_limit};

/// The limits in force, and what transfers use with these numbers of the user.
#[must_use]
pub fn limits(max_memory: Option<u64>, max_connections: Option<usize>) -> LimitFacts {
    LimitFacts {
        memory: memory_limit(),
        cpu: cpu_limit(),
        open_files: getrlimit(Resource::Nofile).current,
        transfer: TransferLimits::from_own_cgroup().chosen(max_memory, max_connections),
    }
}

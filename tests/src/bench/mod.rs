//! The benchmarks. Each measures ours beside the plain thing, in one run, and prints both with
//! their ratio: machines differ and are noisy, ratios hold.

pub mod detect;
#[cfg(feature = "ebpf")]
pub mod eager;
pub mod figures;
pub mod literal;
pub mod memory;
pub mod process;
#[cfg(feature = "ebpf")]
pub mod start;
pub mod transfer;

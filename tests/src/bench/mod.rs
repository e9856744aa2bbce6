//! The benchmarks. Each measures Copilot and a plain program in the same run, and prints both with their
//! ratio: machines differ and are noisy, but ratios are comparable.

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

//! The benchmarks. Each measures Copilot and a plain program in the same run: machines differ and are noisy,
//! but ratios are comparable. Each returns a [`report::Report`] with the figures of every run, which the
//! program `bench` writes as JSON and prints as tables. What is not a measurement does not live here.

pub mod arguments;
pub mod detect;
pub mod document;
pub mod eager;
pub mod literal;
pub mod memory;
pub mod process;
pub mod report;
pub mod start;
pub mod transfer;

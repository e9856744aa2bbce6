//! What the end-to-end tests, the demo and the benchmarks share: pods made of real cgroups, and a
//! word on what a test needs.
//!
//! Nothing here is part of the product, and nothing here stands in for a part of it.

pub mod bench;
pub mod pod;
pub mod requirement;

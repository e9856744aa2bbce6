//! Inputs: from a map of literals to what must lie in the input directory (spec §3.2, §3.7, §3.8).
//!
//! First [`Offloaded`] asks for the literals that lie in the store, until there are none; then
//! [`plan`] lays everything out: directories, the files of values, references to fetch, and the map
//! with local paths. Nothing is read or written here. The download calls both.

mod offloaded;
mod paths;
mod plan;
mod planner;
mod problem;
mod values;

pub use offloaded::{Offloaded, OffloadedError, Request};
pub use plan::{Arrival, BlobInput, BlobKind, InputPlan, Layout, MARKERS, Target};
pub use planner::plan;
pub use problem::{InputError, InputProblem, InputRule};
pub use values::{ValueFile, Values};

#[cfg(test)]
mod tests;

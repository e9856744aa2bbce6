//! Inputs: from a map of literals to the files of the input directory (spec §3.2, §3.7, §3.8).
//!
//! First [`Offloaded`] asks for the literals that are still in the store, until none is left. Then
//! [`plan`] lays everything out: directories, the files of values, references to fetch, and the map
//! with local paths. Never here: reading or writing. The download calls both.

mod file_name;
mod members;
mod offloaded;
mod paths;
mod placed;
mod plan;
mod planner;
mod problem;
mod values;

pub use file_name::{ObjectKeys, with_two_keys};
pub use members::restore_members;
pub use offloaded::{Offloaded, OffloadedError, Request};
pub use placed::placed_files;
pub use plan::{Arrival, BlobInput, BlobKind, InputPlan, Layout, MARKERS, Target};
pub use planner::{plan, plan_found};
pub use problem::{InputError, InputProblem, InputRule};
pub use values::{ValueFile, Values};

#[cfg(test)]
mod tests;

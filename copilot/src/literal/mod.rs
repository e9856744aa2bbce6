//! Literals ⇄ files on disk: text rules, JSON and YAML, layouts, names. Pure: bytes, messages and paths
//! in; a plan, text or a literal out.
//!
//! Never here: async, stores, clocks, or opening a file by its path. The tables in the code follow the
//! reference's description, so both can be read side by side. The download plans with [`input`] and
//! writes with [`render`]; the upload plans with [`output`]; both know MessagePack by [`msgpack`]; `cli`
//! reads durations with [`duration`].

pub mod datetime;
pub mod duration;
pub mod float;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
pub mod input;
pub mod msgpack;
mod name;
mod object_name;
pub mod output;
mod path_sample;
mod problems;
mod python;
pub mod render;

pub use name::{NameError, Shown};
pub use object_name::object_name;
pub use path_sample::PathSample;
pub use problems::Problems;

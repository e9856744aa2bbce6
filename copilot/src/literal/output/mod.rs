//! Outputs: from what the main container left in the output directory to literals (spec §4).
//!
//! [`user_error`] says whether the program reported an error of its own; [`plan`] reads small values
//! into literals and notes which files and directories must be uploaded where. The directory is
//! seen through [`OutputView`], and no path is opened here. The upload calls both. What `input` lays
//! out for a type, this reads as an output of the same type.

mod container;
mod data;
mod error_file;
mod extension;
mod item;
mod lookup;
mod member;
mod object;
mod plan;
mod planner;
mod problem;
mod reference;
mod text;
mod union;
mod view;
mod yaml;

pub use error_file::{ErrorFileError, UserError, user_error};
pub use lookup::are_present;
pub use plan::{
    BlobNames, BlobOutput, OutputOptions, OutputPlan, data_so_far, has_data, plan, plan_references,
};
pub use problem::{OutputError, OutputProblem, OutputRule, advice};
pub use text::TextError;
pub use view::{Entry, EntryKind, OutputView};

#[cfg(test)]
mod tests;

//! Outputs: from what main left in the output directory to literals (spec §4).
//!
//! [`user_error`] reads the program's own error report; [`plan`] reads small values into literals and
//! lists the files and directories to upload. The directory is seen through [`OutputView`]; never
//! here: opening a path. The upload calls both; [`value`] and [`tree`] read values that people write by hand
//! (`describe`). Whatever `input` lays out for a type, this reads back
//! as an output of the same type.

mod data;
mod draft;
mod error_file;
mod extension;
mod fit;
mod interface;
mod item;
mod lookup;
mod member;
mod object;
mod plan;
mod planner;
mod problem;
mod reference;
mod structure;
mod text;
mod union;
mod view;
mod yaml;

pub use error_file::{ErrorFileError, UserError, user_error};
pub use interface::{data_so_far, has_data, plan, plan_references};
pub use lookup::are_present;
pub use member::{TypeMismatch, value};
pub use plan::{BlobNames, BlobOutput, OutputOptions, OutputPlan, StructOutputs};
pub use problem::{OutputError, OutputProblem, OutputRule, ReferenceRule, advice};
pub use text::{TextError, alone, tree};
pub use view::{EntryKind, OutputEntry, OutputView};

#[cfg(test)]
mod tests;

//! The plan of an upload: for each declared output its literal, and what must be uploaded for it.

use std::path::PathBuf;

use super::planner::{Data, Planner};
use super::problem::{OutputError, OutputProblem};
use super::view::OutputView;
use crate::idl::blob_type::BlobDimensionality;
use crate::idl::literal_type::Type;
use crate::idl::{LiteralMap, LiteralType, VariableMap};
use crate::literal::problems::Problems;

/// What of an upload may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputOptions {
    /// The largest file of a value that stands in `outputs.pb` itself, in bytes.
    pub max_simple_size: u64,
    /// What remote blobs are called.
    pub blob_names: BlobNames,
}

impl Default for OutputOptions {
    fn default() -> Self {
        Self {
            max_simple_size: 1 << 20,
            blob_names: BlobNames::default(),
        }
    }
}

/// What a blob found by its extension is called in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlobNames {
    /// As its file: `o.csv`.
    #[default]
    KeepExtension,
    /// As its variable (index, key): `o`. The reference's way.
    Reference,
}

/// What becomes of the outputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutputPlan {
    /// The content of `outputs.pb`, true once the blobs are uploaded.
    pub literals: LiteralMap,
    /// What must be uploaded.
    pub blobs: Vec<BlobOutput>,
}

/// A file or directory to upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobOutput {
    /// The output variable that it belongs to.
    pub variable: String,
    /// Where it lies, relative to the output directory.
    pub path: PathBuf,
    /// A single file or all files below a directory.
    pub kind: BlobDimensionality,
    /// The size of a single file in bytes, when it was looked at.
    pub size: u64,
    /// The segments of its name below the raw output prefix; a directory's files go below it.
    pub remote: Vec<String>,
}

/// Reads and checks every declared output.
///
/// `uri` makes the reference of a blob from the segments of its name; each is a file name, so it
/// cannot fail. Fails with every output that is missing, wrong or not supported.
pub fn plan(
    outputs: &VariableMap,
    view: &impl OutputView,
    options: OutputOptions,
    mut uri: impl FnMut(&[String]) -> String,
) -> Result<OutputPlan, OutputError> {
    read_all(outputs, view, options, Data::Uploaded(&mut uri))
}

/// The same where main has put the data in its place itself: the file of a blob, a schema or a
/// structured dataset holds a reference, one line, and nothing is to be uploaded.
///
/// `check` says what is wrong with a reference, if anything is.
pub fn plan_references(
    outputs: &VariableMap,
    view: &impl OutputView,
    options: OutputOptions,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<OutputPlan, OutputError> {
    read_all(outputs, view, options, Data::Referenced(&check))
}

/// The files and directories that the plan would upload if main ended now, without an error for what
/// is not there yet or not as it should be.
///
/// What it names may not be what [`plan`] names in the end: main may write more, or other things.
pub fn data_so_far(
    outputs: &VariableMap,
    view: &impl OutputView,
    options: OutputOptions,
) -> Vec<BlobOutput> {
    let mut uri = |_: &[String]| String::new();
    let mut planner = Planner::new(view, options, Data::Uploaded(&mut uri));
    let with_data = outputs.types().into_iter();
    for (variable, declared) in with_data.filter(|(_, declared)| has_data(declared)) {
        let mark = planner.noted.mark();
        if planner.output(variable, &declared).is_err() {
            planner.noted.go_back(mark);
        }
    }
    planner.into_blobs()
}

/// Whether a value of the type may be, or hold, a file or directory to upload.
#[must_use]
pub fn has_data(declared: &LiteralType) -> bool {
    match &declared.r#type {
        Some(Type::Blob(_) | Type::Schema(_) | Type::StructuredDatasetType(_)) => true,
        Some(Type::CollectionType(inner) | Type::MapValueType(inner)) => has_data(inner),
        Some(Type::UnionType(union)) => union.variants.iter().any(has_data),
        Some(Type::Simple(_) | Type::EnumType(_)) | None => false,
    }
}

fn read_all<'a>(
    outputs: &VariableMap,
    view: &'a impl OutputView,
    options: OutputOptions,
    data: Data<'a>,
) -> Result<OutputPlan, OutputError> {
    let mut planner = Planner::new(view, options, data);
    let mut literals = LiteralMap::default();
    let mut problems = Problems::default();
    for (variable, declared) in outputs.types() {
        match planner.output(variable, &declared) {
            Ok(literal) => _ = literals.literals.insert(variable.to_owned(), literal),
            Err(rule) => problems.push_with(|| OutputProblem {
                variable: variable.to_owned(),
                rule,
            }),
        }
    }
    problems
        .or(OutputPlan {
            literals,
            blobs: planner.into_blobs(),
        })
        .map_err(OutputError)
}

//! All outputs of an interface: one plan, or every problem at once.

use std::fmt;

use super::data::Data;
use super::plan::{BlobOutput, OutputOptions, OutputPlan};
use super::planner::OutputPlanner;
use super::problem::{OutputError, OutputProblem, ReferenceRule};
use super::view::OutputView;
use crate::idl::literal_type::Type;
use crate::idl::{LiteralMap, LiteralType, VariableMap};
use crate::literal::problems::Problems;

/// Reads and checks every declared output.
///
/// `uri` makes the reference of a blob from the segments of its name. Each segment is a file name, so
/// `uri` cannot fail. Fails with every output that is missing, wrong or not supported.
pub fn plan(
    outputs: &VariableMap,
    view: &impl OutputView,
    options: OutputOptions,
    mut uri: impl FnMut(&[String]) -> String,
) -> Result<OutputPlan, OutputError> {
    read_all(outputs, view, options, Data::Uploaded(&mut uri))
}

/// Like [`plan`], where main has uploaded the data itself: the file of a blob, a schema or a
/// structured dataset holds a reference on one line, and nothing is left to upload.
///
/// `check` refuses a reference that others cannot follow.
pub fn plan_references<E: fmt::Display>(
    outputs: &VariableMap,
    view: &impl OutputView,
    options: OutputOptions,
    check: impl Fn(&str) -> Result<(), E>,
) -> Result<OutputPlan, OutputError> {
    let check = |text: &str| {
        check(text).map_err(|refusal| ReferenceRule::NotFollowable(refusal.to_string()))
    };
    read_all(outputs, view, options, Data::Referenced(&check))
}

/// The files and directories that the plan would upload if main ended now. Missing and wrong outputs
/// are no errors yet.
///
/// [`plan`] may name others in the end: main may write more, or something else.
pub fn data_so_far(
    outputs: &VariableMap,
    view: &impl OutputView,
    options: OutputOptions,
) -> Vec<BlobOutput> {
    let mut uri = |_: &[String]| String::new();
    let mut planner = OutputPlanner::new(view, options, Data::Uploaded(&mut uri));
    let with_data = outputs.types().into_iter();
    for (variable, declared) in with_data.filter(|(_, declared)| has_data(declared)) {
        let mark = planner.draft.mark();
        if planner.output(variable, &declared).is_err() {
            planner.draft.go_back(mark);
        }
    }
    planner.draft.into_blobs()
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
    let mut planner = OutputPlanner::new(view, options, data);
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
            blobs: planner.draft.into_blobs(),
        })
        .map_err(OutputError)
}

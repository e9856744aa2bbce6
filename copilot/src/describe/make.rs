//! Makes a document of what a person gives: a file of JSON or YAML, values, or an interface in words.

use serde_json::Value;
use thiserror::Error;

use super::request::MakeRequest;
use super::source::{SourceError, read_file};
use super::{DescribeError, Document, Given, GivenError, Inputs, yaml};
use crate::idl::{TypedInterface, Variable, VariableEntry, VariableMap};

/// Why no document can be made.
#[derive(Debug, Error)]
pub enum MakeError {
    /// The file cannot be read.
    #[error("--from: {0}")]
    Source(#[from] SourceError),
    /// The file is not text.
    #[error(
        "--from: the file is not UTF-8 text: copilot inspect shows messages, copilot make reads JSON or YAML"
    )]
    NotText,
    /// The file is not a document.
    #[error("--from: {0}")]
    Document(#[from] DescribeError),
    /// A value is wrong.
    #[error(transparent)]
    Given(#[from] GivenError),
    /// An interface has no values.
    #[error(
        "{0} has a value, but the other arguments describe an interface: give values only (NAME=VALUE), or types \
         only (NAME:TYPE)"
    )]
    Mixed(String),
    /// An output has a type only.
    #[error("{0} has a value: write {0}:TYPE, the command writes the value")]
    OutputValue(String),
    /// The file and the arguments are of different kinds.
    #[error("--from holds no values, so none can be added: leave the other arguments out")]
    NothingToAdd,
}

/// Makes the document.
///
/// # Errors
/// What is wrong with the file or the arguments.
pub fn make(request: &MakeRequest) -> Result<Document, MakeError> {
    let from = request.from.as_deref().map(read_file).transpose()?;
    let from: Option<Value> = match from {
        None => None,
        Some(bytes) => {
            let text = String::from_utf8(bytes).map_err(|_| MakeError::NotText)?;
            Some(yaml::parse(&text)?)
        }
    };
    if let Some(value) = &from
        && request.inputs.is_empty()
        && request.outputs.is_empty()
    {
        return match Document::from_json(value)? {
            // Again, for local files in a plain object.
            Document::Values(_) => values(Some(value), &[]),
            other => Ok(other),
        };
    }
    let is_interface = |one: &Given| one.value.is_none();
    if !request.outputs.is_empty() || request.inputs.iter().all(is_interface) {
        if from.is_some() {
            return Err(MakeError::NothingToAdd);
        }
        return interface(request);
    }
    if let Some(value) = &from
        && !matches!(Document::from_json(value)?, Document::Values(_))
    {
        return Err(MakeError::NothingToAdd);
    }
    values(from.as_ref(), &request.inputs)
}

fn values(from: Option<&Value>, given: &[Given]) -> Result<Document, MakeError> {
    let inputs = Inputs::read(from, given, None)?;
    Ok(Document::Values(inputs.literals))
}

fn interface(request: &MakeRequest) -> Result<Document, MakeError> {
    Ok(Document::Interface(TypedInterface {
        inputs: Some(variables(&request.inputs)?),
        outputs: Some(variables(&request.outputs)?),
    }))
}

/// The variables that arguments declare.
///
/// # Errors
/// One has a value, or a name is given twice.
pub fn variables(given: &[Given]) -> Result<VariableMap, MakeError> {
    let mut variables: Vec<VariableEntry> = Vec::new();
    for one in given {
        if one.value.is_some() {
            return Err(MakeError::Mixed(one.name.clone()));
        }
        if variables.iter().any(|other| other.key == one.name) {
            return Err(GivenError::Twice(one.name.clone()).into());
        }
        variables.push(VariableEntry {
            key: one.name.clone(),
            value: Some(Variable {
                r#type: one.declared.clone(),
                ..Variable::default()
            }),
        });
    }
    Ok(VariableMap { variables })
}

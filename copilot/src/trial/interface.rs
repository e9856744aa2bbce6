//! The types of a task: from `--interface`, `--output` and the inputs themselves.

use std::collections::BTreeMap;

use super::error::TrialError;
use super::request::TrialRequest;
use crate::describe::{Document, Inputs, MakeError, Source, read_file, variables};
use crate::idl::{
    LiteralType, TypedInterface, Variable, VariableEntry, VariableMap, decode_typed_interface,
};

/// What a task takes and gives.
#[derive(Debug, Default)]
pub(super) struct TaskTypes {
    /// The inputs, if an interface declares them.
    pub(super) inputs: Option<VariableMap>,
    /// The outputs.
    pub(super) outputs: VariableMap,
}

/// The types that the request names.
pub(super) fn types(request: &TrialRequest) -> Result<TaskTypes, TrialError> {
    let interface = request.interface.as_deref().map(read).transpose()?;
    let mut outputs = VariableMap::default();
    let mut inputs = None;
    if let Some(interface) = interface {
        inputs = Some(interface.inputs.unwrap_or_default());
        outputs = interface.outputs.unwrap_or_default();
    }
    let given = variables(&request.outputs).map_err(|error| TrialError::Output(in_words(error)))?;
    for one in given.variables {
        let known = outputs.variables.iter();
        match known.clone().find(|other| other.key == one.key) {
            None => outputs.variables.push(one),
            Some(other) if kind(other) == kind(&one) => {}
            Some(_) => return Err(TrialError::OtherOutput(one.key)),
        }
    }
    Ok(TaskTypes { inputs, outputs })
}

/// An output with a value is told apart from a mixture for `make`.
fn in_words(error: MakeError) -> MakeError {
    match error {
        MakeError::Mixed(name) => MakeError::OutputValue(name),
        error => error,
    }
}

fn kind(entry: &VariableEntry) -> Option<&LiteralType> {
    entry.value.as_ref()?.r#type.as_ref()
}

/// An interface: a file of the message, of JSON or of YAML; or base64.
fn read(text: &str) -> Result<TypedInterface, TrialError> {
    let (bytes, is_file) = match Source::of(text).map_err(TrialError::InterfaceSource)? {
        Source::Bytes(bytes) => (bytes, false),
        Source::File(path) => (read_file(&path).map_err(TrialError::InterfaceSource)?, true),
        Source::StandardInput => (
            read_file("-".as_ref()).map_err(TrialError::InterfaceSource)?,
            true,
        ),
        Source::Object(_) => return Err(TrialError::NotInterface),
    };
    let text = std::str::from_utf8(&bytes).ok();
    let text = text.filter(|text| is_file && looks_like_text(text));
    if let Some(text) = text {
        return match Document::from_text(text).map_err(TrialError::InterfaceText)? {
            Document::Interface(interface) => Ok(interface),
            _ => Err(TrialError::NotInterface),
        };
    }
    Ok(decode_typed_interface(&bytes[..])?)
}

/// Whether a file is JSON or YAML for people: each message that is not empty has a control character, 0x12, which
/// begins the second field of what it holds.
pub(super) fn looks_like_text(text: &str) -> bool {
    let is_binary = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    !text.trim().is_empty() && !text.chars().any(is_binary)
}

/// The inputs, with their types.
pub(super) fn inputs(request: &TrialRequest, types: &TaskTypes) -> Result<Inputs, TrialError> {
    let declared = types.inputs.as_ref();
    let Some(path) = &request.inputs else {
        return Ok(Inputs::read(None, &request.given, declared)?);
    };
    let bytes = read_file(path).map_err(TrialError::InputsFile)?;
    let wrong = |cause| TrialError::Inputs {
        path: path.clone(),
        cause,
    };
    let text = std::str::from_utf8(&bytes).ok();
    let value = match text.filter(|text| looks_like_text(text)) {
        Some(text) => Document::parse(text).map_err(wrong)?,
        None => match Document::decode(&bytes, "inputs.pb", None).map_err(wrong)? {
            values @ Document::Values(_) => values.to_json(),
            _ => return Err(TrialError::NoInputs(path.clone())),
        },
    };
    Ok(Inputs::read(Some(&value), &request.given, declared)?)
}

/// The declared types of inputs, as the platform passes them to the download.
pub(super) fn variable_map(types: &BTreeMap<String, LiteralType>) -> VariableMap {
    let variables = types.iter().map(|(name, declared)| VariableEntry {
        key: name.clone(),
        value: Some(Variable {
            r#type: Some(declared.clone()),
            ..Variable::default()
        }),
    });
    VariableMap {
        variables: variables.collect(),
    }
}

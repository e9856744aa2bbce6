//! A document of the platform: inputs or outputs, an interface, an error document.

use super::error::DescribeError;
use super::kind;
use super::{json, table, yaml};
use crate::idl::{
    ErrorDocument, LiteralMap, Message as _, TypedInterface, VariableMap, decode_error_document,
    decode_literal_map, decode_typed_interface, decode_variable_map,
};

/// What kind of document bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// `inputs.pb` or `outputs.pb`: a `LiteralMap`.
    Values,
    /// The value of `sidecar --interface`: a `TypedInterface`.
    Interface,
    /// The value of `download --input-interface`: a `VariableMap`.
    Variables,
    /// `error.pb` or `errors.pb`: an `ErrorDocument`.
    Error,
}

impl DocumentKind {
    /// All kinds, in the order in which bytes are tried.
    pub const ALL: [Self; 4] = [Self::Values, Self::Interface, Self::Error, Self::Variables];

    /// Its name on the command line and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Values => "values",
            Self::Interface => "interface",
            Self::Variables => "variables",
            Self::Error => "error",
        }
    }
}

/// A document of the platform.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// Inputs or outputs.
    Values(LiteralMap),
    /// What a task takes and gives.
    Interface(TypedInterface),
    /// The variables of one side of an interface.
    Variables(VariableMap),
    /// Why a task failed.
    Error(ErrorDocument),
}

impl Document {
    /// Reads a serialized document. Messages do not say what they are: `name`, the name of their file, shows it,
    /// or `kind` says it; else the kind that knows every byte is taken.
    ///
    /// # Errors
    /// The bytes are not such a message.
    pub fn decode(
        bytes: &[u8],
        name: &str,
        kind: Option<DocumentKind>,
    ) -> Result<Self, DescribeError> {
        if let Some(kind) = kind {
            return Self::of_kind(bytes, kind);
        }
        let named = kind::by_name(name).and_then(|kind| Self::of_kind(bytes, kind).ok());
        named
            .or_else(|| kind::best(bytes))
            .ok_or(DescribeError::Unknown(bytes.len()))
    }

    /// Reads a document of this kind.
    pub(super) fn of_kind(bytes: &[u8], kind: DocumentKind) -> Result<Self, DescribeError> {
        Ok(match kind {
            DocumentKind::Values => Self::Values(decode_literal_map(bytes)?),
            DocumentKind::Interface => Self::Interface(decode_typed_interface(bytes)?),
            DocumentKind::Variables => Self::Variables(decode_variable_map(bytes)?),
            DocumentKind::Error => Self::Error(decode_error_document(bytes)?),
        })
    }

    /// The serialized message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Values(values) => values.encode_to_vec(),
            Self::Interface(interface) => interface.encode_to_vec(),
            Self::Variables(variables) => variables.encode_to_vec(),
            Self::Error(error) => error.encode_to_vec(),
        }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> DocumentKind {
        match self {
            Self::Values(_) => DocumentKind::Values,
            Self::Interface(_) => DocumentKind::Interface,
            Self::Variables(_) => DocumentKind::Variables,
            Self::Error(_) => DocumentKind::Error,
        }
    }

    /// It as JSON; [`from_json`](Self::from_json) reads the same message back.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        json::write(self)
    }

    /// Reads what [`to_json`](Self::to_json) writes, or a plain object of values, whose types the values show.
    ///
    /// # Errors
    /// The place and the rule that it breaks.
    pub fn from_json(value: &serde_json::Value) -> Result<Self, DescribeError> {
        json::read(value)
    }

    /// Reads the text of a file of JSON or YAML.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json); or that it is neither.
    pub fn from_text(text: &str) -> Result<Self, DescribeError> {
        Self::from_json(&Self::parse(text)?)
    }

    /// The tree of such a text.
    ///
    /// # Errors
    /// It is neither JSON nor YAML.
    pub fn parse(text: &str) -> Result<serde_json::Value, DescribeError> {
        yaml::parse(text)
    }

    /// It as YAML, with the same content as the JSON.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        yaml::write(&self.to_json())
    }

    /// It in words, for people.
    #[must_use]
    pub fn in_words(&self) -> String {
        table::document(self)
    }
}

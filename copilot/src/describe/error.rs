//! Why a text is not a document.

use thiserror::Error;

use super::type_parser::TypeWordsError;
use crate::idl::DecodeError;
use crate::literal::Shown;
use crate::literal::output::TypeMismatch;

/// Why a document cannot be read. The message names the place, the rule, and what to do.
#[derive(Debug, Error)]
pub enum DescribeError {
    /// The bytes are not the message that was named.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The bytes are none of the messages.
    #[error(
        "the {0} bytes are none of the messages that copilot knows: inputs or outputs (LiteralMap), an interface \
         (TypedInterface), its inputs alone (VariableMap), or an error document. Is it the right file?"
    )]
    Unknown(usize),
    /// The text is neither JSON nor YAML.
    #[error("it is neither JSON nor YAML: {0}")]
    Syntax(String),
    /// The JSON has the wrong form.
    #[error("{place}: {rule}")]
    Form {
        /// The names that lead to the place.
        place: String,
        /// What must stand there.
        rule: String,
    },
    /// A type's words are wrong.
    #[error("{}: {cause}", Shown(name))]
    Type {
        /// The variable.
        name: String,
        /// The rule.
        #[source]
        cause: TypeWordsError,
    },
    /// A value is not of its type.
    #[error("{}: {cause}", Shown(name))]
    Value {
        /// The variable.
        name: String,
        /// Where and why.
        #[source]
        cause: TypeMismatch,
    },
    /// A value shows no type.
    #[error(
        "{}: {rule}. Give the type: {name}:TYPE=VALUE, or an interface",
        Shown(name)
    )]
    Untyped {
        /// The variable.
        name: String,
        /// Why it shows none.
        rule: &'static str,
    },
}

impl DescribeError {
    pub(super) fn form(place: impl Into<String>, rule: impl Into<String>) -> Self {
        Self::Form {
            place: place.into(),
            rule: rule.into(),
        }
    }
}

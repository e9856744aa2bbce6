//! The tree of a file in any format. Scalars stay as they are written, so an access key that looks like
//! a number or a boolean does not change.

use std::collections::BTreeMap;

/// A value in a file. Keys are in lower case, since settings ignore case (spec §1.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// Nothing: `~`, `null` or no text.
    Null,
    /// A text, number or boolean.
    Scalar(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping.
    Map(BTreeMap<String, Node>),
}

impl Node {
    /// The kind of the node, for a message.
    pub(crate) fn description(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar(_) => "a single value",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// The tree of a JSON value. The JSON reader bounds the depth.
    pub(crate) fn from_json(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Scalar(value.to_string()),
            Value::Number(value) => Self::Scalar(value.to_string()),
            Value::String(text) => Self::Scalar(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from_json).collect()),
            Value::Object(entries) => Self::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.to_lowercase(), Self::from_json(value)))
                    .collect(),
            ),
        }
    }
}

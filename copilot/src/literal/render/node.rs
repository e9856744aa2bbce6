//! Literals as the JSON and YAML writers see them: a borrowed tree that is built while it is walked.
//!
//! It follows the column "value in inputs.json/yaml" of spec §3.2.

use std::borrow::Cow;
use std::collections::BTreeMap;

use prost_types::{Struct, Value, value};

use crate::idl::{Literal, LiteralMap, Primitive, Scalar, literal, primitive, scalar};
use crate::literal::{datetime, duration};

/// One value.
pub enum RenderNode<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    /// Shown as base64.
    Bytes(&'a [u8]),
    Sequence(Sequence<'a>),
    Mapping(Mapping<'a>),
}

/// A list of literals or of values in a struct.
#[derive(Clone, Copy)]
pub enum Sequence<'a> {
    Literals(&'a [Literal]),
    Values(&'a [Value]),
}

/// Literals, or values of a struct, by name.
#[derive(Clone, Copy)]
pub enum Mapping<'a> {
    Literals(&'a BTreeMap<String, Literal>),
    Values(&'a BTreeMap<String, Value>),
}

impl<'a> Sequence<'a> {
    pub fn iter(self) -> Box<dyn Iterator<Item = RenderNode<'a>> + 'a> {
        match self {
            Self::Literals(literals) => Box::new(literals.iter().map(RenderNode::literal)),
            Self::Values(values) => Box::new(values.iter().map(RenderNode::value)),
        }
    }

    pub fn is_empty(self) -> bool {
        match self {
            Self::Literals(literals) => literals.is_empty(),
            Self::Values(values) => values.is_empty(),
        }
    }
}

impl<'a> Mapping<'a> {
    /// The entries in byte order of their keys.
    pub fn iter(self) -> Box<dyn Iterator<Item = (&'a str, RenderNode<'a>)> + 'a> {
        match self {
            Self::Literals(map) => Box::new(
                map.iter()
                    .map(|(key, literal)| (key.as_str(), RenderNode::literal(literal))),
            ),
            Self::Values(map) => Box::new(
                map.iter()
                    .map(|(key, value)| (key.as_str(), RenderNode::value(value))),
            ),
        }
    }

    pub fn is_empty(self) -> bool {
        match self {
            Self::Literals(map) => map.is_empty(),
            Self::Values(map) => map.is_empty(),
        }
    }
}

impl<'a> RenderNode<'a> {
    pub fn map(map: &'a LiteralMap) -> Self {
        Self::Mapping(Mapping::Literals(&map.literals))
    }

    pub fn fields(fields: &'a Struct) -> Self {
        Self::Mapping(Mapping::Values(&fields.fields))
    }

    fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A literal without a value is null; an offloaded literal is its URI.
    fn literal(literal: &'a Literal) -> Self {
        match &literal.value {
            None => Self::Null,
            Some(literal::Value::Scalar(scalar)) => Self::scalar(scalar),
            Some(literal::Value::Collection(list)) => {
                Self::Sequence(Sequence::Literals(&list.literals))
            }
            Some(literal::Value::Map(map)) => Self::map(map),
            Some(literal::Value::OffloadedMetadata(offloaded)) => Self::text(&offloaded.uri),
        }
    }

    pub fn scalar(scalar: &'a Scalar) -> Self {
        match &scalar.value {
            None | Some(scalar::Value::NoneType(_)) => Self::Null,
            Some(scalar::Value::Primitive(primitive)) => Self::primitive(primitive),
            Some(scalar::Value::Blob(blob)) => Self::text(&blob.uri),
            Some(scalar::Value::Schema(schema)) => Self::text(&schema.uri),
            Some(scalar::Value::StructuredDataset(dataset)) => Self::text(&dataset.uri),
            Some(scalar::Value::Binary(binary)) if binary.value.is_empty() => Self::Null,
            Some(scalar::Value::Binary(binary)) => Self::Bytes(&binary.value),
            Some(scalar::Value::Error(error)) => Self::text(&error.message),
            Some(scalar::Value::Generic(fields)) => Self::fields(fields),
            Some(scalar::Value::Union(union)) => {
                union.value.as_deref().map_or(Self::Null, Self::literal)
            }
        }
    }

    fn primitive(primitive: &'a Primitive) -> Self {
        match &primitive.value {
            None => Self::Null,
            Some(primitive::Value::Integer(value)) => Self::Integer(*value),
            Some(primitive::Value::FloatValue(value)) => Self::Float(*value),
            Some(primitive::Value::StringValue(value)) => Self::text(value),
            Some(primitive::Value::Boolean(value)) => Self::Boolean(*value),
            Some(primitive::Value::Datetime(value)) => {
                Self::Text(Cow::Owned(datetime::format(value)))
            }
            Some(primitive::Value::Duration(value)) => Self::Integer(duration::nanoseconds(value)),
        }
    }

    fn value(value: &'a Value) -> Self {
        match &value.kind {
            None | Some(value::Kind::NullValue(_)) => Self::Null,
            Some(value::Kind::NumberValue(number)) => Self::Float(*number),
            Some(value::Kind::StringValue(text)) => Self::text(text),
            Some(value::Kind::BoolValue(value)) => Self::Boolean(*value),
            Some(value::Kind::StructValue(fields)) => Self::fields(fields),
            Some(value::Kind::ListValue(list)) => Self::Sequence(Sequence::Values(&list.values)),
        }
    }
}

/// NaN and the infinities in protobuf's JSON.
pub fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

//! Literals as the JSON and YAML writers see them: a borrowed tree that is built while it is walked.
//!
//! It follows the column "value in inputs.json/yaml" of spec §3.2.

use std::borrow::Cow;
use std::collections::BTreeMap;

use prost_types::{Struct, Value, value};

use super::binary::{Decoded, Place};
use crate::idl::{Literal, LiteralMap, Primitive, Scalar, literal, primitive, scalar};
use crate::literal::{datetime, duration, msgpack};

/// One value.
pub enum RenderNode<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    /// Beyond an `i64`.
    Unsigned(u64),
    Float(f64),
    /// Shown with a point or an exponent, so that it stays a float.
    PackedFloat(f64),
    Text(Cow<'a, str>),
    /// Shown as base64.
    Bytes(&'a [u8]),
    Sequence(Sequence<'a>),
    Mapping(Mapping<'a>),
}

/// A list of literals, of values in a struct, or of values in MessagePack.
#[derive(Clone, Copy)]
pub enum Sequence<'a> {
    /// The place is that of each element.
    Literals(&'a [Literal], Place<'a>),
    Values(&'a [Value]),
    Packed(msgpack::List<'a>),
}

/// Literals, values of a struct, or values in MessagePack, by name.
#[derive(Clone, Copy)]
pub enum Mapping<'a> {
    /// The place is that of the map.
    Literals(&'a BTreeMap<String, Literal>, Place<'a>),
    Values(&'a BTreeMap<String, Value>),
    Packed(msgpack::Map<'a>),
}

impl<'a> Sequence<'a> {
    pub fn iter(self) -> Box<dyn Iterator<Item = RenderNode<'a>> + 'a> {
        match self {
            Self::Literals(literals, place) => Box::new(
                literals
                    .iter()
                    .map(move |literal| RenderNode::literal(literal, place)),
            ),
            Self::Values(values) => Box::new(values.iter().map(RenderNode::value)),
            Self::Packed(list) => Box::new(list.iter().map(RenderNode::packed)),
        }
    }

    pub fn is_empty(self) -> bool {
        match self {
            Self::Literals(literals, _) => literals.is_empty(),
            Self::Values(values) => values.is_empty(),
            Self::Packed(list) => list.is_empty(),
        }
    }
}

impl<'a> Mapping<'a> {
    /// The entries in byte order of their keys.
    pub fn iter(self) -> Box<dyn Iterator<Item = (Cow<'a, str>, RenderNode<'a>)> + 'a> {
        match self {
            Self::Literals(map, place) => Box::new(map.iter().map(move |(key, literal)| {
                let node = RenderNode::literal(literal, place.entry(key));
                (key.into(), node)
            })),
            Self::Values(map) => Box::new(
                map.iter()
                    .map(|(key, value)| (key.into(), RenderNode::value(value))),
            ),
            Self::Packed(map) => Box::new(
                map.entries()
                    .into_iter()
                    .map(|(key, value)| (key, RenderNode::packed(value))),
            ),
        }
    }

    pub fn is_empty(self) -> bool {
        match self {
            Self::Literals(map, _) => map.is_empty(),
            Self::Values(map) => map.is_empty(),
            Self::Packed(map) => map.is_empty(),
        }
    }
}

impl<'a> RenderNode<'a> {
    pub fn map(map: &'a LiteralMap, place: Place<'a>) -> Self {
        Self::Mapping(Mapping::Literals(&map.literals, place))
    }

    pub fn fields(fields: &'a Struct) -> Self {
        Self::Mapping(Mapping::Values(&fields.fields))
    }

    fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A literal without a value is null; an offloaded literal is its URI.
    fn literal(literal: &'a Literal, place: Place<'a>) -> Self {
        match &literal.value {
            None => Self::Null,
            Some(literal::Value::Scalar(scalar)) => Self::scalar(scalar, place),
            Some(literal::Value::Collection(list)) => {
                Self::Sequence(Sequence::Literals(&list.literals, place.element()))
            }
            Some(literal::Value::Map(map)) => Self::map(map, place),
            Some(literal::Value::OffloadedMetadata(offloaded)) => Self::text(&offloaded.uri),
        }
    }

    pub fn scalar(scalar: &'a Scalar, place: Place<'a>) -> Self {
        match &scalar.value {
            None | Some(scalar::Value::NoneType(_)) => Self::Null,
            Some(scalar::Value::Primitive(primitive)) => Self::primitive(primitive),
            Some(scalar::Value::Blob(blob)) => Self::text(&blob.uri),
            Some(scalar::Value::Schema(schema)) => Self::text(&schema.uri),
            Some(scalar::Value::StructuredDataset(dataset)) => Self::text(&dataset.uri),
            Some(scalar::Value::Binary(binary)) => Self::decoded(place.decode(binary)),
            Some(scalar::Value::Error(error)) => Self::text(&error.message),
            Some(scalar::Value::Generic(fields)) => Self::fields(fields),
            Some(scalar::Value::Union(union)) => {
                let inner = |inner| Self::literal(inner, place.within(union));
                union.value.as_deref().map_or(Self::Null, inner)
            }
        }
    }

    fn decoded(decoded: Decoded<'a>) -> Self {
        match decoded {
            Decoded::Bytes([]) => Self::Null,
            Decoded::Bytes(bytes) => Self::Bytes(bytes),
            Decoded::Packed(value) => Self::packed(value),
            Decoded::Datetime(value) => Self::Text(Cow::Owned(datetime::format(&value))),
            Decoded::Duration(nanoseconds) => Self::Integer(nanoseconds),
        }
    }

    pub fn packed(value: msgpack::Value<'a>) -> Self {
        match value {
            msgpack::Value::Nil => Self::Null,
            msgpack::Value::Boolean(value) => Self::Boolean(value),
            msgpack::Value::Integer(value) => Self::Integer(value),
            msgpack::Value::Unsigned(value) => Self::Unsigned(value),
            msgpack::Value::Float(value) => Self::PackedFloat(value),
            msgpack::Value::Text(text) => Self::text(text),
            msgpack::Value::List(list) => Self::Sequence(Sequence::Packed(list)),
            msgpack::Value::Map(map) => Self::Mapping(Mapping::Packed(map)),
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

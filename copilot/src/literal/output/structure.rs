//! A STRUCT output as protobuf's `Struct` or as MessagePack, as its declared type asks.
//!
//! flytekit 1.14 and later reads both, and marks its types. MessagePack keeps whole numbers, also those
//! beyond 2^53, where a `Struct` has doubles only: flytekit then reads `1` of a dict as `1.0`. Readers that
//! are older, or not flytekit, know the `Struct` only, and do not mark types.

use prost_types::value::Kind;
use prost_types::{Struct, Value as ProtobufValue};
use serde_json::Value;

use super::fit::fit;
use super::object::{self, StructError};
use super::plan::StructOutputs;
use crate::idl::{Binary, Literal, LiteralType, scalar};
use crate::literal::msgpack;

/// Where a type's annotation says how its values are serialized.
const CACHE_KEY_METADATA: &str = "cache-key-metadata";
const SERIALIZATION_FORMAT: &str = "serialization-format";

/// Makes the literals of one declared type.
#[derive(Clone, Copy)]
pub struct Structure<'a> {
    declared: &'a LiteralType,
    is_packed: bool,
}

impl<'a> Structure<'a> {
    pub fn new(declared: &'a LiteralType, choice: StructOutputs) -> Self {
        let is_packed = choice == StructOutputs::Declared && is_marked(declared);
        Self {
            declared,
            is_packed,
        }
    }

    /// How much the members in the text of a value weigh in memory: one for each member, and more for an object
    /// or list around them. MessagePack weighs nothing: it stays as small as its text.
    pub fn weight(self, text: &[u8], is_yaml: bool) -> usize {
        if self.is_packed {
            return 0;
        }
        let (mut weight, mut is_text, mut is_escaped) = (0, false, false);
        for byte in text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = is_text,
                // YAML has texts without quotes, in which a quote is a character.
                b'"' if !is_yaml => is_text = !is_text,
                _ if is_text => {}
                b'{' => weight += 8,
                b'[' => weight += 2,
                b',' => weight += 1,
                // A member of YAML may stand on a line of its own.
                b'\n' if is_yaml => weight += 1,
                _ => {}
            }
        }
        weight
    }

    /// Reads the first JSON value of `bytes`.
    pub fn parse(self, bytes: &[u8]) -> Result<Literal, StructError> {
        if self.is_packed {
            return self.packed(object::parse_value(bytes)?);
        }
        Ok(scalar::Value::Generic(object::parse(bytes)?).into())
    }

    /// Takes the value from a tree of JSON or YAML.
    pub fn of_tree(self, value: &Value) -> Result<Literal, StructError> {
        if self.is_packed {
            return self.packed(value.clone());
        }
        Ok(scalar::Value::Generic(object::from_value(value.clone())?).into())
    }

    fn packed(self, mut value: Value) -> Result<Literal, StructError> {
        match &value {
            Value::Object(_) => fit(&mut value, self.declared),
            _ if self.takes_any() => {}
            // As in a `Struct`.
            Value::Null => value = Value::Object(serde_json::Map::new()),
            Value::Array(_) => return Err(StructError::Array),
            _ => return Err(StructError::Single),
        }
        Ok(scalar::Value::Binary(Binary {
            value: msgpack::encode(&value)?.into(),
            tag: msgpack::TAG.to_owned(),
        })
        .into())
    }

    /// Whether the type's JSON schema says that it is something else than an object: pydantic has models
    /// of lists and of single values.
    fn takes_any(self) -> bool {
        let metadata = self.declared.metadata.as_ref();
        metadata
            .and_then(|schema| text(schema, "type"))
            .is_some_and(|kind| kind != "object")
    }
}

/// Whether flytekit marks the type as one whose values are MessagePack.
fn is_marked(declared: &LiteralType) -> bool {
    let annotations = declared.annotation.as_ref();
    annotations
        .and_then(|annotation| annotation.annotations.as_ref())
        .and_then(|facts| facts.fields.get(CACHE_KEY_METADATA))
        .and_then(|fact| match &fact.kind {
            Some(Kind::StructValue(metadata)) => text(metadata, SERIALIZATION_FORMAT),
            _ => None,
        })
        .is_some_and(|format| format == msgpack::TAG)
}

fn text<'a>(facts: &'a Struct, name: &str) -> Option<&'a str> {
    match facts.fields.get(name) {
        Some(ProtobufValue {
            kind: Some(Kind::StringValue(text)),
        }) => Some(text),
        _ => None,
    }
}

//! Decodes messages. Strict: a wrong wire type, text that is not UTF-8, a cut message and nesting beyond
//! prost's limit of 100 messages are errors. Unknown fields are skipped, because newer platforms have more
//! fields.

use bytes::Buf;
use prost::Message;
use thiserror::Error;

use super::census::{MOST_VALUES, Shape, is_crowded};
use super::likeness::likeness;
use super::{ErrorDocument, Literal, LiteralMap, TypedInterface, VariableMap};

/// Bytes that are not the expected message.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected a serialized flyteidl.core.{expected}: {cause}")]
pub struct DecodeError {
    /// The name of the message that was expected.
    pub expected: &'static str,
    /// What is wrong with the bytes.
    #[source]
    pub cause: DecodeCause,
}

/// What is wrong with the bytes.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DecodeCause {
    /// They are not such a message.
    #[error("{}", shortened(&.0.to_string()))]
    Malformed(#[from] prost::DecodeError),
    /// They look like something else.
    #[error(
        "the bytes look like {likeness}, not like a protobuf message; `copilot make` writes one from JSON"
    )]
    Foreign {
        /// What they look like.
        likeness: &'static str,
        /// What is wrong with them as a message.
        #[source]
        cause: prost::DecodeError,
    },
    /// They hold too many values for memory.
    #[error(
        "it holds more than {MOST_VALUES} values (eight values of a struct count as one); split it up, or store it as a file"
    )]
    TooMany,
}

/// Reads the values of a task: `inputs.pb`, `outputs.pb`.
pub fn decode_literal_map(bytes: impl Buf) -> Result<LiteralMap, DecodeError> {
    decode_values("LiteralMap", Shape::LiteralMap, bytes)
}

/// Reads a single value: an offloaded literal.
pub fn decode_literal(bytes: impl Buf) -> Result<Literal, DecodeError> {
    decode_values("Literal", Shape::Literal, bytes)
}

/// Reads the value of `sidecar --interface`.
pub fn decode_typed_interface(bytes: impl Buf) -> Result<TypedInterface, DecodeError> {
    decode("TypedInterface", bytes)
}

/// Reads the value of `download --input-interface`.
pub fn decode_variable_map(bytes: impl Buf) -> Result<VariableMap, DecodeError> {
    decode("VariableMap", bytes)
}

/// Reads an error document: `error.pb`, `errors.pb`.
pub fn decode_error_document(bytes: impl Buf) -> Result<ErrorDocument, DecodeError> {
    decode("ErrorDocument", bytes)
}

/// The decoder's message names every level, the innermost last. Of a long message this keeps the outer
/// levels, the innermost one and the rule.
fn shortened(message: &str) -> String {
    const OUTER: usize = 4;
    let parts: Vec<&str> = message.split(": ").collect();
    match parts.as_slice() {
        [outer @ .., innermost, rule] if outer.len() > OUTER => {
            format!("{}: …: {innermost}: {rule}", outer[..OUTER].join(": "))
        }
        _ => message.to_owned(),
    }
}

fn decode<M: Message + Default>(expected: &'static str, bytes: impl Buf) -> Result<M, DecodeError> {
    let likeness = likeness(bytes.chunk());
    M::decode(bytes).map_err(|cause| DecodeError {
        expected,
        cause: match likeness {
            Some(likeness) => DecodeCause::Foreign { likeness, cause },
            None => cause.into(),
        },
    })
}

/// The same for messages of any size, which come from a store.
fn decode_values<M: Message + Default>(
    expected: &'static str,
    shape: Shape,
    mut bytes: impl Buf,
) -> Result<M, DecodeError> {
    // Bytes in one piece are not copied.
    let bytes = bytes.copy_to_bytes(bytes.remaining());
    if is_crowded(&bytes, shape) {
        return Err(DecodeError {
            expected,
            cause: DecodeCause::TooMany,
        });
    }
    decode(expected, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idl::{Variable, VariableEntry, VariableMap, literal, primitive};
    use proptest::prelude::*;

    #[test]
    fn says_what_was_expected_and_what_is_wrong() {
        let error = decode_literal_map(&[0xff, 0xff][..])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("expected a serialized flyteidl.core.LiteralMap: "),
            "{error}"
        );
    }

    #[test]
    fn text_that_is_not_utf8_is_refused() {
        // Literal { scalar { primitive { string_value: "\xff" } } }
        let bytes = [0x0a, 0x05, 0x0a, 0x03, 0x1a, 0x01, 0xff];
        assert!(decode_literal(&bytes[..]).is_err());
    }

    #[test]
    fn unknown_fields_are_skipped() {
        let mut bytes = Literal::from(primitive::Value::Integer(1)).encode_to_vec();
        // Field 15, two bytes.
        bytes.extend([0x7a, 0x02, 0x08, 0x01]);
        assert_eq!(
            decode_literal(&bytes[..]),
            Ok(Literal::from(primitive::Value::Integer(1)))
        );
    }

    #[test]
    fn of_two_values_the_last_counts() {
        let mut bytes = Literal::from(primitive::Value::Integer(1)).encode_to_vec();
        let list = Literal::from(literal::Value::Collection(
            crate::idl::LiteralCollection::default(),
        ));
        bytes.extend(list.encode_to_vec());
        assert_eq!(decode_literal(&bytes[..]), Ok(list));
    }

    #[test]
    fn hostile_nesting_is_refused() {
        let mut bytes = Vec::new();
        for _ in 0..2_000 {
            // LiteralCollection { literals: [ what there is ] } in a Literal.
            let mut outer = Vec::new();
            prost::encoding::bytes::encode(1, &bytes, &mut outer);
            bytes.clear();
            prost::encoding::bytes::encode(2, &outer, &mut bytes);
        }
        assert!(
            decode_literal(&bytes[..])
                .unwrap_err()
                .to_string()
                .contains("recursion limit")
        );
    }

    #[test]
    fn a_cut_message_is_refused() {
        let bytes =
            Literal::from(primitive::Value::StringValue("hello".to_owned())).encode_to_vec();
        for length in 1..bytes.len() {
            assert!(decode_literal(&bytes[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn of_variables_with_one_name_the_last_counts() {
        let entry = |kind| VariableEntry {
            key: "x".to_owned(),
            value: Some(Variable {
                r#type: Some(crate::idl::LiteralType {
                    r#type: Some(crate::idl::literal_type::Type::Simple(kind)),
                    ..Default::default()
                }),
                ..Default::default()
            }),
        };
        let map = VariableMap {
            variables: vec![
                entry(1),
                entry(3),
                VariableEntry {
                    key: "unset".to_owned(),
                    value: None,
                },
            ],
        };
        let types = map.types();
        assert_eq!(types["x"].to_string(), "string");
        assert_eq!(types["unset"].to_string(), "a type that is not set");
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = decode_literal_map(&bytes[..]);
            let _ = decode_literal(&bytes[..]);
            let _ = decode_typed_interface(&bytes[..]);
            let _ = decode_variable_map(&bytes[..]);
            let _ = decode_error_document(&bytes[..]);
        }
    }
}

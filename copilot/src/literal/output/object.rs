//! A JSON object as a `Struct` (spec §4.4, row STRUCT), as tolerant as the reference: text after the
//! value is ignored, the last of equal keys wins, numbers are doubles, and invalid Unicode becomes
//! U+FFFD.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::{fmt, io};

use prost_types::{ListValue, Struct, Value, value};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

/// Why a value is not a struct.
#[derive(Debug, Error)]
pub enum StructError {
    /// It is not JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// It is an array.
    #[error("it is an array, not an object")]
    Array,
    /// It is a string, a number or a boolean.
    #[error("it is a single value, not an object")]
    Single,
    /// It does not fit into MessagePack.
    #[error(transparent)]
    Unpackable(#[from] io::Error),
}

/// Reads the first JSON value of `bytes`, which must be an object or null.
pub fn parse(bytes: &[u8]) -> Result<Struct, StructError> {
    let text = mend_bytes(bytes);
    let text = mend_surrogates(&text);
    read(&mut serde_json::Deserializer::from_str(&text))
}

/// Reads the first JSON value of `bytes`, whatever it is, with the same tolerance. Whole numbers of 64 bits
/// stay whole.
pub fn parse_value(bytes: &[u8]) -> Result<serde_json::Value, StructError> {
    let text = mend_bytes(bytes);
    let text = mend_surrogates(&text);
    let mut reader = serde_json::Deserializer::from_str(&text);
    Ok(serde_json::Value::deserialize(&mut reader)?)
}

/// The struct of a tree, which must be an object or null.
pub fn from_value(value: serde_json::Value) -> Result<Struct, StructError> {
    read(value)
}

fn read<'de, D>(from: D) -> Result<Struct, StructError>
where
    D: Deserializer<'de, Error = serde_json::Error>,
{
    match StructNode::deserialize(from)?.0 {
        value::Kind::StructValue(fields) => Ok(fields),
        value::Kind::NullValue(_) => Ok(Struct::default()),
        value::Kind::ListValue(_) => Err(StructError::Array),
        _ => Err(StructError::Single),
    }
}

/// A value of a struct, built while it is read, so a large one is never in memory twice.
struct StructNode(value::Kind);

impl StructNode {
    fn value(self) -> Value {
        Value { kind: Some(self.0) }
    }
}

impl<'de> Deserialize<'de> for StructNode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StructVisitor).map(Self)
    }
}

struct StructVisitor;

#[expect(
    clippy::cast_precision_loss,
    reason = "the numbers of a struct are doubles"
)]
impl<'de> Visitor<'de> for StructVisitor {
    type Value = value::Kind;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<value::Kind, E> {
        Ok(value::Kind::NullValue(0))
    }

    fn visit_bool<E>(self, value: bool) -> Result<value::Kind, E> {
        Ok(value::Kind::BoolValue(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<value::Kind, E> {
        Ok(value::Kind::NumberValue(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<value::Kind, E> {
        Ok(value::Kind::NumberValue(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<value::Kind, E> {
        Ok(value::Kind::NumberValue(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<value::Kind, E> {
        Ok(value::Kind::StringValue(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<value::Kind, E> {
        Ok(value::Kind::StringValue(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<value::Kind, A::Error> {
        let mut values = Vec::new();
        while let Some(item) = items.next_element::<StructNode>()? {
            values.push(item.value());
        }
        Ok(value::Kind::ListValue(ListValue { values }))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<value::Kind, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((key, member)) = members.next_entry::<String, StructNode>()? {
            fields.insert(key, member.value());
        }
        Ok(value::Kind::StructValue(Struct { fields }))
    }
}

/// The text with U+FFFD for each byte that is not UTF-8.
fn mend_bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

/// The text with `\ufffd` for each `\u` escape that is half a surrogate pair.
fn mend_surrogates(text: &str) -> Cow<'_, str> {
    if !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(index) = rest.find('\\') {
        mended.push_str(&rest[..index]);
        rest = &rest[index..];
        let taken = match (escape(rest), rest.get(6..).and_then(escape)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                mended.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            (Some(_), _) => 6,
            // The backslash and what it escapes, so that `\\u` is not taken for an escape.
            (None, _) => rest.chars().take(2).map(char::len_utf8).sum(),
        };
        mended.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    mended.push_str(rest);
    Cow::Owned(mended)
}

/// The code of a `\uXXXX` at the beginning of the text.
fn escape(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn string(json: &[u8]) -> String {
        match parse(json).unwrap().fields.remove("a").unwrap().kind {
            Some(value::Kind::StringValue(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn invalid_unicode_is_replaced() {
        let table: [(&[u8], &str); 8] = [
            (br#"{"a":"\ud83d\ude00"}"#, "😀"),
            (br#"{"a":"\ud83dx"}"#, "\u{fffd}x"),
            (br#"{"a":"\ude00\ud83d\ud83d\ude00"}"#, "\u{fffd}\u{fffd}😀"),
            (br#"{"a":"\\ud83d"}"#, "\\ud83d"),
            (br#"{"a":"\ud83d\u0041"}"#, "\u{fffd}A"),
            (br#"{"a":"\ud83d\n"}"#, "\u{fffd}\n"),
            (b"{\"a\":\"\xe2\x82\"}", "\u{fffd}\u{fffd}"),
            (b"{\"a\":\"\xff\xc3\xa9\"}", "\u{fffd}é"),
        ];
        for (json, text) in table {
            assert_eq!(string(json), text);
        }
    }

    #[test]
    fn a_bad_escape_is_still_an_error() {
        for json in [
            r#"{"a":"\u12"}"#,
            r#"{"a":"\ud8é"}"#,
            r#"{"a":"\u+123"}"#,
            r#"{"a":"\x"}"#,
            "\\",
            "\\u",
            "{\"a\":\"\\é\"}",
        ] {
            assert!(parse(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn doubles_are_read_exactly() {
        let fields = parse(b"{\"a\":5.5689097012576415e+256,\"b\":-0}")
            .unwrap()
            .fields;
        assert_eq!(
            fields["a"].kind,
            Some(value::Kind::NumberValue(5.568_909_701_257_641_5e256))
        );
        assert!(
            matches!(fields["b"].kind, Some(value::Kind::NumberValue(zero)) if zero.is_sign_negative())
        );
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(parse("{\"a\":".repeat(100_000).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, text in r#"\{"a":"(\\u?[dD]?[89a-fA-F0-9]{0,4}|.){0,8}"?\}?"#) {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
        }
    }
}

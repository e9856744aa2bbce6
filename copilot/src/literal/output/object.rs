//! A JSON object as a `Struct` (spec §4.4, row STRUCT), with the reference's tolerance: text after
//! the value is ignored, of equal keys the last one counts, numbers are doubles, and what is no
//! Unicode becomes U+FFFD.

use std::borrow::Cow;

use prost_types::{ListValue, Struct, Value, value};
use serde::Deserialize;

/// Reads the first JSON value of `bytes`, which must be an object or null. The error says why not.
pub fn parse(bytes: &[u8]) -> Result<Struct, String> {
    let text = mend_bytes(bytes);
    let text = mend_surrogates(&text);
    let mut reader = serde_json::Deserializer::from_str(&text);
    let value = serde_json::Value::deserialize(&mut reader).map_err(|error| error.to_string())?;
    from_value(value)
}

/// The struct that a tree is; it must be an object or null.
pub fn from_value(value: serde_json::Value) -> Result<Struct, String> {
    match value {
        serde_json::Value::Object(members) => Ok(object(members)),
        serde_json::Value::Null => Ok(Struct::default()),
        serde_json::Value::Array(_) => Err("it is an array, not an object".to_owned()),
        _ => Err("it is a single value, not an object".to_owned()),
    }
}

fn object(members: serde_json::Map<String, serde_json::Value>) -> Struct {
    Struct {
        fields: members
            .into_iter()
            .map(|(key, member)| (key, convert(member)))
            .collect(),
    }
}

fn convert(member: serde_json::Value) -> Value {
    let kind = match member {
        serde_json::Value::Null => value::Kind::NullValue(0),
        serde_json::Value::Bool(value) => value::Kind::BoolValue(value),
        // Always some: the reader refuses what is beyond a double.
        serde_json::Value::Number(number) => {
            value::Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN))
        }
        serde_json::Value::String(text) => value::Kind::StringValue(text),
        serde_json::Value::Array(items) => value::Kind::ListValue(ListValue {
            values: items.into_iter().map(convert).collect(),
        }),
        serde_json::Value::Object(members) => value::Kind::StructValue(object(members)),
    };
    Value { kind: Some(kind) }
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
    fn what_is_no_unicode_is_replaced() {
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

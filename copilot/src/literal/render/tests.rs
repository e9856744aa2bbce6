use base64::Engine as _;
use proptest::prelude::*;
use prost_types::{Struct, Value, value};

use super::{Binaries, BinaryForm, Place, write_json, write_scalar, write_yaml};
use crate::idl::{self, Literal, LiteralMap, Scalar, literal, primitive, scalar};

fn one(literal: impl Into<Literal>) -> LiteralMap {
    LiteralMap {
        literals: [("x".to_owned(), literal.into())].into(),
    }
}

fn json(map: &LiteralMap) -> String {
    let mut out = Vec::new();
    write_json(map, &Binaries::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn yaml(map: &LiteralMap) -> String {
    let mut out = Vec::new();
    write_yaml(map, &Binaries::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn text(text: &str) -> LiteralMap {
    one(primitive::Value::StringValue(text.to_owned()))
}

fn file(value: scalar::Value) -> String {
    let mut out = Vec::new();
    write_scalar(
        &Scalar { value: Some(value) },
        Place::unknown(BinaryForm::Json),
        &mut out,
    )
    .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn strings_have_the_reference_s_escapes() {
    let table = [
        ("a/b", r#""a/b""#),
        ("\"\\", r#""\"\\""#),
        ("\n\r\t\u{8}\u{c}", r#""\n\r\t\b\f""#),
        ("\u{0}\u{1f}", r#""\u0000\u001f""#),
        ("<b>&amp;", r#""\u003cb\u003e\u0026amp;""#),
        ("\u{2028}\u{2029}", r#""\u2028\u2029""#),
        ("\u{7f}é😀\u{feff}", "\"\u{7f}é😀\u{feff}\""),
    ];
    for (value, expected) in table {
        assert_eq!(json(&text(value)), format!("{{\"x\":{expected}}}"));
    }
}

#[test]
fn what_is_not_finite_has_a_text() {
    for (value, name) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        let map = one(primitive::Value::FloatValue(value));
        assert_eq!(json(&map), format!("{{\"x\":\"{name}\"}}"));
        let quoted = if name.starts_with('-') {
            format!("\"{name}\"")
        } else {
            name.to_owned()
        };
        assert_eq!(yaml(&map), format!("x: {quoted}\n"));
        let number = Value {
            kind: Some(value::Kind::NumberValue(value)),
        };
        let fields = Struct {
            fields: [("n".to_owned(), number)].into(),
        };
        assert_eq!(
            file(scalar::Value::Generic(fields)),
            format!("{{\"n\":\"{name}\"}}")
        );
    }
}

#[test]
fn an_empty_map_is_an_empty_object() {
    assert_eq!(json(&LiteralMap::default()), "{}");
    assert_eq!(yaml(&LiteralMap::default()), "{}\n");
}

#[test]
fn a_value_that_was_never_set_is_null() {
    assert_eq!(json(&one(Literal::default())), r#"{"x":null}"#);
    let unset = Struct {
        fields: [("n".to_owned(), Value { kind: None })].into(),
    };
    assert_eq!(file(scalar::Value::Generic(unset)), r#"{"n":null}"#);
}

#[test]
fn years_beyond_9999_are_written() {
    let time = prost_types::Timestamp {
        seconds: 253_402_300_800,
        nanos: 0,
    };
    assert_eq!(
        json(&one(primitive::Value::Datetime(time))),
        r#"{"x":"10000-01-01T00:00:00Z"}"#
    );
}

#[test]
fn the_file_of_a_union_is_that_of_its_value() {
    let union = |inner: Literal| {
        scalar::Value::Union(Box::new(idl::Union {
            value: Some(Box::new(inner)),
            r#type: None,
        }))
    };
    let nested = union(union(primitive::Value::StringValue("plain".to_owned()).into()).into());
    assert_eq!(file(nested), "plain");
    let list = idl::LiteralCollection {
        literals: vec![primitive::Value::Integer(1).into()],
    };
    assert_eq!(file(union(literal::Value::Collection(list).into())), "[1]");
}

#[test]
fn a_writer_that_fails_is_reported() {
    let map = text(&"x".repeat(100));
    assert!(write_json(&map, &Binaries::default(), &mut &mut [0; 50][..]).is_err());
    assert!(write_yaml(&map, &Binaries::default(), &mut &mut [0; 50][..]).is_err());
}

proptest! {
    #[test]
    fn any_string_and_bytes_read_back_from_json(value: String, bytes: Vec<u8>) {
        let back: serde_json::Value = serde_json::from_str(&json(&text(&value))).unwrap();
        prop_assert_eq!(back["x"].as_str(), Some(value.as_str()));

        let binary = idl::Binary { value: bytes.clone().into(), tag: String::new() };
        let back: serde_json::Value = serde_json::from_str(&json(&one(scalar::Value::Binary(binary)))).unwrap();
        let decoded = back["x"].as_str().map(|text| base64::engine::general_purpose::STANDARD.decode(text).unwrap());
        prop_assert_eq!(decoded.unwrap_or_default(), bytes);
    }
}

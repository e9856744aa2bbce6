//! For all values `inputs.yaml` has the same content as `inputs.json`.

use std::collections::BTreeMap;

use copilot::idl::{
    Binary, Literal, LiteralCollection, LiteralMap, Struct, Value, Void, literal, primitive,
    scalar, value,
};
use copilot::literal::render::{Binaries, write_json, write_yaml};
use proptest::prelude::*;

use crate::yaml11::{self, Yaml};

/// Strings, often with characters that are difficult for YAML writers.
fn text() -> impl Strategy<Value = String> {
    let odd =
        "[-:#?\\[\\]{}*&!|>'\"%@`,=<~. \t\n\r\u{7f}\u{85}\u{a0}\u{2028}\u{feff}\u{ffff}a1_/]{0,12}";
    let words = prop::sample::select(vec![
        "",
        "y",
        "No",
        "NULL",
        "~",
        "true",
        "1",
        "1e3",
        "0x10",
        "0o7",
        "1_000",
        ".inf",
        "-.INF",
        ".nan",
        "2020-01-01",
        "12:30:45",
        "<<",
        "=",
        "---",
        "...",
        "- a",
        "a: b",
        "a #c",
        "? x",
        "+1",
        "-",
        "/",
        "NaN",
        "1.5",
        "0b1",
        "2001-12-14t21:59:43.10-05:00",
    ]);
    prop_oneof![
        any::<String>(),
        odd,
        words.prop_map(str::to_owned),
        Just("k".repeat(3_000))
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        Just(-0.0),
        Just(1e20),
        Just(1e-5),
        Just(f64::NAN),
        Just(1e19),
        (-1_000_000_i32..1_000_000).prop_map(f64::from)
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(value::Kind::NullValue(0)),
        any::<bool>().prop_map(value::Kind::BoolValue),
        number().prop_map(value::Kind::NumberValue),
        text().prop_map(value::Kind::StringValue),
    ];
    let leaf = leaf.prop_map(|kind| Value { kind: Some(kind) });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4)
            .prop_map(|values| value::Kind::ListValue(copilot::idl::ListValue { values }));
        let map = prop::collection::btree_map(text(), inner, 0..4)
            .prop_map(|fields| value::Kind::StructValue(Struct { fields }));
        prop_oneof![list, map].prop_map(|kind| Value { kind: Some(kind) })
    })
}

fn literal() -> impl Strategy<Value = Literal> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|value| primitive::Value::Integer(value).into()),
        number().prop_map(|value| primitive::Value::FloatValue(value).into()),
        text().prop_map(|value| primitive::Value::StringValue(value).into()),
        any::<bool>().prop_map(|value| primitive::Value::Boolean(value).into()),
        Just(scalar::Value::NoneType(Void {}).into()),
        any::<Vec<u8>>().prop_map(|value| scalar::Value::Binary(Binary {
            value: value.into(),
            tag: String::new()
        })
        .into()),
        prop::collection::btree_map(text(), json_value(), 0..4)
            .prop_map(|fields| scalar::Value::Generic(Struct { fields }).into()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4)
            .prop_map(|literals| literal::Value::Collection(LiteralCollection { literals }).into());
        let map = prop::collection::btree_map(text(), inner, 0..4)
            .prop_map(|literals| literal::Value::Map(LiteralMap { literals }).into());
        prop_oneof![list, map]
    })
}

/// Equal, but YAML may have an integer where JSON's reader has a double.
fn same(yaml: &Yaml, json: &serde_json::Value) -> bool {
    match (yaml, json) {
        (Yaml::Null, serde_json::Value::Null) => true,
        (Yaml::Boolean(one), serde_json::Value::Bool(other)) => one == other,
        (Yaml::Integer(one), serde_json::Value::Number(other)) => {
            other.to_string().parse() == Ok(*one) || {
                #[expect(clippy::cast_precision_loss, reason = "both sides round the same way")]
                let one = *one as f64;
                other.as_f64() == Some(one)
            }
        }
        (Yaml::Float(one), serde_json::Value::Number(other)) => other.as_f64() == Some(*one),
        (Yaml::Text(one), serde_json::Value::String(other)) => one == other,
        (Yaml::List(one), serde_json::Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Yaml::Map(one), serde_json::Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn says_what_json_says(literals in prop::collection::btree_map(text(), literal(), 0..4)) {
        let map = LiteralMap { literals: literals.into_iter().collect::<BTreeMap<_, _>>() };
        let (mut json, mut yaml) = (Vec::new(), Vec::new());
        write_json(&map, &Binaries::default(), &mut json).unwrap();
        write_yaml(&map, &Binaries::default(), &mut yaml).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let text = String::from_utf8(yaml).unwrap();
        prop_assert!(same(&yaml11::read(&text), &json), "{}\n{}", text, json);
    }
}

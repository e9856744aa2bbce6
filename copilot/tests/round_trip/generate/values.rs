//! Any literal of a type.

use copilot::idl::literal_type::Type;
use copilot::idl::{
    Binary, Blob, BlobMetadata, Duration, Error, ListValue, Literal, LiteralCollection, LiteralMap,
    LiteralType, Schema, SimpleType, Struct, StructuredDataset, StructuredDatasetMetadata,
    Timestamp, Union, Value, Void, literal, primitive, scalar, value,
};
use copilot::literal::msgpack;
use proptest::prelude::*;
use serde_json::Value as Json;

/// Any literal of this type; in a union, one that tells its type.
pub fn any_literal(declared: &LiteralType, telling: bool) -> BoxedStrategy<Literal> {
    let least = usize::from(telling);
    match declared.r#type.as_ref().unwrap() {
        Type::Simple(_) if declared.annotation.is_some() => packed().boxed(),
        Type::Simple(kind) => simple(SimpleType::try_from(*kind).unwrap(), telling),
        Type::EnumType(values) => prop::sample::select(values.values.clone())
            .prop_map(|value| primitive::Value::StringValue(value).into())
            .boxed(),
        Type::CollectionType(element) => {
            let elements = prop::collection::vec(any_literal(element, telling), least..4);
            elements
                .prop_map(|literals| {
                    literal::Value::Collection(LiteralCollection { literals }).into()
                })
                .boxed()
        }
        Type::MapValueType(of) => {
            // No index, so that no list has it; else any file name.
            let key = if telling {
                "k[a-z.]{0,3}"
            } else {
                "[^/\u{0}]{1,8}"
            };
            let key = key.prop_filter("no file name", |key| !matches!(key.as_str(), "." | ".."));
            let entries = prop::collection::btree_map(key, any_literal(of, telling), least..4);
            entries
                .prop_map(|literals| literal::Value::Map(LiteralMap { literals }).into())
                .boxed()
        }
        Type::UnionType(union) => prop::sample::select(union.variants.clone())
            .prop_flat_map(|variant| {
                any_literal(&variant, true).prop_map(move |inner| {
                    scalar::Value::Union(Box::new(Union {
                        value: Some(Box::new(inner)),
                        r#type: Some(variant.clone()),
                    }))
                    .into()
                })
            })
            .boxed(),
        reference => Just(referring(reference)).boxed(),
    }
}

/// What lies in the store.
fn referring(declared: &Type) -> Literal {
    let uri = "s3://b/some/where".to_owned();
    match declared.clone() {
        Type::Blob(blob) => {
            let metadata = Some(BlobMetadata { r#type: Some(blob) });
            scalar::Value::Blob(Blob { metadata, uri }).into()
        }
        Type::Schema(schema) => {
            let r#type = Some(schema);
            scalar::Value::Schema(Schema { uri, r#type }).into()
        }
        Type::StructuredDatasetType(dataset) => {
            let metadata = Some(StructuredDatasetMetadata {
                structured_dataset_type: Some(dataset),
            });
            let dataset = StructuredDataset { uri, metadata };
            scalar::Value::StructuredDataset(Box::new(dataset)).into()
        }
        other => panic!("{other:?} is not a reference"),
    }
}

fn simple(kind: SimpleType, telling: bool) -> BoxedStrategy<Literal> {
    let text = if telling {
        "text \\PC{0,8}"
    } else {
        "[ \t\n\r]{0,2}\\PC{0,8}[ \t\n\r]{0,2}"
    };
    match kind {
        SimpleType::None => Just(scalar::Value::NoneType(Void {}).into()).boxed(),
        SimpleType::Integer => any::<i64>()
            .prop_map(|value| primitive::Value::Integer(value).into())
            .boxed(),
        SimpleType::Float => any::<u64>()
            .prop_map(f64::from_bits)
            .prop_filter("a whole number", move |value| {
                // Beyond 64 bits no integer can be meant.
                !telling || value.fract() != 0.0 || !value.is_finite() || value.abs() > 1e20
            })
            .prop_map(|value| primitive::Value::FloatValue(value).into())
            .boxed(),
        SimpleType::String => text
            .prop_map(|value| primitive::Value::StringValue(value).into())
            .boxed(),
        SimpleType::Boolean => any::<bool>()
            .prop_map(|value| primitive::Value::Boolean(value).into())
            .boxed(),
        SimpleType::Datetime => (-62_167_219_200..253_402_300_800_i64, 0..1_000_000_000)
            .prop_map(|(seconds, nanos)| {
                primitive::Value::Datetime(Timestamp { seconds, nanos }).into()
            })
            .boxed(),
        SimpleType::Duration => any::<i64>()
            .prop_map(|nanoseconds| {
                let nanos = i32::try_from(nanoseconds % 1_000_000_000).unwrap();
                let seconds = nanoseconds / 1_000_000_000;
                primitive::Value::Duration(Duration { seconds, nanos }).into()
            })
            .boxed(),
        SimpleType::Binary => any::<Vec<u8>>()
            .prop_map(move |mut value| {
                if telling {
                    value.insert(0, 0xff);
                }
                let (value, tag) = (value.into(), "msgpack".to_owned());
                scalar::Value::Binary(Binary { value, tag }).into()
            })
            .boxed(),
        SimpleType::Error => text
            .prop_map(|message| {
                let failed_node_id = String::new();
                scalar::Value::Error(Error {
                    failed_node_id,
                    message,
                })
                .into()
            })
            .boxed(),
        SimpleType::Struct => fields()
            .prop_map(|fields| scalar::Value::Generic(fields).into())
            .boxed(),
    }
}

/// A struct in MessagePack.
fn packed() -> impl Strategy<Value = Literal> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<i32>().prop_map(f64::from).prop_map(Json::from),
        any::<f64>()
            .prop_filter("JSON has none", |number| number.is_finite())
            .prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    let member = leaf.prop_recursive(3, 12, 4, |inner| {
        let members = prop::collection::hash_map(any::<String>(), inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Json::from),
            members.prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    });
    let members = prop::collection::hash_map(".{0,4}", member, 0..4);
    members.prop_map(|members| {
        let object = Json::Object(members.into_iter().collect());
        let (value, tag) = (msgpack::encode(&object).unwrap(), msgpack::TAG.to_owned());
        let value = value.into();
        scalar::Value::Binary(Binary { value, tag }).into()
    })
}

fn fields() -> impl Strategy<Value = Struct> {
    let leaf = prop_oneof![
        Just(value::Kind::NullValue(0)),
        any::<bool>().prop_map(value::Kind::BoolValue),
        any::<f64>()
            .prop_filter("JSON has none", |number| number.is_finite())
            .prop_map(value::Kind::NumberValue),
        any::<i32>().prop_map(|number| value::Kind::NumberValue(number.into())),
        any::<String>().prop_map(value::Kind::StringValue),
    ];
    let kind = leaf.prop_recursive(3, 12, 4, |inner| {
        let inner = inner.prop_map(|kind| Value { kind: Some(kind) });
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|values| value::Kind::ListValue(ListValue { values })),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|fields| value::Kind::StructValue(Struct { fields })),
        ]
    });
    let member = kind.prop_map(|kind| Value { kind: Some(kind) });
    prop::collection::btree_map(".{0,4}", member, 0..4).prop_map(|fields| Struct { fields })
}

//! Documents there and back, types there and back: properties of made-up ones.

mod arguments;
mod words;

use proptest::prelude::*;

use super::*;
use crate::idl::literal_type::Type;
use crate::idl::{
    Binary, Blob, BlobMetadata, BlobType, ContainerError, EnumType, Error as ErrorLiteral,
    ErrorDocument, Literal, LiteralCollection, LiteralMap, LiteralType, Struct,
    StructuredDatasetType, Timestamp, TypeStructure, TypedInterface, Union, UnionType, Variable,
    VariableEntry, VariableMap, Void, literal, primitive, scalar, value,
};

fn typed(kind: Type) -> LiteralType {
    LiteralType {
        r#type: Some(kind),
        ..LiteralType::default()
    }
}

fn any_word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,6}", "[a-z .,\\]\\[|\"\\\\?=:é-]{0,8}"]
}

/// Types without further facts: words say all of them.
fn any_plain_type() -> impl Strategy<Value = LiteralType> {
    let simple = (0..10_i32).prop_map(Type::Simple);
    let blob = (any_word(), 0..2_i32).prop_map(|(format, dimensionality)| {
        Type::Blob(BlobType {
            format,
            dimensionality,
        })
    });
    let values = prop::collection::vec(any_word(), 0..3);
    let enumeration = values.prop_map(|values| Type::EnumType(EnumType { values }));
    let dataset = any_word().prop_map(|format| {
        Type::StructuredDatasetType(StructuredDatasetType {
            format,
            ..StructuredDatasetType::default()
        })
    });
    let schema = Just(Type::Schema(crate::idl::SchemaType::default()));
    let leaf = prop_oneof![simple, blob, enumeration, dataset, schema].prop_map(typed);
    leaf.prop_recursive(4, 12, 3, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(|of| typed(Type::CollectionType(of))),
            boxed.prop_map(|of| typed(Type::MapValueType(of))),
            prop::collection::vec(inner, 0..4)
                .prop_map(|variants| typed(Type::UnionType(UnionType { variants }))),
        ]
    })
}

fn any_type() -> impl Strategy<Value = LiteralType> {
    let tagged = (any_plain_type(), any_word()).prop_map(|(declared, tag)| LiteralType {
        structure: Some(TypeStructure {
            tag,
            ..TypeStructure::default()
        }),
        ..declared
    });
    prop_oneof![4 => any_plain_type(), 1 => tagged]
}

fn any_scalar() -> impl Strategy<Value = Literal> {
    let primitives = prop_oneof![
        any::<i64>().prop_map(primitive::Value::Integer),
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |value| !value.is_nan())
            .prop_map(primitive::Value::FloatValue),
        any::<String>().prop_map(primitive::Value::StringValue),
        any::<bool>().prop_map(primitive::Value::Boolean),
        (any::<i32>(), 0..1_000_000_000_i32).prop_map(|(seconds, nanos)| {
            let seconds = seconds.into();
            primitive::Value::Datetime(Timestamp { seconds, nanos })
        }),
        any::<i64>()
            .prop_map(|all| { primitive::Value::Duration(crate::literal::duration::message(all)) }),
    ];
    let blob = (any_word(), 0..2_i32, any::<String>(), any::<bool>()).prop_map(
        |(format, dimensionality, uri, has_metadata)| {
            let r#type = Some(BlobType {
                format,
                dimensionality,
            });
            let metadata = has_metadata.then_some(BlobMetadata { r#type });
            scalar::Value::Blob(Blob { metadata, uri })
        },
    );
    let binary = (any::<Vec<u8>>(), "msgpack|json|").prop_map(|(value, tag)| {
        let value = value.into();
        scalar::Value::Binary(Binary { value, tag })
    });
    let error = (any_word(), any::<String>()).prop_map(|(failed_node_id, message)| {
        scalar::Value::Error(ErrorLiteral {
            failed_node_id,
            message,
        })
    });
    let fields = prop::collection::btree_map(any::<String>(), any::<f64>(), 0..3);
    let generic = fields.prop_map(|fields| {
        let number =
            |value: f64| value::Kind::NumberValue(if value.is_nan() { 0.0 } else { value });
        let fields = fields.into_iter();
        let fields = fields.map(|(name, value)| (name, number(value).into()));
        scalar::Value::Generic(Struct {
            fields: fields.collect(),
        })
    });
    prop_oneof![
        primitives.prop_map(Literal::from),
        prop_oneof![
            blob,
            binary,
            error,
            generic,
            Just(scalar::Value::NoneType(Void {}))
        ]
        .prop_map(Literal::from),
        Just(Literal::default()),
    ]
}

fn any_literal() -> impl Strategy<Value = Literal> {
    any_scalar().prop_recursive(3, 12, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(|literals| {
            Literal::from(literal::Value::Collection(LiteralCollection { literals }))
        });
        let map = prop::collection::btree_map(any::<String>(), inner.clone(), 0..3)
            .prop_map(|literals| Literal::from(literal::Value::Map(LiteralMap { literals })));
        let union = (inner.clone(), prop::option::of(any_type())).prop_map(|(inner, declared)| {
            Literal::from(scalar::Value::Union(Box::new(Union {
                value: Some(Box::new(inner)),
                r#type: declared,
            })))
        });
        let hashed = (inner, any_word()).prop_map(|(inner, hash)| Literal { hash, ..inner });
        prop_oneof![list, map, union, hashed]
    })
}

fn any_variables() -> impl Strategy<Value = VariableMap> {
    let entry = (prop::option::of(any_type()), any_word());
    prop::collection::btree_map(any::<String>(), entry, 0..4).prop_map(|entries| VariableMap {
        variables: entries
            .into_iter()
            .map(|(key, (r#type, description))| VariableEntry {
                key,
                value: Some(Variable {
                    r#type,
                    description,
                }),
            })
            .collect(),
    })
}

fn any_document() -> impl Strategy<Value = Document> {
    let values = prop::collection::btree_map(any::<String>(), any_literal(), 0..4);
    let values = values.prop_map(|literals| Document::Values(LiteralMap { literals }));
    let sides = (
        prop::option::of(any_variables()),
        prop::option::of(any_variables()),
    );
    let interface =
        sides.prop_map(|(inputs, outputs)| Document::Interface(TypedInterface { inputs, outputs }));
    let words = (any::<String>(), any::<String>(), any::<String>());
    let error = (words, 0..2_i32, 0..3_i32, prop::option::of(any::<i32>())).prop_map(
        |((code, message, worker), kind, origin, at)| {
            let timestamp = at.map(|seconds| Timestamp {
                seconds: seconds.into(),
                nanos: 5,
            });
            Document::Error(ErrorDocument {
                error: Some(ContainerError {
                    code,
                    message,
                    kind,
                    origin,
                    timestamp,
                    worker,
                }),
            })
        },
    );
    prop_oneof![
        values,
        interface,
        error,
        any_variables().prop_map(Document::Variables),
        Just(Document::Error(ErrorDocument::default())),
    ]
}

proptest! {
    #[test]
    fn the_json_of_a_document_is_the_document(document in any_document()) {
        prop_assert_eq!(Document::from_json(&document.to_json()).unwrap(), document);
    }

    #[test]
    fn its_yaml_has_the_same_content_as_its_json(document in any_document()) {
        let read = Document::from_text(&document.to_yaml()).unwrap();
        prop_assert_eq!(read, document);
    }

    #[test]
    fn a_document_that_is_decoded_as_its_kind_is_the_same(document in any_document()) {
        let read = Document::decode(&document.encode(), "", Some(document.kind())).unwrap();
        prop_assert_eq!(read.encode(), document.encode());
    }

    #[test]
    fn its_words_are_lines_that_cannot_act(document in any_document()) {
        prop_assert!(!document.in_words().lines().any(|line| line.contains(char::is_control)));
    }

    #[test]
    fn words_of_a_type_read_back(declared in any_plain_type()) {
        prop_assert_eq!(parse_type(&type_words(&declared)).unwrap(), declared);
    }

    #[test]
    fn nothing_panics(bytes: Vec<u8>, text: String, words in "[a-z\\[\\]|?,\" ()]{0,30}") {
        let _ = Document::decode(&bytes, "", None);
        let _ = Document::from_text(&text);
        let _ = parse_type(&text);
        let _ = parse_type(&words);
        let _ = Given::parse(&text);
    }
}

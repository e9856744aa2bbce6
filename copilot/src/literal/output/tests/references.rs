//! Files that hold references in the place of data.

use super::types::{list_of, map_of, typed};
use super::*;
use crate::idl::{
    Literal, SchemaType, StructuredDatasetType, UnionType, literal, literal_type::Type, scalar,
};

const SINGLE: BlobDimensionality = BlobDimensionality::Single;
const MULTIPART: BlobDimensionality = BlobDimensionality::Multipart;

/// Plans with references, of which those that begin with `s3:` are good.
fn planned(kind: Type, view: &Fake) -> Result<OutputPlan, OutputError> {
    let outputs = interface([("o", kind)]);
    plan_references(&outputs, view, OutputOptions::default(), |text| {
        let good = text.starts_with("s3:");
        good.then_some(()).ok_or_else(|| format!("{text} is bad"))
    })
}

/// The references in a literal, in order.
fn uris(literal: &Literal) -> Vec<&str> {
    match literal.value.as_ref().unwrap() {
        literal::Value::Scalar(scalar) => match scalar.value.as_ref().unwrap() {
            scalar::Value::Blob(blob) => vec![&blob.uri],
            scalar::Value::Schema(schema) => vec![&schema.uri],
            scalar::Value::StructuredDataset(dataset) => vec![&dataset.uri],
            scalar::Value::Union(union) => uris(union.value.as_deref().unwrap()),
            _ => vec![],
        },
        literal::Value::Collection(list) => list.literals.iter().flat_map(uris).collect(),
        literal::Value::Map(map) => map.literals.values().flat_map(uris).collect(),
        literal::Value::OffloadedMetadata(_) => vec![],
    }
}

#[test]
fn the_line_becomes_the_literal_and_nothing_is_uploaded() {
    let union = |variants: [Type; 2]| {
        Type::UnionType(UnionType {
            variants: variants.map(typed).into(),
        })
    };
    let dataset = || Type::StructuredDatasetType(StructuredDatasetType::default());
    for kind in [
        blob(SINGLE),
        blob(MULTIPART),
        Type::Schema(SchemaType::default()),
        dataset(),
        // A reference is more exact than a text.
        union([simple(SimpleType::String), blob(SINGLE)]),
        union([simple(SimpleType::None), dataset()]),
    ] {
        for (name, content) in [("o", "s3://b/k"), ("o.csv", " s3://b/k\n\n")] {
            let view = Fake::new([(name, file(content))]);
            let plan = planned(kind.clone(), &view).unwrap();
            assert_eq!(plan.blobs, []);
            assert_eq!(uris(&plan.literals.literals["o"]), ["s3://b/k"], "{kind:?}");
        }
    }
    let nested = map_of(list_of(blob(MULTIPART)));
    let view = Fake::new([("o/k/0", file("s3://b/0")), ("o/k/1.d", file("s3://b/1"))]);
    let plan = planned(nested, &view).unwrap();
    assert_eq!(uris(&plan.literals.literals["o"]), ["s3://b/0", "s3://b/1"]);
}

#[test]
fn the_declared_type_is_kept() {
    let view = Fake::new([("o", file("s3://b/k"))]);
    let plan = planned(blob(MULTIPART), &view).unwrap();
    let expected = crate::idl::Blob {
        metadata: Some(crate::idl::BlobMetadata {
            r#type: Some(BlobType {
                format: "csv".to_owned(),
                dimensionality: MULTIPART.into(),
            }),
        }),
        uri: "s3://b/k".to_owned(),
    };
    let expected: Literal = scalar::Value::Blob(expected).into();
    assert_eq!(plan.literals.literals["o"], expected);
}

#[test]
fn anything_but_a_reference_is_refused_by_name() {
    let long = format!("s3://b/{}", "x".repeat(20_000));
    for (node, words) in [
        (file(""), "it is empty"),
        (file(" \n"), "it is empty"),
        (file("s3://b/k\ns3://b/l\n"), "several lines"),
        (file("hello"), "hello is bad"),
        (file(&long), "but a reference has at most"),
        (Node::File(vec![0xff, 0xfe]), "not UTF-8"),
        (Node::Directory, "it is a directory"),
        (Node::Pipe, "named pipe"),
        (Node::Locked, "cannot read"),
    ] {
        let view = Fake::new([("o", node)]);
        let message = planned(blob(SINGLE), &view).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
        assert!(message.contains("/out/o"), "{message}");
    }
    let view = Fake::new([]);
    let message = planned(blob(SINGLE), &view).unwrap_err().to_string();
    assert!(message.contains("file not found"), "{message}");
}

#[test]
fn simple_values_are_read_as_ever() {
    let view = Fake::new([("o", file("s3://b/k\n"))]);
    let plan = planned(simple(SimpleType::String), &view).unwrap();
    let expected: Literal = primitive::Value::StringValue("s3://b/k".to_owned()).into();
    assert_eq!(plan.literals.literals["o"], expected);
}

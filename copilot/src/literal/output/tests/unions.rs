//! Which variant of a union it is.

use super::types::{int, list, list_of, map, map_of, one_of, read, refusal, text, typed};
use super::*;
use crate::idl::{
    Literal, StructuredDatasetType, TypeStructure, Union, UnionType, Void, literal_type::Type,
    scalar,
};

fn union_of(variants: &[Type]) -> Type {
    let variants = variants.iter().cloned().map(typed).collect();
    Type::UnionType(UnionType { variants })
}

fn as_variant(variant: Type, value: Literal) -> Literal {
    scalar::Value::Union(Box::new(Union {
        value: Some(Box::new(value)),
        r#type: Some(typed(variant)),
    }))
    .into()
}

fn none() -> Literal {
    scalar::Value::NoneType(Void {}).into()
}

/// The type of the variant that was chosen, in words, and what it holds.
fn chosen(literal: &Literal) -> (String, Literal) {
    let Some(crate::idl::literal::Value::Scalar(scalar)) = &literal.value else {
        panic!("{literal:?}")
    };
    let Some(scalar::Value::Union(union)) = &scalar.value else {
        panic!("{literal:?}")
    };
    let declared = union.r#type.as_ref().unwrap().to_string();
    (declared, union.value.as_deref().unwrap().clone())
}

/// Every variant that a file may be, in the wrong order.
fn everything() -> Type {
    union_of(&[
        blob(BlobDimensionality::Single),
        simple(SimpleType::String),
        simple(SimpleType::Binary),
        blob(BlobDimensionality::Multipart),
        map_of(simple(SimpleType::Integer)),
        list_of(simple(SimpleType::Integer)),
        simple(SimpleType::Struct),
        one_of(&["red"]),
        simple(SimpleType::Duration),
        simple(SimpleType::Datetime),
        simple(SimpleType::Float),
        simple(SimpleType::Integer),
        simple(SimpleType::Boolean),
        simple(SimpleType::None),
    ])
}

#[test]
fn the_most_exact_variant_counts() {
    for (content, variant) in [
        ("", "none"),
        ("null\n", "none"),
        ("true", "boolean"),
        ("False\n", "boolean"),
        ("1", "integer"),
        ("0", "integer"),
        ("-7", "integer"),
        ("9223372036854775808", "float"),
        ("1.5", "float"),
        ("3e0", "float"),
        ("NaN", "float"),
        ("2021-03-04T05:06:07Z", "datetime"),
        ("1h", "duration"),
        ("red", "enum of \"red\""),
        ("{\"a\": 1}", "struct"),
        ("[1, 2]", "list of integer"),
        ("t", "boolean"),
        ("[1, \"x\"]", "string"),
        ("{\"a\": 1} x", "string"),
        ("blue", "string"),
        ("\n", "string"),
    ] {
        let literal = read(everything(), &Fake::new([("o", file(content))]));
        assert_eq!(chosen(&literal).0, variant, "{content:?}");
    }
    let view = Fake::new([("o", Node::File(vec![0xff]))]);
    assert_eq!(chosen(&read(everything(), &view)).0, "binary");
    let view = Fake::new([("o", Node::File(vec![b'x'; (1 << 20) + 1]))]);
    assert_eq!(chosen(&read(everything(), &view)).0, "file");
}

#[test]
fn a_directory_is_a_list_a_map_or_itself() {
    for (nodes, variant) in [
        (vec!["o/0", "o/1"], "list of integer"),
        (vec!["o/0", "o/k"], "map of integer"),
        (vec!["o/0/k"], "directory"),
    ] {
        let view = Fake(
            nodes
                .into_iter()
                .map(|name| (name.into(), file("1")))
                .collect(),
        );
        let literal = read(everything(), &view);
        assert_eq!(chosen(&literal).0, variant);
        let plan = run(&interface([("o", everything())]), &view).unwrap();
        assert_eq!(plan.blobs.len(), usize::from(variant == "directory"));
    }
    // What an attempt noted is forgotten if it fails: the first element would have been uploaded.
    let declared = union_of(&[
        list_of(blob(BlobDimensionality::Single)),
        blob(BlobDimensionality::Multipart),
    ]);
    let view = Fake::new([("o/0", file("")), ("o/1/x", file(""))]);
    let plan = run(&interface([("o", declared)]), &view).unwrap();
    assert_eq!(plan.blobs.len(), 1);
    assert_eq!(plan.blobs[0].path, Path::new("o"));
}

#[test]
fn an_optional_output_may_be_missing_or_empty() {
    for inner in [
        simple(SimpleType::Integer),
        simple(SimpleType::String),
        blob(BlobDimensionality::Single),
        blob(BlobDimensionality::Multipart),
        list_of(simple(SimpleType::Integer)),
    ] {
        for variants in [
            [inner.clone(), simple(SimpleType::None)],
            [simple(SimpleType::None), inner.clone()],
        ] {
            let expected = as_variant(simple(SimpleType::None), none());
            for view in [Fake::default(), Fake::new([("o", file(""))])] {
                assert_eq!(read(union_of(&variants), &view), expected);
            }
        }
        assert!(refusal(union_of(&[inner]), &Fake::default()).contains("not found"));
    }
    let optional = union_of(&[simple(SimpleType::Integer), simple(SimpleType::None)]);
    let blank = read(optional.clone(), &Fake::new([("o", file(" \n"))]));
    assert_eq!(blank, as_variant(simple(SimpleType::None), none()));
    // What is wrong is said as if the type were not optional.
    let message = refusal(optional.clone(), &Fake::new([("o", file("x"))]));
    assert!(
        message.contains("\"x\" is not a valid integer"),
        "{message}"
    );
    let fields = union_of(&[simple(SimpleType::Struct), simple(SimpleType::None)]);
    let message = refusal(fields.clone(), &Fake::new([("o", file("[1]"))]));
    assert!(message.contains("not a valid JSON object"), "{message}");
    for declared in [optional, fields] {
        for node in [Node::Denied, Node::Locked] {
            let message = refusal(declared.clone(), &Fake::new([("o", node)]));
            assert!(message.contains("fsGroup"), "{message}");
        }
    }
}

#[test]
fn an_extension_names_a_variant() {
    let dataset = |format: &str| {
        Type::StructuredDatasetType(StructuredDatasetType {
            format: format.to_owned(),
            ..StructuredDatasetType::default()
        })
    };
    let any_file = Type::Blob(BlobType::default());
    let declared = union_of(&[
        simple(SimpleType::String),
        simple(SimpleType::Integer),
        simple(SimpleType::Struct),
        any_file,
        blob(BlobDimensionality::Single),
        dataset(""),
        dataset("orc"),
    ]);
    for (name, variant) in [
        ("o", "integer"),
        ("o.string", "string"),
        ("o.STRING", "string"),
        ("o.txt", "string"),
        ("o.integer", "integer"),
        ("o.csv", "file"),
        ("o.orc", "structured dataset"),
        ("o.parquet", "structured dataset"),
        ("o.tar.gz", "file"),
    ] {
        let literal = read(declared.clone(), &Fake::new([(name, file("1"))]));
        assert_eq!(chosen(&literal).0, variant, "{name}");
    }
    // What is named must fit.
    let message = refusal(declared.clone(), &Fake::new([("o.json", file("1"))]));
    assert!(message.contains("JSON object"), "{message}");
    let message = refusal(declared, &Fake::new([("o.integer", file("x"))]));
    assert!(message.contains("not a valid integer"), "{message}");
}

#[test]
fn the_variant_keeps_its_tag() {
    let tagged = |tag: &str| LiteralType {
        structure: Some(TypeStructure {
            tag: tag.to_owned(),
            ..TypeStructure::default()
        }),
        ..typed(simple(SimpleType::String))
    };
    let declared = Type::UnionType(UnionType {
        variants: vec![tagged("one"), tagged("other")],
    });
    for (name, tag) in [("o", "one"), ("o.other", "other")] {
        let literal = read(declared.clone(), &Fake::new([(name, file("x"))]));
        let expected = scalar::Value::Union(Box::new(Union {
            value: Some(Box::new(text("x"))),
            r#type: Some(tagged(tag)),
        }));
        assert_eq!(literal, expected.into());
    }
}

#[test]
fn members_of_json_are_variants_by_their_kind() {
    let variants = union_of(&[
        simple(SimpleType::String),
        simple(SimpleType::Float),
        simple(SimpleType::Integer),
        simple(SimpleType::Boolean),
        simple(SimpleType::None),
        map_of(simple(SimpleType::Integer)),
    ]);
    let json = r#"[null, true, 1, 1.5, "1", "true", {"a": 1}]"#;
    let literal = read(list_of(variants), &Fake::new([("o", file(json))]));
    let float = |value| Literal::from(primitive::Value::FloatValue(value));
    let truth = Literal::from(primitive::Value::Boolean(true));
    let expected = list([
        as_variant(simple(SimpleType::None), none()),
        as_variant(simple(SimpleType::Boolean), truth),
        as_variant(simple(SimpleType::Integer), int(1)),
        as_variant(simple(SimpleType::Float), float(1.5)),
        as_variant(simple(SimpleType::String), text("1")),
        as_variant(simple(SimpleType::String), text("true")),
        as_variant(map_of(simple(SimpleType::Integer)), map([("a", int(1))])),
    ]);
    assert_eq!(literal, expected);
    let bounded = list_of(union_of(&[
        simple(SimpleType::Integer),
        simple(SimpleType::Boolean),
    ]));
    let message = refusal(bounded, &Fake::new([("o", file("[1, \"x\"]"))]));
    assert!(
        message.contains("$[1]") && message.contains("integer | boolean"),
        "{message}"
    );
}

#[test]
fn a_union_that_nothing_fits_says_what_it_may_be() {
    let declared = union_of(&[simple(SimpleType::Integer), simple(SimpleType::Duration)]);
    let message = refusal(declared, &Fake::new([("o", file("x"))]));
    assert!(message.contains("union of integer | duration"), "{message}");
    let message = refusal(everything(), &Fake::new([("o", Node::Pipe)]));
    assert!(message.contains("named pipe"), "{message}");
}

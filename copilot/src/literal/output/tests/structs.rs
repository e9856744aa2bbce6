//! Structs whose types flytekit marks as MessagePack.

use super::*;
use crate::idl::literal_type::Type;
use crate::idl::{
    Literal, LiteralCollection, Struct, TypeAnnotation, TypeStructure, Value, scalar, value,
};
use crate::literal::msgpack;

fn fields(name: &str, value: impl Into<Value>) -> Struct {
    Struct {
        fields: [(name.to_owned(), value.into())].into(),
    }
}

/// A STRUCT as flytekit declares it, with its JSON schema's type.
fn marked(schema: Option<&str>) -> LiteralType {
    let text = |text: &str| value::Kind::StringValue(text.to_owned());
    let format = fields("serialization-format", text("msgpack"));
    let annotations = fields("cache-key-metadata", value::Kind::StructValue(format));
    LiteralType {
        r#type: Some(Type::Simple(SimpleType::Struct.into())),
        metadata: schema.map(|kind| fields("type", text(kind))),
        annotation: Some(TypeAnnotation {
            annotations: Some(annotations),
        }),
        ..LiteralType::default()
    }
}

fn kind(kind: Type) -> LiteralType {
    LiteralType {
        r#type: Some(kind),
        ..LiteralType::default()
    }
}

fn collection(literals: Vec<Literal>) -> Literal {
    literal::Value::Collection(LiteralCollection { literals }).into()
}

fn packed(value: &serde_json::Value) -> Literal {
    text::binary(msgpack::encode(value).unwrap())
}

fn planned(
    declared: LiteralType,
    file: &str,
    content: &str,
    structs: StructOutputs,
) -> Result<Literal, OutputError> {
    let view = Fake::new([(file, Node::File(content.as_bytes().to_vec()))]);
    let options = OutputOptions {
        structs,
        ..OutputOptions::default()
    };
    let variable = Variable {
        r#type: Some(declared),
        description: String::new(),
    };
    let entry = VariableEntry {
        key: "o".to_owned(),
        value: Some(variable),
    };
    let outputs = VariableMap {
        variables: vec![entry],
    };
    let plan = plan(&outputs, &view, options, |_| String::new())?;
    Ok(plan.literals.literals["o"].clone())
}

fn written(declared: LiteralType, file: &str, content: &str) -> Result<Literal, OutputError> {
    planned(declared, file, content, StructOutputs::Declared)
}

#[test]
fn a_marked_struct_is_messagepack_with_its_whole_numbers() {
    let expected = serde_json::json!({"a": i64::MAX, "b": u64::MAX, "c": [1.0, -1, null, "x"]});
    let json =
        r#"{"a": 9223372036854775807, "b": 18446744073709551615, "c": [1.0, -1, null, "x"]}"#;
    let yaml = "a: 9223372036854775807\nb: 18446744073709551615\nc: [1.0, -1, null, x]\n";
    for schema in [None, Some("object")] {
        for (file, content) in [("o", json), ("o.json", json), ("o.yaml", yaml)] {
            let literal = written(marked(schema), file, content).unwrap();
            assert_eq!(literal, packed(&expected), "{file}");
        }
    }
    // As in a protobuf Struct.
    assert_eq!(
        written(marked(None), "o", "null").unwrap(),
        packed(&serde_json::json!({}))
    );
    assert_eq!(
        written(marked(None), "o", r#"{"a": "\ud83d"} more"#).unwrap(),
        packed(&serde_json::json!({"a": "\u{fffd}"}))
    );
}

#[test]
fn other_structs_and_a_platform_without_messagepack_get_a_protobuf_struct() {
    let expected: Literal =
        scalar::Value::Generic(fields("a", value::Kind::NumberValue(1.0))).into();
    let unmarked = kind(Type::Simple(SimpleType::Struct.into()));
    let mut of_another_format = marked(None);
    of_another_format.annotation = Some(TypeAnnotation {
        annotations: Some(fields(
            "serialization-format",
            value::Kind::StringValue("msgpack".to_owned()),
        )),
    });
    for (declared, structs) in [
        (unmarked, StructOutputs::Declared),
        (of_another_format, StructOutputs::Declared),
        (marked(None), StructOutputs::Protobuf),
    ] {
        let list = kind(Type::CollectionType(Box::new(declared.clone())));
        for (file, content) in [("o", "{\"a\": 1}"), ("o.yaml", "a: 1")] {
            let literal = planned(declared.clone(), file, content, structs).unwrap();
            assert_eq!(literal, expected);
        }
        let literal = planned(list, "o", "[{\"a\": 1}]", structs).unwrap();
        assert_eq!(literal, collection(vec![expected.clone()]));
    }
}

#[test]
fn members_of_lists_maps_and_unions_are_marked_too() {
    let value = packed(&serde_json::json!({"a": 1}));
    let list = kind(Type::CollectionType(Box::new(marked(None))));
    let literal = written(list.clone(), "o.json", "[{\"a\": 1}, {\"a\": 1}]").unwrap();
    assert_eq!(literal, collection(vec![value.clone(), value.clone()]));
    let map = kind(Type::MapValueType(Box::new(marked(None))));
    let literal = written(map, "o.yaml", "k: {a: 1}").unwrap();
    let expected = LiteralMap {
        literals: [("k".to_owned(), value.clone())].into(),
    };
    assert_eq!(literal, literal::Value::Map(expected).into());
    let none = kind(Type::Simple(SimpleType::None.into()));
    let optional = kind(Type::UnionType(crate::idl::UnionType {
        variants: vec![marked(None), none],
    }));
    let literal = written(optional, "o", "{\"a\": 1}").unwrap();
    assert_eq!(literal, union::wrap(&marked(None), value));
    // Marks of a list itself change nothing: flytekit reads the list.
    let mut marked_list = kind(Type::CollectionType(Box::new(kind(Type::Simple(
        SimpleType::Integer.into(),
    )))));
    marked_list.annotation = marked(None).annotation;
    let literal = written(marked_list, "o", "[1]").unwrap();
    assert_eq!(
        literal,
        collection(vec![primitive::Value::Integer(1).into()])
    );
}

#[test]
fn numbers_are_what_the_members_declare() {
    let simple = |simple: SimpleType| kind(Type::Simple(simple.into()));
    let (float, integer) = (simple(SimpleType::Float), simple(SimpleType::Integer));
    let union = |variants| kind(Type::UnionType(crate::idl::UnionType { variants }));
    let with = |members: Vec<(&str, LiteralType)>| {
        let members = members.into_iter();
        let members = members.map(|(name, declared)| (name.to_owned(), declared));
        LiteralType {
            structure: Some(TypeStructure {
                dataclass_type: members.collect(),
                ..TypeStructure::default()
            }),
            ..marked(Some("object"))
        }
    };
    let declared = with(vec![
        ("float", float.clone()),
        ("integer", integer.clone()),
        (
            "optional",
            union(vec![float.clone(), simple(SimpleType::None)]),
        ),
        ("either", union(vec![float.clone(), integer.clone()])),
        ("list", kind(Type::CollectionType(Box::new(float.clone())))),
        ("map", kind(Type::MapValueType(Box::new(integer.clone())))),
        ("inner", with(vec![("float", float.clone())])),
        ("text", simple(SimpleType::String)),
        ("missing", float.clone()),
    ]);
    let json = r#"{"float": 1, "integer": 2.0, "optional": 3, "either": 4, "list": [5, 6.5, null],
        "map": {"k": 7.0, "half": 7.5}, "inner": {"float": -8, "undeclared": 9}, "text": 10}"#;
    let expected = serde_json::json!({
        "float": 1.0, "integer": 2, "optional": 3.0, "either": 4, "list": [5.0, 6.5, null],
        "map": {"k": 7, "half": 7.5}, "inner": {"float": -8.0, "undeclared": 9}, "text": 10
    });
    assert_eq!(
        written(declared.clone(), "o", json).unwrap(),
        packed(&expected)
    );
    // Whatever a double would change stays.
    let json = r#"{"float": 9007199254740993, "integer": 1e300}"#;
    let expected = serde_json::json!({"float": 9_007_199_254_740_993_i64, "integer": 1e300});
    let list = kind(Type::CollectionType(Box::new(declared)));
    assert_eq!(
        written(list, "o", &format!("[{json}]")).unwrap(),
        collection(vec![packed(&expected)])
    );
}

#[test]
fn only_a_schema_that_says_so_makes_a_struct_something_else() {
    for content in ["[1]", "1", "\"x\"", "true"] {
        for schema in [None, Some("object")] {
            let error = written(marked(schema), "o", content)
                .unwrap_err()
                .to_string();
            assert!(error.contains("not an object"), "{error}");
            let list = kind(Type::CollectionType(Box::new(marked(schema))));
            let error = written(list, "o", &format!("[{content}]"))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("$[0]") && error.contains("an object"),
                "{error}"
            );
        }
        let value: serde_json::Value = serde_json::from_str(content).unwrap();
        assert_eq!(
            written(marked(Some("array")), "o", content).unwrap(),
            packed(&value)
        );
    }
}

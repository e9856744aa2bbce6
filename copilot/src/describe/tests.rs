//! Documents there and back, types there and back, and arguments.

use std::fs;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::idl::blob_type::BlobDimensionality;
use crate::idl::literal_type::Type;
use crate::idl::{
    Binary, Blob, BlobMetadata, BlobType, ContainerError, EnumType, Error as ErrorLiteral,
    ErrorDocument, Literal, LiteralCollection, LiteralMap, LiteralType, Message as _, SimpleType,
    Struct, StructuredDatasetType, Timestamp, TypeStructure, TypedInterface, Union, UnionType,
    Variable, VariableEntry, VariableMap, Void, literal, primitive, scalar, value,
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

fn kind_of(bytes: &[u8], name: &str) -> DocumentKind {
    Document::decode(bytes, name, None).unwrap().kind()
}

#[test]
fn bytes_show_which_message_they_are() {
    let variables = |name: &str| {
        let declared = parse_type("list[file[csv]]").unwrap();
        VariableMap {
            variables: vec![VariableEntry {
                key: name.to_owned(),
                value: Some(Variable {
                    r#type: Some(declared),
                    ..Variable::default()
                }),
            }],
        }
    };
    for name in ["x", "result", "a_long_name", "n0"] {
        let literal = Literal::from(primitive::Value::Integer(3));
        let literals = [(name.to_owned(), literal)].into();
        let values = LiteralMap { literals }.encode_to_vec();
        assert_eq!(kind_of(&values, ""), DocumentKind::Values, "{name}");
        for (inputs, outputs) in [(true, false), (false, true), (true, true)] {
            let interface = TypedInterface {
                inputs: inputs.then(|| variables(name)),
                outputs: outputs.then(|| variables(name)),
            };
            let bytes = interface.encode_to_vec();
            assert_eq!(kind_of(&bytes, ""), DocumentKind::Interface, "{name}");
        }
        let bytes = variables(name).encode_to_vec();
        assert_eq!(kind_of(&bytes, ""), DocumentKind::Variables, "{name}");
        let error = ErrorDocument {
            error: Some(ContainerError {
                code: name.to_owned(),
                message: format!("{name} failed"),
                kind: 1,
                origin: 1,
                ..ContainerError::default()
            }),
        };
        let bytes = error.encode_to_vec();
        assert_eq!(kind_of(&bytes, "x.pb"), DocumentKind::Error, "{name}");
    }
    assert_eq!(kind_of(b"", ""), DocumentKind::Values);
    assert_eq!(kind_of(b"", "errors.pb"), DocumentKind::Error);
    let error = Document::decode(b"this is a text", "", None).unwrap_err();
    assert!(
        error.to_string().contains("none of the messages"),
        "{error}"
    );
}

#[test]
fn short_and_long_names_of_types() {
    for (short, long) in [
        ("int", "integer"),
        ("str", "string"),
        ("bool?", "boolean | none"),
        ("optional[int]", "integer | none"),
        ("list[dict]", "list[struct]"),
        ("map[ file[ tar.gz ] ]", "map[file[tar.gz]]"),
        ("dir", "directory"),
        ("table[parquet]", "dataset[parquet]"),
        ("enum[a, b c]", "enum[a, \"b c\"]"),
        ("(int|str)?", "union[integer | string, none]"),
        ("INTEGER|File", "integer | file"),
    ] {
        assert_eq!(type_words(&parse_type(short).unwrap()), long, "{short}");
        let again = parse_type(long).unwrap();
        assert_eq!(again, parse_type(short).unwrap(), "{long}");
    }
    for (words, rule) in [
        ("", "a name is missing"),
        ("integr", "\"integr\" is unknown"),
        ("list", "'[' must follow list"),
        ("list[int", "']' must follow"),
        ("int int", "follows the type"),
        ("enum[\"a]", "does not end"),
        (&"list[".repeat(100), "nests deeper"),
    ] {
        let error = parse_type(words).unwrap_err().to_string();
        assert!(error.contains(rule), "{words}: {error}");
    }
}

fn read(arguments: &[&str]) -> Result<Inputs, GivenError> {
    let given = arguments.iter().map(|argument| Given::parse(argument));
    let given: Vec<Given> = given.collect::<Result<_, _>>()?;
    Inputs::read(None, &given, None)
}

#[test]
fn values_show_their_types() {
    for (argument, words, value) in [
        ("x=3", "integer", json!(3)),
        ("x=0.5", "float", json!(0.5)),
        ("x=1e3", "float", json!(1000)),
        ("x=true", "boolean", json!(true)),
        ("x=null", "none", json!(null)),
        ("x=Ann", "string", json!("Ann")),
        ("x=", "string", json!("")),
        ("x=a=b:c", "string", json!("a=b:c")),
        ("x=007", "string", json!("007")),
        ("x=\"3\"", "string", json!("\"3\"")),
        ("x=@@home", "string", json!("@home")),
        ("x=[1, 2]", "list[integer]", json!([1, 2])),
        ("x=[1, 0.5]", "list[float]", json!([1, 0.5])),
        ("x={\"a\": [1]}", "struct", json!({"a": [1]})),
        (
            "x=2021-03-04T05:06:07Z",
            "datetime",
            json!("2021-03-04T05:06:07Z"),
        ),
        ("x=s3://b/k", "string", json!("s3://b/k")),
        ("x:string=3", "string", json!("3")),
        ("x:float=3", "float", json!(3)),
        ("x:duration=1h30m", "duration", json!(5_400_000_000_000_i64)),
        ("x:file[csv]=s3://b/k", "file[csv]", json!("s3://b/k")),
        ("x:enum[a,b]=b", "string", json!("b")),
        ("x:list[str]=[a, b]", "list[string]", json!(["a", "b"])),
        ("x:list[str]=[]", "list[none]", json!([])),
        ("x:map[int]={\"a\": 1}", "map[integer]", json!({"a": 1})),
        ("x:int?=", "union[none]", json!(null)),
        ("x:int?=4", "union[integer]", json!(4)),
        ("x:int|str=four", "union[string]", json!("four")),
        ("x:struct={}", "struct", json!({})),
        ("x:none=", "none", json!(null)),
    ] {
        let read = read(&[argument]).unwrap_or_else(|error| panic!("{argument}: {error}"));
        let shown = Document::Values(read.literals).to_json();
        assert_eq!(shown["types"]["x"], *words, "{argument}");
        assert_eq!(shown["values"]["x"], value, "{argument}");
    }
}

#[test]
fn local_files_become_references_or_values() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).display().to_string();
    fs::create_dir(path("folder")).unwrap();
    fs::write(path("table.csv"), "a\n").unwrap();
    fs::write(path("options.yaml"), "a: 1\n").unwrap();
    fs::write(path("text"), "42\n").unwrap();
    for (argument, words, value) in [
        (
            format!("x=@{}", path("table.csv")),
            "file",
            format!("file://{}", path("table.csv")),
        ),
        (
            format!("x=@{}/", path("folder")),
            "directory",
            format!("file://{}", path("folder")),
        ),
        (
            format!("x:dataset[csv]=@{}", path("folder")),
            "dataset[csv]",
            format!("file://{}", path("folder")),
        ),
    ] {
        let read = read(&[&argument]).unwrap_or_else(|error| panic!("{argument}: {error}"));
        let shown = Document::Values(read.literals).to_json();
        assert_eq!(shown["types"]["x"], *words, "{argument}");
        assert_eq!(shown["values"]["x"], *value, "{argument}");
    }
    for (argument, value) in [
        (
            format!("x:struct=@{}", path("options.yaml")),
            json!({"a": 1}),
        ),
        (format!("x:int=@{}", path("text")), json!(42)),
        (format!("x:string=@{}", path("text")), json!("42")),
        (
            format!("x:list[file]=[\"@{}\"]", path("text")),
            json!([format!("file://{}", path("text"))]),
        ),
    ] {
        let read = read(&[&argument]).unwrap_or_else(|error| panic!("{argument}: {error}"));
        let shown = Document::Values(read.literals).to_json();
        assert_eq!(shown["values"]["x"], value, "{argument}");
    }
    for (argument, rule) in [
        (format!("x:file=@{}", path("folder")), "is a directory"),
        (format!("x:dir=@{}", path("text")), "is a file"),
        (format!("x=@{}", path("nothing")), "cannot be read"),
        ("x:file=table.csv".to_owned(), "x=@PATH"),
    ] {
        let error = read(&[&argument]).unwrap_err().to_string();
        assert!(error.contains(rule), "{argument}: {error}");
    }
}

#[test]
fn arguments_that_give_nothing_are_refused() {
    for (arguments, rule) in [
        (&["=3"][..], "has no name"),
        (&["x"], "neither a type nor a value"),
        (&["x:int"], "a type and no value"),
        (&["x:integr=3"], "is unknown"),
        (&["x=1", "x=2"], "given twice"),
        (&["x:int=a"], "not a valid integer"),
        (&["x:list[int]=[\"a\"]"], "at $[0]"),
        (&["x=[]"], "does not show the type"),
        (&["x=[1, \"a\"]"], "different types"),
        (&["x:enum[a,b]=c"], "write one of"),
        (&["x:none=3"], "write null"),
        (&["x:map[int]=7"], "write an object"),
    ] {
        let error = read(arguments).unwrap_err().to_string();
        assert!(error.contains(rule), "{arguments:?}: {error}");
    }
}

#[test]
fn an_interface_gives_the_types_and_checks_the_names() {
    let interface = |types: &[(&str, &str)]| VariableMap {
        variables: types
            .iter()
            .map(|(name, words)| VariableEntry {
                key: (*name).to_owned(),
                value: Some(Variable {
                    r#type: Some(parse_type(words).unwrap()),
                    ..Variable::default()
                }),
            })
            .collect(),
    };
    let read = |arguments: &[&str], document: Option<serde_json::Value>| {
        let given: Vec<Given> = arguments
            .iter()
            .map(|argument| Given::parse(argument).unwrap())
            .collect();
        let declared = interface(&[("x", "string"), ("y", "float")]);
        Inputs::read(document.as_ref(), &given, Some(&declared))
    };
    let inputs = read(&["x=3"], Some(json!({"y": 1, "x": "document"}))).unwrap();
    let shown = Document::Values(inputs.literals).to_json();
    assert_eq!(shown["types"], json!({"x": "string", "y": "float"}));
    assert_eq!(shown["values"]["x"], "3");
    for (arguments, rule) in [
        (&["x=3"][..], "not given: y"),
        (&["x=3", "y=1", "z=1"], "no input z: it has x, y"),
        (&["x:int=3", "y=1"], "leave the type out"),
    ] {
        let error = read(arguments, None).unwrap_err().to_string();
        assert!(error.contains(rule), "{arguments:?}: {error}");
    }
}

#[test]
fn words_for_people() {
    let literals = read(&["x=3", "data:file[csv]=s3://b/t.csv"])
        .unwrap()
        .literals;
    assert_eq!(
        Document::Values(literals).in_words(),
        "2 values\n  data  file[csv]  \"s3://b/t.csv\"\n  x     integer    3\n"
    );
    assert_eq!(human_size(0), "0 B");
    assert_eq!(human_size(1023), "1023 B");
    assert_eq!(human_size(1536), "1.5 KiB");
    assert_eq!(human_size(u64::MAX), "16777215.9 TiB");
    let dimensionality = BlobDimensionality::Multipart.into();
    let blob = typed(Type::Blob(BlobType {
        dimensionality,
        ..BlobType::default()
    }));
    assert_eq!(type_words(&blob), "directory");
    assert_eq!(
        type_words(&typed(Type::Simple(SimpleType::Struct.into()))),
        "struct"
    );
}

//! The types that the reference refuses: enumerations, lists, maps, structs of YAML, tables.

use std::cell::Cell;

use super::*;
use crate::idl::{
    EnumType, Literal, LiteralCollection, Schema, SchemaType, StructuredDatasetType, UnionType,
    literal, literal_type::Type, scalar,
};
use crate::literal::render::{Binaries, write_json};

pub fn typed(kind: Type) -> LiteralType {
    LiteralType {
        r#type: Some(kind),
        ..LiteralType::default()
    }
}

pub fn list_of(kind: Type) -> Type {
    Type::CollectionType(Box::new(typed(kind)))
}

pub fn map_of(kind: Type) -> Type {
    Type::MapValueType(Box::new(typed(kind)))
}

pub fn one_of(values: &[&str]) -> Type {
    Type::EnumType(EnumType {
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    })
}

pub fn int(value: i64) -> Literal {
    primitive::Value::Integer(value).into()
}

pub fn text(value: &str) -> Literal {
    primitive::Value::StringValue(value.to_owned()).into()
}

pub fn list<const N: usize>(literals: [Literal; N]) -> Literal {
    let literals = literals.into();
    literal::Value::Collection(LiteralCollection { literals }).into()
}

pub fn map<const N: usize>(entries: [(&str, Literal); N]) -> Literal {
    let literals = entries.map(|(key, value)| (key.to_owned(), value)).into();
    literal::Value::Map(LiteralMap { literals }).into()
}

/// The literal of the output `o`.
pub fn read(declared: Type, view: &Fake) -> Literal {
    let plan = run(&interface([("o", declared)]), view);
    plan.unwrap().literals.literals.remove("o").unwrap()
}

pub fn refusal(declared: Type, view: &Fake) -> String {
    refused(&interface([("o", declared)]), view)
}

#[test]
fn an_enumeration_has_its_values_only() {
    let declared = || one_of(&["red", "", " green "]);
    for (content, value) in [("red\n", "red"), ("\n", ""), (" green ", " green ")] {
        assert_eq!(
            read(declared(), &Fake::new([("o", file(content))])),
            text(value)
        );
    }
    let message = refusal(declared(), &Fake::new([("o", file("blue"))]));
    assert!(
        message.contains("\"blue\"") && message.contains("\"red\""),
        "{message}"
    );
    let message = refusal(declared(), &Fake::new([("o", Node::File(vec![0xff]))]));
    assert!(message.contains("not UTF-8"), "{message}");
    let many: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let message = refusal(one_of(&many), &Fake::new([("o", file("blue"))]));
    assert!(
        message.contains("992 others") && message.len() < 300,
        "{message}"
    );
}

#[test]
fn a_list_is_a_directory_of_indexes() {
    let integers = || list_of(simple(SimpleType::Integer));
    let view = Fake::new([("o", Node::Directory)]);
    assert_eq!(read(integers(), &view), list([]));
    let names: Vec<String> = (0..11).map(|index| format!("o/{index}")).collect();
    let view = Fake(
        names
            .iter()
            .map(|name| (name.into(), file(&name[2..])))
            .collect(),
    );
    let eleven: Vec<Literal> = (0..11).map(int).collect();
    let expected = literal::Value::Collection(LiteralCollection { literals: eleven });
    assert_eq!(read(integers(), &view), expected.into());
    for (nodes, words) in [
        (["o/0", "o/2"], "has 2 elements, but element 1 is missing"),
        (["o/1", "o/2"], "but element 0 is missing"),
        (["o/0", "o/x"], "holds \"x\""),
        (["o/0", "o/01"], "holds \"01\""),
        (["o/0", "o/+1"], "holds \"+1\""),
        (["o/0", "o/.hidden"], "holds \".hidden\""),
        (["o/0", "o/0.txt"], "ambiguous"),
    ] {
        let view = Fake::new(nodes.map(|name| (name, file("1"))));
        let message = refusal(integers(), &view);
        assert!(message.contains(words), "{message}");
    }
    let message = refusal(
        integers(),
        &Fake::new([("o/0", file("1")), ("o/1", file("x"))]),
    );
    assert!(message.contains("/out/o/1"), "{message}");
}

#[test]
fn files_in_lists_and_maps_are_uploaded_below_the_variable() {
    let files = list_of(blob(BlobDimensionality::Single));
    let maps = list_of(map_of(blob(BlobDimensionality::Multipart)));
    let outputs = interface([("o", files), ("p", maps)]);
    let view = Fake::new([
        ("o/0.csv", file("a")),
        ("o/1", file("b")),
        ("p/0/some.key/x", file("c")),
    ]);
    let remotes = |blob_names| {
        let options = OutputOptions {
            blob_names,
            ..OutputOptions::default()
        };
        let plan = plan(&outputs, &view, options, |names| names.join("/")).unwrap();
        let remotes = plan.blobs.iter().map(|blob| blob.remote.join("/"));
        remotes.collect::<Vec<_>>()
    };
    assert_eq!(
        remotes(BlobNames::KeepExtension),
        ["o/0.csv", "o/1", "p/0/some.key"]
    );
    assert_eq!(
        remotes(BlobNames::Reference),
        ["o/0", "o/1", "p/0/some.key"]
    );
}

#[test]
fn a_map_is_a_directory_of_keys() {
    let texts = || map_of(simple(SimpleType::String));
    let view = Fake::new([("o/a.b", file("1")), ("o/.c", file("2"))]);
    let expected = map([("a.b", text("1")), (".c", text("2"))]);
    assert_eq!(read(texts(), &view), expected);
    let nested = map_of(list_of(simple(SimpleType::Integer)));
    let view = Fake::new([("o/k/0", file("1")), ("o/l", file("[2, 3]"))]);
    let expected = map([("k", list([int(1)])), ("l", list([int(2), int(3)]))]);
    assert_eq!(read(nested, &view), expected);
}

#[test]
fn members_of_json_have_the_forms_of_the_inputs() {
    let table = [
        (SimpleType::Integer, "[1, -9223372036854775808]", "[1.0]"),
        (
            SimpleType::Float,
            r#"[1, 1.5, "NaN", "-Infinity"]"#,
            r#"["1.5"]"#,
        ),
        (SimpleType::String, r#"["", " a\n", "1"]"#, "[1]"),
        (SimpleType::Boolean, "[true, false]", "[1]"),
        (SimpleType::Datetime, r#"["2021-03-04T05:06:07.5Z"]"#, "[0]"),
        (SimpleType::Duration, r#"["1.5h", 90]"#, r#"["90"]"#),
        (SimpleType::Binary, r#"["AAE=", null]"#, r#"["AAE"]"#),
        (SimpleType::Error, r#"["it broke"]"#, "[null]"),
        (SimpleType::Struct, r#"[{"a": [1]}, null]"#, "[[]]"),
        (SimpleType::None, "[null]", "[0]"),
    ];
    for (kind, good, bad) in table {
        let declared = || list_of(simple(kind));
        let literal = read(declared(), &Fake::new([("o.json", file(good))]));
        // Written as the inputs are, it is the same text.
        let literals = LiteralMap {
            literals: [("o".to_owned(), literal)].into(),
        };
        let mut written = Vec::new();
        write_json(&literals, &Binaries::default(), &mut written).unwrap();
        let written: serde_json::Value = serde_json::from_slice(&written).unwrap();
        let mut expected: serde_json::Value = serde_json::from_str(good).unwrap();
        match kind {
            SimpleType::Duration => expected[0] = 5_400_000_000_000_i64.into(),
            SimpleType::Struct => expected[1] = serde_json::json!({}),
            _ => {}
        }
        assert_eq!(
            written["o"].to_string().replace(".0", ""),
            expected.to_string(),
            "{kind:?}"
        );
        let message = refusal(declared(), &Fake::new([("o", file(bad))]));
        assert!(message.contains("/out/o, at $[0]: "), "{message}");
    }
}

#[test]
fn json_that_is_not_a_list_is_refused_at_its_place() {
    let declared = || list_of(map_of(simple(SimpleType::Integer)));
    for (content, words) in [
        (
            r#"[{"k": 1}, {"a": 2, "b": "x"}]"#,
            "$[1][\"b\"]: it is the string \"x\"",
        ),
        ("{}", "$: it is an object; write an array"),
        ("[] []", "not a valid JSON array: trailing characters"),
        ("", "not a valid JSON array"),
        ("[1", "not a valid JSON array: EOF"),
    ] {
        let message = refusal(declared(), &Fake::new([("o", file(content))]));
        assert!(message.contains(words), "{message}");
    }
    let files = list_of(blob(BlobDimensionality::Single));
    let message = refusal(files, &Fake::new([("o", file("[\"a\"]"))]));
    assert!(message.contains("make a directory"), "{message}");
    let deep = "[".repeat(100_000);
    assert!(refusal(declared(), &Fake::new([("o", file(&deep))])).len() < 500);
}

#[test]
fn members_of_structs_count_as_values() {
    let objects = |count: usize| format!("{{\"a\": [{}]}}", vec!["{\"\":0}"; count].join(","));
    let one = || interface([("o", simple(SimpleType::Struct))]);
    let planned = |outputs: &VariableMap, content: &str| {
        let view = Fake::new([("o", file(content)), ("p", file(content))]);
        plan(outputs, &view, OutputOptions::default(), |_| String::new())
    };
    assert!(planned(&one(), &objects(80_000)).is_ok());
    let refused = planned(&one(), &objects(110_000)).unwrap_err().to_string();
    assert!(refused.contains("more than 100000 values"), "{refused}");
    // Those of all structs count together.
    let two = interface(["o", "p"].map(|name| (name, simple(SimpleType::Struct))));
    assert!(planned(&two, &objects(40_000)).is_ok());
    assert!(planned(&two, &objects(60_000)).is_err());
    // A member inside a text does not count.
    assert!(
        planned(
            &one(),
            &format!("{{\"a\": \"{}\\\"\"}}", "[{,".repeat(300_000))
        )
        .is_ok()
    );
}

#[test]
fn too_many_values_are_refused() {
    let many = format!("[{}0]", "0,".repeat(100_000));
    let message = refusal(
        list_of(simple(SimpleType::Integer)),
        &Fake::new([("o", file(&many))]),
    );
    assert!(message.contains("more than 100000 values"), "{message}");

    // A directory of a million entries is not even listed to its end.
    let seen = Cell::new(0);
    for declared in [list_of, map_of] {
        let outputs = interface([("o", declared(simple(SimpleType::Integer)))]);
        let result = plan(&outputs, &Crowded(&seen), OutputOptions::default(), |_| {
            String::new()
        });
        let message = result.unwrap_err().to_string();
        assert!(message.contains("more than 100000 values"), "{message}");
        assert!(seen.take() < 100_010);
    }
    // It is not a list, but may be a value of its own type.
    let either = Type::UnionType(UnionType {
        variants: vec![
            typed(list_of(simple(SimpleType::Integer))),
            typed(blob(BlobDimensionality::Multipart)),
        ],
    });
    let plan = plan(
        &interface([("o", either)]),
        &Crowded(&seen),
        OutputOptions::default(),
        |_| String::new(),
    );
    assert_eq!(plan.unwrap().blobs.len(), 1);
}

/// An output directory whose every directory has a million entries; it counts those that are seen.
struct Crowded<'a>(&'a Cell<usize>);

impl OutputView for Crowded<'_> {
    fn root(&self) -> &Path {
        Path::new("/out")
    }

    fn stat(&self, _: &Path) -> io::Result<Option<OutputEntry>> {
        Ok(Some(OutputEntry {
            kind: EntryKind::Directory,
            size: 0,
        }))
    }

    fn names(&self, _: &Path, see: &mut dyn FnMut(&OsStr) -> ControlFlow<()>) -> io::Result<()> {
        let _ = (0..1_000_000).try_for_each(|index: usize| {
            self.0.set(index);
            see(OsStr::new(&index.to_string()))
        });
        Ok(())
    }

    fn read(&self, _: &Path, _: u64) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::IsADirectory.into())
    }
}

#[test]
fn a_struct_may_be_yaml() {
    let declared = || simple(SimpleType::Struct);
    let json = r#"{"a": [1, 2.5, "x", null, true], "b": {"c": "yes"}, "d": 16, "e": "NaN"}"#;
    let expected = read(declared(), &Fake::new([("o", file(json))]));
    let yaml = "a: [1, 2.5, x, ~, yes]\nb:\n  c: \"yes\"\nd: 0x10\ne: .nan\n";
    for name in ["o.yaml", "o.yml"] {
        assert_eq!(read(declared(), &Fake::new([(name, file(yaml))])), expected);
    }
    for (content, words) in [
        ("- a\n", "not a valid YAML map: it is an array"),
        ("a: 1\na: 2\n", "stands twice"),
        ("a: *x\n", "not a valid YAML map: line 1"),
        ("<<: {a: 1}\n", "merge keys"),
        ("a: !!binary AAE=\n", "tag"),
        ("", "it is empty"),
    ] {
        let message = refusal(declared(), &Fake::new([("o.yaml", file(content))]));
        assert!(message.contains(words), "{message}");
    }
    let integers = list_of(simple(SimpleType::Integer));
    let view = Fake::new([("o.yaml", file("- 1\n- -2\n- 1_000\n"))]);
    let message = refusal(integers, &view);
    assert!(
        message.contains("$[2]: it is the string \"1_000\""),
        "{message}"
    );
}

#[test]
fn tables_are_files_or_directories_and_keep_their_columns() {
    let schema = SchemaType {
        columns: vec![crate::idl::schema_type::SchemaColumn {
            name: "c".to_owned(),
            r#type: 2,
        }],
    };
    for (node, uri) in [("o", "s3://b/raw/o"), ("o.parquet", "s3://b/raw/o.parquet")] {
        for view in [
            Fake::new([(node, file("x"))]),
            Fake::new([(node, Node::Directory)]),
        ] {
            let expected = scalar::Value::Schema(Schema {
                uri: uri.to_owned(),
                r#type: Some(schema.clone()),
            });
            assert_eq!(read(Type::Schema(schema.clone()), &view), expected.into());
        }
    }
    for (format, name, expected) in [
        ("", "o", ""),
        ("", "o.parquet", "parquet"),
        ("csv", "o.parquet", "csv"),
    ] {
        let declared = StructuredDatasetType {
            format: format.to_owned(),
            external_schema_type: "arrow".to_owned(),
            ..StructuredDatasetType::default()
        };
        let literal = read(
            Type::StructuredDatasetType(declared),
            &Fake::new([(name, file("x"))]),
        );
        let Some(literal::Value::Scalar(scalar)) = literal.value else {
            panic!()
        };
        let Some(scalar::Value::StructuredDataset(dataset)) = scalar.value else {
            panic!()
        };
        let got = dataset.metadata.unwrap().structured_dataset_type.unwrap();
        assert_eq!(
            (got.format.as_str(), got.external_schema_type.as_str()),
            (expected, "arrow")
        );
    }
}

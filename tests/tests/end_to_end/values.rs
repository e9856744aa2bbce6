//! Every type in both directions: the files of a download, used as outputs, are committed as the same
//! values. Main can also write them in other forms.

use std::collections::BTreeMap;
use std::fs;

use copilot::idl::{
    Blob, BlobMetadata, BlobType, Literal, SimpleType, blob_type::BlobDimensionality, literal,
    literal_type::Type, scalar,
};
use copilot_tests::binary;
use copilot_tests::task::{RAW, Task, blob_type, interface, simple};
use copilot_tests::values::{
    dataset, dataset_type, enum_of, integer, list, list_of, map, map_of, nothing, text, union,
    union_of,
};

fn file(uri: &str) -> Literal {
    blob(uri, BlobDimensionality::Single)
}

fn directory(uri: &str) -> Literal {
    blob(uri, BlobDimensionality::Multipart)
}

fn blob(uri: &str, dimensionality: BlobDimensionality) -> Literal {
    copilot_tests::task::blob(uri, dimensionality)
}

/// Variables with their types, and their values with references below `at`.
fn variables(at: &str) -> Vec<(&'static str, Type, Literal)> {
    let single = || blob_type(BlobDimensionality::Single);
    let optional = |kind| union_of([simple(kind), simple(SimpleType::None)]);
    let uri = |name: &str| format!("{at}/{name}");
    vec![
        ("colour", enum_of(["red", "green"]), text("green")),
        (
            "matrix",
            list_of(list_of(simple(SimpleType::Integer))),
            list([list([integer(1), integer(2)]), list([])]),
        ),
        (
            "files",
            list_of(single()),
            list([file(&uri("files/0")), file(&uri("files/1"))]),
        ),
        (
            "trees",
            map_of(blob_type(BlobDimensionality::Multipart)),
            map([("a?b #1", directory(&uri("trees/=a=3Fb =231")))]),
        ),
        (
            "some",
            optional(SimpleType::Integer),
            union(SimpleType::Integer, integer(-1)),
        ),
        (
            "none",
            optional(SimpleType::String),
            union(SimpleType::None, nothing()),
        ),
        (
            "table",
            Type::StructuredDatasetType(dataset_type("parquet")),
            dataset(&uri("table"), "parquet"),
        ),
    ]
}

#[test]
fn inputs_of_every_type_come_back_as_outputs() {
    let task = Task::start().unwrap();
    let objects = [
        ("files/0", "zero"),
        ("files/1", "one"),
        ("trees/=a=3Fb =231/x", "x"),
        ("trees/=a=3Fb =231/y/z", "z"),
        ("table/00000", "rows"),
        ("table/part/00001", "more rows"),
    ];
    for (key, content) in objects {
        task.put(&format!("in/{key}"), content);
    }
    let inputs = variables("s3://data/in");
    task.put_inputs(inputs.into_iter().map(|(name, _, literal)| (name, literal)));
    let ended = binary::run(&mut task.download());
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    for metadata in ["inputs.pb", "inputs.json"] {
        fs::remove_file(task.inputs_dir().join(metadata)).unwrap();
    }
    fs::remove_dir(task.outputs_dir()).unwrap();
    fs::rename(task.inputs_dir(), task.outputs_dir()).unwrap();

    let outputs = variables(RAW);
    let types = outputs.iter().map(|(name, kind, _)| (*name, kind.clone()));
    let ended = binary::run(&mut task.sidecar(&interface(types)));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let expected: BTreeMap<String, Literal> = outputs
        .into_iter()
        .map(|(name, _, literal)| (name.to_owned(), literal))
        .collect();
    assert_eq!(task.outputs().unwrap().literals, expected);
    let uploaded = task.objects("task/raw");
    let expected = objects.map(|(key, content)| (key.to_owned(), content.as_bytes().to_vec()));
    assert_eq!(uploaded, BTreeMap::from(expected));
}

#[test]
fn outputs_in_files_of_json_and_yaml() {
    let task = Task::start().unwrap();
    task.write_output("l.json", "[[1, 2], []]");
    task.write_output("m", r#"{"a": "b"}"#);
    task.write_output("s.yaml", "k: [yes, 1]\n");
    let outputs = interface([
        ("l", list_of(list_of(simple(SimpleType::Integer)))),
        ("m", map_of(simple(SimpleType::String))),
        ("s", simple(SimpleType::Struct)),
        (
            "gone",
            union_of([simple(SimpleType::Integer), simple(SimpleType::None)]),
        ),
    ]);
    let ended = binary::run(&mut task.sidecar(&outputs));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let literals = task.outputs().unwrap().literals;
    assert_eq!(
        literals["l"],
        list([list([integer(1), integer(2)]), list([])])
    );
    assert_eq!(literals["m"], map([("a", text("b"))]));
    assert_eq!(literals["gone"], union(SimpleType::None, nothing()));
    let Some(literal::Value::Scalar(scalar)) = &literals["s"].value else {
        panic!("{literals:?}")
    };
    let Some(scalar::Value::Generic(fields)) = &scalar.value else {
        panic!("{literals:?}")
    };
    assert_eq!(fields.fields.len(), 1);
}

#[test]
fn a_bad_member_is_named_and_nothing_is_committed() {
    let task = Task::start().unwrap();
    task.write_output("l/0", "1");
    task.write_output("l/1", "x");
    task.write_output("m", r#"{"a": [1]}"#);
    let outputs = interface([
        ("l", list_of(simple(SimpleType::Integer))),
        ("m", map_of(simple(SimpleType::Integer))),
    ]);
    let ended = binary::run(&mut task.sidecar(&outputs));
    assert_eq!(ended.code(), 1);
    let message = task.document("error.pb").unwrap().message;
    for words in [
        "/l/1",
        "\"x\" is not a valid integer",
        "/m, at $[\"a\"]: it is an array",
    ] {
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(task.outputs(), None);
}

#[test]
fn the_reference_names_files_without_their_extension() {
    for (names, key) in [("file", "o.csv"), ("reference", "o")] {
        let task = Task::start().unwrap();
        task.write_output("o.csv", "1");
        let outputs = interface([(
            "o",
            Type::Blob(BlobType {
                format: "csv".to_owned(),
                ..BlobType::default()
            }),
        )]);
        let mut command = task.sidecar(&outputs);
        let ended = binary::run(command.args(["--blob-names", names]));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let expected = scalar::Value::Blob(Blob {
            metadata: Some(BlobMetadata {
                r#type: Some(BlobType {
                    format: "csv".to_owned(),
                    ..BlobType::default()
                }),
            }),
            uri: format!("{RAW}/{key}"),
        });
        assert_eq!(task.outputs().unwrap().literals["o"], expected.into());
        assert_eq!(
            task.objects("task/raw"),
            BTreeMap::from([(key.to_owned(), b"1".to_vec())])
        );
    }
}

#[test]
fn a_dataset_may_be_one_object_and_a_directory_may_not() {
    let task = Task::start().unwrap();
    task.put("in/rows.parquet", "rows");
    task.put("in/rows.parquet.bak", "old rows");
    task.put_inputs([("rows", dataset("s3://data/in/rows.parquet", "parquet"))]);
    let ended = binary::run(&mut task.download());
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let rows = copilot_tests::task::files(&task.inputs_dir().join("rows"));
    assert_eq!(
        rows,
        BTreeMap::from([("rows.parquet".to_owned(), b"rows".to_vec())])
    );

    task.put_inputs([
        ("one", directory("s3://data/in/rows.parquet")),
        ("other", directory("s3://data/in/rows.parquet.bak")),
        ("empty", directory("s3://data/in/rows")),
    ]);
    let ended = binary::run(&mut task.download());
    assert_eq!(ended.code(), 1);
    let message = task.document("error.pb").unwrap().message;
    for words in [
        "input \"one\": s3://data/in/rows.parquet is an object",
        "input \"other\"",
        "(SINGLE)",
    ] {
        assert!(message.contains(words), "{message}");
    }
    assert!(!message.contains("empty\""), "{message}");
}

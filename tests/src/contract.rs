//! The examples of `docs/container-contract.md`: their code, the inputs that they read, and the outputs that they
//! write, the same in every language.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use copilot::idl::{
    Duration, Error, ListValue, Literal, SimpleType, Struct, Timestamp, Value,
    blob_type::BlobDimensionality, literal_type::Type, primitive, scalar, value,
};

use crate::task::{Task, blob, blob_type, simple};
use crate::values::{
    dataset, dataset_type, enum_of, integer, list, list_of, map, map_of, nothing, schema, text,
    union, union_of,
};

/// Puts the inputs and the data that they refer to into the task's store.
pub fn put_inputs(task: &Task) {
    for (key, content) in [
        ("report", "b\na\n"),
        ("tree/a", "a"),
        ("rows/0", "1\n"),
        ("rows/1", "2\n"),
    ] {
        task.put(&format!("in/{key}"), content);
    }
    task.put_inputs(inputs());
}

/// Checks what an example has committed: its values, and the objects below `raw`, a prefix of the bucket.
///
/// # Panics
/// If a value or an object differs.
pub fn check_outputs(task: &Task, raw: &str, about: &str) {
    let outputs = outputs(&format!("s3://data/{raw}"));
    let expected: BTreeMap<String, Literal> = outputs
        .into_iter()
        .map(|(name, _, literal)| (name.to_owned(), literal))
        .collect();
    let found = task.outputs().expect("outputs are committed");
    assert_eq!(found.literals, expected, "{about}");
    let expected = [
        ("old_rows.csv", "c\n"),
        ("report.txt", "a\nb\n"),
        ("rows/part-0.csv", "1\n2\n"),
        ("tree/deep/a", "a"),
    ];
    let expected = expected.map(|(key, content)| (key.to_owned(), content.as_bytes().to_vec()));
    assert_eq!(task.objects(raw), BTreeMap::from(expected), "{about}");
}

/// The language and text of each example.
///
/// # Panics
/// If the document cannot be read.
#[must_use]
pub fn examples() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/container-contract.md");
    let document = fs::read_to_string(path).expect("the document is there");
    let mut examples = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        examples.push((language.to_owned(), code.join("\n") + "\n"));
    }
    examples
}

fn float(value: f64) -> Literal {
    primitive::Value::FloatValue(value).into()
}

fn boolean(value: bool) -> Literal {
    primitive::Value::Boolean(value).into()
}

fn datetime(seconds: i64) -> Literal {
    primitive::Value::Datetime(Timestamp { seconds, nanos: 0 }).into()
}

fn binary_of(value: &'static [u8]) -> Literal {
    scalar::Value::Binary(copilot::idl::Binary {
        value: value.into(),
        tag: "msgpack".to_owned(),
    })
    .into()
}

/// The inputs that the examples read, by reference where they are data.
#[must_use]
pub fn inputs() -> Vec<(&'static str, Literal)> {
    let single = |uri| blob(uri, BlobDimensionality::Single);
    vec![
        ("count", integer(41)),
        ("ratio", float(0.25)),
        ("name", text("wörld")),
        ("flag", boolean(true)),
        ("when", datetime(1_614_834_367)),
        ("raw", binary_of(b"\x00\xff\n")),
        ("words", list([text("a"), text("bb")])),
        ("texts", map([("k.1", text("x")), ("l", text("y"))])),
        ("limit", union(SimpleType::None, nothing())),
        ("report", single("s3://data/in/report")),
        (
            "tree",
            blob("s3://data/in/tree", BlobDimensionality::Multipart),
        ),
        ("rows", dataset("s3://data/in/rows", "csv")),
    ]
}

/// The outputs: their types and expected values. Their data goes below `raw`.
#[must_use]
pub fn outputs(raw: &str) -> Vec<(&'static str, Type, Literal)> {
    let uri = |name: &str| format!("{raw}/{name}");
    let number = value::Kind::NumberValue(1.0);
    let values = [number, value::Kind::StringValue("x".to_owned())];
    let values = values.map(|kind| Value { kind: Some(kind) }).into();
    let options = value::Kind::ListValue(ListValue { values });
    let options = Struct {
        fields: [(
            "a".to_owned(),
            Value {
                kind: Some(options),
            },
        )]
        .into(),
    };
    let took = Duration {
        seconds: 90,
        nanos: 0,
    };
    let warning = Error {
        message: "it is late".to_owned(),
        ..Error::default()
    };
    let (single, tree) = (BlobDimensionality::Single, BlobDimensionality::Multipart);
    let optional = union_of([simple(SimpleType::Integer), simple(SimpleType::None)]);
    vec![
        ("count", simple(SimpleType::Integer), integer(42)),
        ("ratio", simple(SimpleType::Float), float(0.5)),
        ("name", simple(SimpleType::String), text("hello wörld")),
        ("flag", simple(SimpleType::Boolean), boolean(false)),
        (
            "when",
            simple(SimpleType::Datetime),
            datetime(1_614_837_967),
        ),
        (
            "took",
            simple(SimpleType::Duration),
            primitive::Value::Duration(took).into(),
        ),
        ("raw", simple(SimpleType::Binary), binary_of(b"\x00\xff")),
        (
            "warning",
            simple(SimpleType::Error),
            scalar::Value::Error(warning).into(),
        ),
        (
            "options",
            simple(SimpleType::Struct),
            scalar::Value::Generic(options).into(),
        ),
        ("colour", enum_of(["red", "green"]), text("green")),
        (
            "sizes",
            list_of(simple(SimpleType::Integer)),
            list([integer(1), integer(2)]),
        ),
        (
            "texts",
            map_of(simple(SimpleType::String)),
            map([("k.1", text("X")), ("l", text("Y"))]),
        ),
        ("limit", optional, union(SimpleType::None, nothing())),
        (
            "report",
            blob_type(single),
            blob(&uri("report.txt"), single),
        ),
        ("tree", blob_type(tree), blob(&uri("tree"), tree)),
        (
            "rows",
            Type::StructuredDatasetType(dataset_type("csv")),
            dataset(&uri("rows"), "csv"),
        ),
        (
            "old_rows",
            Type::Schema(copilot::idl::SchemaType::default()),
            schema(&uri("old_rows.csv")),
        ),
        ("nothing", simple(SimpleType::None), nothing()),
    ]
}

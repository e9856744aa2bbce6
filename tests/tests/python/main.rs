//! What we write, read by others: Flyte's own messages in Python, and a YAML reader that is not ours.

#![cfg(test)]

mod exchange;
mod types;

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{
    Binary, Duration, Error, Literal, LiteralCollection, LiteralMap, LiteralType, SimpleType,
    Struct, Timestamp, TypeStructure, Union, Void, decode_literal_map, literal, primitive, scalar,
    value,
};
use copilot::literal::input::{self, Arrival, Layout, Offloaded, Target};
use copilot::literal::render::{Binaries, MetadataFile, MetadataFormat};
use copilot_tests::binary;
use copilot_tests::python;
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{Task, blob, blob_type, interface, simple};
use serde_json::{Value, json};

/// What Python says of a file.
fn read(what: &str, path: &Path) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/read.py");
    let python = python::path().unwrap();
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let run = command.args([script, what]).arg(path).output().unwrap();
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{errors}");
    serde_json::from_slice(&run.stdout).unwrap()
}

fn list(literals: Vec<Literal>) -> Literal {
    literal::Value::Collection(LiteralCollection { literals }).into()
}

fn float(value: f64) -> Literal {
    primitive::Value::FloatValue(value).into()
}

fn text(value: &str) -> Literal {
    primitive::Value::StringValue(value.to_owned()).into()
}

fn structure() -> Struct {
    let kinds = [
        ("null", value::Kind::NullValue(0)),
        ("number", value::Kind::NumberValue(1.5)),
        ("text", value::Kind::StringValue("no".to_owned())),
        ("truth", value::Kind::BoolValue(false)),
    ];
    let fields = kinds.map(|(name, kind)| (name.to_owned(), kind.into()));
    Struct {
        fields: fields.into(),
    }
}

fn union(inner: Literal, tag: &str) -> Literal {
    scalar::Value::Union(Box::new(Union {
        value: Some(Box::new(inner)),
        r#type: Some(LiteralType {
            structure: Some(TypeStructure {
                tag: tag.to_owned(),
                ..TypeStructure::default()
            }),
            ..LiteralType::default()
        }),
    }))
    .into()
}

/// One of each kind, and how Python sees it.
fn inputs() -> Vec<(&'static str, Literal, Value)> {
    let floats = [f64::NAN, f64::INFINITY, -0.0, 1e20, 0.1];
    let seen = [
        "nan",
        "inf",
        "-0x0.0p+0",
        "0x1.5af1d78b58c40p+66",
        "0x1.999999999999ap-4",
    ];
    let seen = seen.map(|seen| json!(["float_value", seen]));
    let timestamp = Timestamp {
        seconds: -62_135_596_800,
        nanos: 1,
    };
    let duration = Duration {
        seconds: 3,
        nanos: 500_000_000,
    };
    let binary = Binary {
        value: bytes::Bytes::from_static(b"\x00\xff"),
        tag: "msgpack".to_owned(),
    };
    let error = Error {
        message: "it broke".to_owned(),
        ..Error::default()
    };
    let map = LiteralMap {
        literals: [("key: #1".to_owned(), text("2020-01-01"))].into(),
    };
    vec![
        (
            "integer",
            primitive::Value::Integer(i64::MIN).into(),
            json!(["integer", "-9223372036854775808"]),
        ),
        (
            "floats",
            list(floats.map(float).to_vec()),
            json!(["collection", seen]),
        ),
        (
            "text",
            text("é\n\u{7f}: \"no\""),
            json!(["string_value", "é\n\u{7f}: \"no\""]),
        ),
        (
            "truth",
            primitive::Value::Boolean(true).into(),
            json!(["boolean", true]),
        ),
        (
            "datetime",
            primitive::Value::Datetime(timestamp).into(),
            json!(["datetime", ["-62135596800", 1]]),
        ),
        (
            "duration",
            primitive::Value::Duration(duration).into(),
            json!(["duration", ["3", 500_000_000]]),
        ),
        (
            "none",
            scalar::Value::NoneType(Void {}).into(),
            json!(["none_type", null]),
        ),
        (
            "binary",
            scalar::Value::Binary(binary).into(),
            json!(["binary", ["msgpack", "AP8="]]),
        ),
        (
            "error",
            scalar::Value::Error(error).into(),
            json!(["error", "it broke"]),
        ),
        (
            "struct",
            scalar::Value::Generic(structure()).into(),
            json!(["generic", {"null": null, "number": 1.5, "text": "no", "truth": false}]),
        ),
        (
            "map",
            literal::Value::Map(map).into(),
            json!(["map", {"key: #1": ["string_value", "2020-01-01"]}]),
        ),
        (
            "union",
            union(text("x"), "str"),
            json!(["union", [["string_value", "x"], "str"]]),
        ),
    ]
}

#[test]
fn inputs_and_their_yaml() {
    if !Requirement::Python.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    task.put("task/in/dir/x", "x");
    let inputs = inputs();
    let literals = inputs
        .iter()
        .map(|(name, literal, _)| (*name, literal.clone()));
    let dir = ("dir", blob("s3://data/task/in/dir", Multipart));
    task.put_inputs(literals.chain([dir]));
    let mut kept = Vec::new();
    for format in ["JSON", "YAML"] {
        let mut command = task.download();
        let ended = binary::run(command.args(["--format", format]));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        kept.push(read("literals", &task.inputs_dir().join("inputs.pb")));
    }
    let local = task.inputs_dir().join("dir").display().to_string();
    let mut expected: serde_json::Map<String, Value> = inputs
        .into_iter()
        .map(|(name, _, seen)| (name.to_owned(), seen))
        .collect();
    expected.insert("dir".to_owned(), json!(["blob", [local, "", 1]]));
    assert_eq!(kept, [Value::from(expected.clone()), expected.into()]);
    let told = read("same", &task.inputs_dir());
    assert_eq!(told, json!({"files": 1, "differences": [FLOAT]}));
}

/// The one exception: YAML 1.1 wants a dot in a number with an exponent, and the reference writes
/// none, so `PyYAML` reads a text. We follow the reference, to the byte.
const FLOAT: [&str; 3] = ["inputs/floats/3", "'1e+20'", "100000000000000000000"];

/// All inputs of the golden vectors that can be planned without a store.
#[test]
fn yaml_of_all_vectors() {
    if !Requirement::Python.is_met() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/download");
    let mut written = 0;
    for vector in fs::read_dir(vectors).unwrap() {
        let path = vector.unwrap().path();
        let Some(literals) = fs::read(path.join("inputs.pb"))
            .ok()
            .and_then(|bytes| planned(&bytes))
        else {
            continue;
        };
        for (file, end) in [(MetadataFile::Json, "json"), (MetadataFile::Yaml, "yaml")] {
            let name = format!("{}.{end}", path.file_name().unwrap().display());
            let mut out = BufWriter::new(File::create(place.path().join(name)).unwrap());
            file.write(&literals, &Binaries::default(), &mut out)
                .unwrap();
            out.flush().unwrap();
        }
        written += 1;
    }
    assert!(written > 50, "{written}");
    let told = read("same", place.path());
    assert_eq!(told["files"], written);
    let differences = told["differences"].as_array().unwrap();
    for difference in differences {
        let [_, yaml, json] = difference.as_array().unwrap().as_slice() else {
            panic!("{difference}");
        };
        // A whole number with an exponent, as above.
        let digits = yaml.as_str().unwrap().trim_matches('\'');
        let (whole, exponent) = digits
            .split_once('e')
            .unwrap_or_else(|| panic!("{difference}"));
        assert!(!whole.contains('.') && exponent.len() > 1, "{difference}");
        assert_eq!(
            digits.parse::<f64>().ok(),
            json.as_str().unwrap().parse().ok(),
            "{difference}"
        );
    }
    println!(
        "{written} files, {} numbers without a dot",
        differences.len()
    );
}

/// What a download would write of these inputs, if they can be planned.
fn planned(bytes: &[u8]) -> Option<LiteralMap> {
    let mut offloaded = Offloaded::new(decode_literal_map(bytes).ok()?);
    if !offloaded.requests().ok()?.is_empty() {
        return None;
    }
    let target = Target {
        directory: Path::new("/data/inputs"),
        layout: Layout::Direct,
        metadata: MetadataFormat::Yaml,
        data: Arrival::Before,
        binaries: &Binaries::default(),
    };
    Some(input::plan(offloaded.into_map(), &target).ok()?.literals)
}

#[test]
fn outputs() {
    if !Requirement::Python.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    for (name, content) in [
        ("n", "7\n"),
        ("f", "1e20"),
        ("s", "é \n"),
        ("t", "2024-02-29T00:00:00.5Z"),
        ("j", "{\"a\": [1, null]}"),
        ("b", "\u{0}x"),
        ("file.csv", "1,2\n"),
    ] {
        task.write_output(name, content);
    }
    let declared = interface([
        ("n", simple(SimpleType::Integer)),
        ("f", simple(SimpleType::Float)),
        ("s", simple(SimpleType::String)),
        ("t", simple(SimpleType::Datetime)),
        ("j", simple(SimpleType::Struct)),
        ("b", simple(SimpleType::Binary)),
        ("file", blob_type(Single)),
    ]);
    let ended = binary::run(&mut task.sidecar(&declared));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let path = task.site.server.file("data", "task/out/outputs.pb");
    let expected = json!({
        "n": ["integer", "7"],
        "f": ["float_value", "0x1.5af1d78b58c40p+66"],
        "s": ["string_value", "é"],
        "t": ["datetime", ["1709164800", 500_000_000]],
        "j": ["generic", {"a": [1.0, null]}],
        "b": ["binary", ["msgpack", "AHg="]],
        "file": ["blob", ["s3://data/task/raw/file.csv", "", 0]],
    });
    assert_eq!(read("literals", &path), expected);
}

#[test]
fn error_documents() {
    if !Requirement::Python.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    let said = r#"{"code": "BadInput", "message": "ü", "kind": "non-recoverable"}"#;
    task.write_output("_ERROR", said);
    let declared = interface([("n", simple(SimpleType::Integer))]);
    let ended = binary::run(&mut task.sidecar(&declared));
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    for name in ["error.pb", "errors.pb"] {
        let path = task.site.server.file("data", &format!("task/out/{name}"));
        let told = read("error", &path);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let seconds = told["seconds"].as_u64().unwrap();
        assert!(now.abs_diff(seconds) < 3600, "{told}");
        let expected = json!({
            "code": "BadInput",
            "message": "ü",
            "kind": "NON_RECOVERABLE",
            "origin": 1,
            "seconds": seconds,
            "worker": rustix::system::uname().nodename().to_str().unwrap(),
        });
        assert_eq!(told, expected);
    }
}

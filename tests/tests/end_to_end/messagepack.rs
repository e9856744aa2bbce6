//! Inputs that flytekit sends as MessagePack: what main finds, and what becomes of the same files as
//! outputs.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{
    Binary, Literal, LiteralMap, LiteralOffloadedMetadata, LiteralType, Message as _, SimpleType,
    Variable, VariableEntry, VariableMap, blob_type::BlobDimensionality, decode_literal_map,
    literal, literal_type::Type, scalar,
};
use copilot_tests::binary;
use copilot_tests::task::{Task, blob_type, files, interface, simple};
use copilot_tests::values::{integer, list, list_of, text};
use serde_json::{Value, json};

fn packed(value: &[u8]) -> Literal {
    scalar::Value::Binary(Binary {
        value: value.to_vec().into(),
        tag: "msgpack".to_owned(),
    })
    .into()
}

/// `{"lr": 0.1, "layers": [1, 2]}`.
const CONFIG: &[u8] = b"\x82\xa2lr\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a\xa6layers\x92\x01\x02";

const OFFLOADED: &str = "in/offloaded.pb";

/// A task with these inputs. One of them is an object of its own.
fn task() -> Task {
    let task = Task::start().unwrap();
    task.put(OFFLOADED, packed(CONFIG).encode_to_vec());
    let uri = format!("s3://data/{OFFLOADED}");
    let offloaded = LiteralOffloadedMetadata {
        uri,
        ..LiteralOffloadedMetadata::default()
    };
    task.put_inputs(inputs(
        literal::Value::OffloadedMetadata(Box::new(offloaded)).into(),
    ));
    task
}

fn inputs(offloaded: Literal) -> Vec<(&'static str, Literal)> {
    vec![
        ("cfg", packed(CONFIG)),
        ("cfgs", list([packed(CONFIG), packed(b"\x80")])),
        ("garbage", packed(b"\xc1\x00")),
        ("n", packed(b"\x2a")),
        ("name", packed(b"\xa3bob")),
        ("offloaded", offloaded),
        ("on", packed(b"\xc3")),
        ("raw", packed(b"\x2a")),
        ("sizes", packed(b"\x92\x01\x02")),
        ("took", packed(b"\xcb\x40\xb5\x18\x00\x00\x00\x00\x00")),
    ]
}

fn metadata(task: &Task) -> Value {
    let content = fs::read(task.inputs_dir().join("inputs.json")).unwrap();
    serde_json::from_slice(&content).unwrap()
}

fn content(task: &Task, name: &str) -> Vec<u8> {
    fs::read(task.inputs_dir().join(name)).unwrap()
}

/// The value of `--input-interface`.
fn types(types: impl IntoIterator<Item = (&'static str, Type)>) -> String {
    let entries = types.into_iter().map(|(name, kind)| VariableEntry {
        key: name.to_owned(),
        value: Some(Variable {
            r#type: Some(LiteralType {
                r#type: Some(kind),
                ..LiteralType::default()
            }),
            ..Variable::default()
        }),
    });
    let variables = entries.collect();
    BASE64_STANDARD.encode(VariableMap { variables }.encode_to_vec())
}

#[test]
fn main_finds_json_and_may_hand_it_on() {
    let task = task();
    let declared = types([
        ("raw", simple(SimpleType::Binary)),
        ("took", simple(SimpleType::Duration)),
    ]);
    let ended = binary::run(task.download().args(["--input-interface", &declared]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let config = json!({"lr": 0.1, "layers": [1, 2]});
    assert_eq!(
        metadata(&task),
        json!({
            "cfg": config,
            "cfgs": [config, {}],
            "garbage": "wQA=",
            "n": 42,
            "name": "bob",
            "offloaded": config,
            "on": true,
            "raw": "Kg==",
            "sizes": [1, 2],
            "took": 5_400_000_000_000_i64,
        })
    );
    assert_eq!(content(&task, "cfg"), br#"{"layers":[1,2],"lr":0.1}"#);
    assert_eq!(content(&task, "cfgs/1"), b"{}");
    assert_eq!(content(&task, "garbage"), b"\xc1\x00");
    assert_eq!(content(&task, "name"), b"bob");
    assert_eq!(content(&task, "raw"), b"*");
    assert_eq!(content(&task, "took"), b"1h30m0s");
    assert!(
        ended.stderr.contains("input \\\"garbage\\\"") && ended.stderr.contains("0xc1"),
        "{}",
        ended.stderr
    );
    let kept = decode_literal_map(&content(&task, "inputs.pb")[..]).unwrap();
    let literals = inputs(packed(CONFIG)).into_iter();
    let literals = literals.map(|(name, literal)| (name.to_owned(), literal));
    let literals = literals.collect();
    assert_eq!(kept, LiteralMap { literals });

    for (name, content) in files(&task.inputs_dir()) {
        task.write_output(&name, content);
    }
    let outputs = interface([
        ("cfg", simple(SimpleType::Struct)),
        ("cfgs", list_of(simple(SimpleType::Struct))),
        ("garbage", simple(SimpleType::Binary)),
        ("n", simple(SimpleType::Integer)),
        ("name", simple(SimpleType::String)),
        ("offloaded", simple(SimpleType::Struct)),
        ("on", simple(SimpleType::Boolean)),
        ("raw", simple(SimpleType::Binary)),
        ("sizes", list_of(simple(SimpleType::Integer))),
        ("took", simple(SimpleType::Duration)),
    ]);
    let ended = binary::run(&mut task.sidecar(&outputs));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let got = task.outputs().unwrap().literals;
    for (name, expected) in [
        ("garbage", packed(b"\xc1\x00")),
        ("n", integer(42)),
        ("name", text("bob")),
        ("raw", packed(b"\x2a")),
        ("sizes", list([integer(1), integer(2)])),
    ] {
        assert_eq!(got[name], expected, "{name}");
    }
}

#[test]
fn a_member_that_is_a_file_is_fetched() {
    let task = Task::start().unwrap();
    task.put("in/file.csv", "1,2");
    // `{"path": "s3://data/in/file.csv"}`.
    let member = packed(b"\x81\xa4path\xb5s3://data/in/file.csv");
    task.put_inputs([("table", member.clone()), ("untyped", member)]);
    let declared = types([("table", blob_type(BlobDimensionality::Single))]);
    for (layout, path) in [("DIRECT", "table"), ("NAMED_DIR", "table/file.csv")] {
        let to = task.site.work(layout);
        let mut command = task.download();
        command.args([
            "--input-interface",
            &declared,
            "--file-input-layout",
            layout,
        ]);
        let ended = binary::run(command.arg("--to-local-dir").arg(&to));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let path = to.join(path);
        assert_eq!(fs::read(&path).unwrap(), b"1,2");
        let shown = fs::read(to.join("inputs.json")).unwrap();
        let shown: Value = serde_json::from_slice(&shown).unwrap();
        let untyped = json!({"path": "s3://data/in/file.csv"});
        assert_eq!(shown, json!({"table": path, "untyped": untyped}));
    }
}

#[test]
fn the_reference_shows_bytes() {
    let task = task();
    let ended = binary::run(task.download().args(["--binary-inputs", "reference"]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let shown = metadata(&task);
    assert_eq!(shown["n"], "Kg==");
    assert_eq!(shown["cfg"], BASE64_STANDARD.encode(CONFIG));
    assert_eq!(content(&task, "cfg"), CONFIG);
    assert!(!ended.stderr.contains("msgpack"), "{}", ended.stderr);
}

#[test]
fn an_interface_that_cannot_be_decoded_is_a_warning() {
    let task = task();
    let ended = binary::run(task.download().args(["--input-interface", "/w=="]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("--input-interface") && ended.stderr.contains("VariableMap"),
        "{}",
        ended.stderr
    );
    let shown = metadata(&task);
    assert_eq!(
        (&shown["raw"], &shown["took"]),
        (&json!(42), &json!(5400.0))
    );
}

//! flytekit on both ends: it makes the inputs, a container hands their files on as outputs of the same
//! types, and flytekit reads equal values from the outputs.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{
    LiteralMap, Message as _, TypedInterface, decode_literal_map, decode_typed_interface,
};
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{Task, files};
use copilot_tests::{binary, python};
use serde_json::{Value, json};

/// Runs the script.
fn flytekit(what: &str, path: &Path) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/round_trip.py");
    let mut command = Command::new(python::path().unwrap());
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let run = command.args([script, what]).arg(path).output().unwrap();
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{errors}");
    serde_json::from_slice(&run.stdout).unwrap()
}

/// What flytekit has made.
struct Made {
    inputs: Vec<u8>,
    /// Serialized, for `--input-interface`.
    types: Vec<u8>,
    interface: TypedInterface,
    /// Points in time and durations: their form does not tell that they are.
    times: Vec<String>,
    /// Variables that have MessagePack in them.
    packed: Vec<String>,
}

impl Made {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let told = flytekit("make", place.path());
        let names = |list: &Value| {
            let names = list.as_array().unwrap().iter();
            names
                .map(|name| name.as_str().unwrap().to_owned())
                .collect()
        };
        let read = |name| fs::read(place.path().join(name)).unwrap();
        Self {
            inputs: read("inputs.pb"),
            types: read("types.pb"),
            interface: decode_typed_interface(&read("interface.pb")[..]).unwrap(),
            times: names(&told["times"]),
            packed: names(&told["packed"]),
        }
    }

    fn without(mut self, names: &[String]) -> Self {
        let mut literals = decode_literal_map(&self.inputs[..]).unwrap();
        literals.literals.retain(|name, _| !names.contains(name));
        self.inputs = literals.encode_to_vec();
        if let Some(outputs) = &mut self.interface.outputs {
            outputs
                .variables
                .retain(|entry| !names.contains(&entry.key));
        }
        self
    }
}

/// Downloads what flytekit made, and hands the files on.
fn handed_on(made: &Made, download: &[&str], sidecar: &[&str]) -> Task {
    let task = Task::start().unwrap();
    task.put("task/inputs.pb", &made.inputs);
    let ended = binary::run(task.download().args(download));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    for (name, content) in files(&task.inputs_dir()) {
        if !name.starts_with("inputs.") {
            task.write_output(&name, content);
        }
    }
    // Empty lists and maps are empty directories, which no file shows.
    for entry in fs::read_dir(task.inputs_dir()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy_directories(&entry.path(), &task.outputs_dir().join(entry.file_name()));
        }
    }
    let ended = binary::run(task.sidecar(&made.interface).args(sidecar));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    task
}

fn copy_directories(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy_directories(&entry.path(), &to.join(entry.file_name()));
        }
    }
}

fn differences(task: &Task) -> Value {
    flytekit(
        "check",
        &task.site.server.file("data", "task/out/outputs.pb"),
    )
}

#[test]
fn every_type_of_flytekit_is_handed_on() {
    if !Requirement::Python.is_met() {
        return;
    }
    let made = Made::new();
    assert!(made.packed.len() > 30, "{:?}", made.packed);
    let types = BASE64_STANDARD.encode(&made.types);
    for format in ["JSON", "YAML"] {
        let task = handed_on(
            &made,
            &["--format", format, "--input-interface", &types],
            &[],
        );
        assert_eq!(differences(&task), json!({}));
        let kept = fs::read(task.inputs_dir().join("inputs.pb")).unwrap();
        let read = |bytes: &[u8]| -> LiteralMap { decode_literal_map(bytes).unwrap() };
        assert_eq!(read(&kept), read(&made.inputs));
    }
}

/// Without the interface only times do not come back: their form is that of a text or a number.
#[test]
fn without_the_interface_values_tell_their_types() {
    if !Requirement::Python.is_met() {
        return;
    }
    let made = Made::new();
    let times = made.times.clone();
    let task = handed_on(&made.without(&times), &[], &[]);
    let missing = times.into_iter().map(|name| (name, json!("missing")));
    assert_eq!(differences(&task), Value::Object(missing.collect()));
}

/// A platform without MessagePack gets protobuf's Struct. flytekit reads the same values from it, but for
/// whole numbers of a dict, which it reads as floats, and whole numbers beyond 2^53.
#[test]
fn protobuf_structs_are_read_as_well() {
    if !Requirement::Python.is_met() {
        return;
    }
    let made = Made::new();
    let types = BASE64_STANDARD.encode(&made.types);
    let lists: Vec<String> = ["model_of_a_list"].map(str::to_owned).into();
    let task = handed_on(
        &made.without(&lists),
        &["--input-interface", &types],
        &["--struct-outputs", "protobuf"],
    );
    let found = differences(&task);
    let found: Vec<&String> = found.as_object().unwrap().keys().collect();
    let expected = [
        "dataclass",
        "dict",
        "dict_of_dicts",
        "list_of_dicts",
        "list_of_lists",
        "list_of_models",
        "model",
        "model_of_a_list",
        "optional_dict",
        "optional_model",
    ];
    assert_eq!(found, expected);
}

/// Numbers, truth values, points in time and durations as `str` writes them.
#[test]
fn what_str_writes_is_read() {
    written_and_read("write", "written");
}

/// Whole numbers for floats and the reverse, as libraries write them: flytekit minds where a workflow
/// passes on a member.
#[test]
fn members_are_read_whatever_the_numbers_look_like() {
    written_and_read("loosen", "loosened");
}

/// The first task of the script writes outputs, the second reads what becomes of them.
fn written_and_read(write: &str, read: &str) {
    if !Requirement::Python.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    flytekit(write, &task.outputs_dir());
    let interface = fs::read(task.outputs_dir().join("interface.pb")).unwrap();
    let declared = decode_typed_interface(&interface[..]).unwrap();
    let ended = binary::run(&mut task.sidecar(&declared));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let found = flytekit(read, &task.site.server.file("data", "task/out/outputs.pb"));
    assert_eq!(found, json!({}));
}

/// `inputs.json` and `inputs.yaml` have the values that Python's own libraries decode.
#[test]
fn metadata_files_have_the_decoded_values() {
    if !Requirement::Python.is_met() {
        return;
    }
    let made = Made::new();
    for (format, file) in [("JSON", "inputs.json"), ("YAML", "inputs.yaml")] {
        let task = Task::start().unwrap();
        task.put("task/inputs.pb", &made.inputs);
        let ended = binary::run(task.download().args(["--format", format]));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let told = flytekit("decoded", &task.inputs_dir().join(file));
        assert_eq!(told, json!({}), "{file}");
    }
}

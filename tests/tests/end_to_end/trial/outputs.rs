//! Outputs that are uploaded, and outputs that are only checked.

use std::fs;

use copilot::idl::{blob_type::BlobDimensionality, decode_literal_map};
use copilot_tests::binary;
use copilot_tests::task::{Task, blob, files};
use copilot_tests::values::integer;

use super::{Desk, json};

#[test]
fn outputs_go_to_a_bucket_as_a_sidecar_sends_them() {
    let task = Task::start().unwrap();
    let desk = Desk::new();
    task.put("in/data", "hello");
    // Of an earlier run.
    task.put("task/out/error.pb", "");
    let script = "cat /var/inputs/data > /var/outputs/report.txt; echo 3 > /var/outputs/y
        echo {{.outputPrefix}} {{.rawOutputDataPrefix}} {{.inputs.data}}";
    let mut command = desk.copilot();
    command
        .arg("run")
        .args(task.site.server.flags("data"))
        .args([
            "--input",
            "data:file=s3://data/in/data",
            "--output",
            "y:int",
        ])
        .args(["--output", "report:file", "--to", "s3://data/task/out"])
        .args(["--", "sh", "-c", script]);
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(
        ended
            .stdout
            .starts_with("s3://data/task/out s3://data/task/out/raw s3://data/in/data\n"),
        "{}",
        ended.stdout
    );
    let outputs = task.outputs().unwrap().literals;
    assert_eq!(outputs["y"], integer(3));
    let uri = "s3://data/task/out/raw/report.txt";
    assert_eq!(outputs["report"], blob(uri, BlobDimensionality::Single));
    assert_eq!(task.objects("task/out/raw")["report.txt"], b"hello");
    assert!(task.document("error.pb").is_none());
    // All of it is in the store.
    assert_eq!(desk.left(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn outputs_go_to_a_directory() {
    let desk = Desk::new();
    let script = "mkdir /var/outputs/tree; echo a > /var/outputs/tree/a";
    for to in [
        "results".to_owned(),
        format!("file://{}", desk.path("others").display()),
    ] {
        let ended = desk.script(&["--output", "tree:dir", "--to", &to, "--json"], script);
        assert_eq!(ended.code(), 0, "{to}: {}", ended.stderr);
        let committed = json(&ended)["committed"].as_str().unwrap().to_owned();
        let path = committed.strip_prefix("file://").unwrap();
        let outputs = decode_literal_map(&fs::read(path).unwrap()[..]).unwrap();
        assert_eq!(outputs.literals.len(), 1);
        let name = to.rsplit('/').next().unwrap();
        let found = files(&desk.path(name));
        assert_eq!(found["raw/tree/a"], b"a\n", "{found:?}");
    }
}

#[test]
fn nothing_is_uploaded_after_a_failure_or_with_a_wrong_output() {
    let desk = Desk::new();
    for script in ["echo 1 > /var/outputs/y; exit 3", "echo x > /var/outputs/y"] {
        let ended = desk.script(&["--output", "y:int", "--to", "results"], script);
        assert_ne!(ended.code(), 0);
        assert!(!desk.path("results").join("outputs.pb").exists());
    }
    // That a store is not described shows before the command runs.
    let words = ["--output", "y:int", "--to", "bq://table"];
    let ended = desk.script(&words, "echo ran >&2");
    assert_eq!(ended.code(), 1);
    assert!(!ended.stderr.contains("ran"), "{}", ended.stderr);
    assert!(ended.message().contains("bq://"), "{}", ended.stderr);
}

#[test]
fn a_check_says_what_would_be_uploaded() {
    let desk = Desk::new();
    desk.write("results/y", "3\n");
    desk.write("results/tree/a", "a");
    desk.write("results/tree/b/c", "bc");
    desk.write("results/notes", "");
    let words = [
        "--check", "results", "--output", "y:int", "--output", "tree:dir",
    ];
    let ended = desk.run(&words);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let expected = "  y     integer    3\nwould be uploaded\n  tree  tree  2 files  3 B\nnot an output, and not \
                    uploaded\n  notes\n";
    assert!(ended.stdout.ends_with(expected), "{}", ended.stdout);
    let ended = desk.run(&[&words[..], &["--json"]].concat());
    let result = json(&ended);
    assert_eq!(result["outputs"]["values"]["y"], 3);
    assert_eq!(result["exit_code"], serde_json::Value::Null);
}

#[test]
fn a_check_says_what_is_wrong() {
    let desk = Desk::new();
    desk.write("results/y", "abc");
    desk.write("results/report.csv", "");
    desk.write("results/report.txt", "");
    let words = [
        "--check", "results", "--output", "y:int", "--output", "z:dir",
    ];
    let ended = desk.run(&[&words[..], &["--output", "report:file"]].concat());
    assert_eq!(ended.code(), 1);
    for says in [
        "not a valid integer",
        "output \"z\": file not found",
        "ambiguous",
    ] {
        assert!(ended.stdout.contains(says), "{says}: {}", ended.stdout);
    }
    assert!(ended.message().contains("(and 2 more)"), "{}", ended.stderr);
    let ended = desk.run(&["--check", "nothing", "--output", "y:int"]);
    assert_eq!(ended.code(), 1);
    let says = "nothing (--check) cannot be read";
    assert!(ended.message().contains(says), "{}", ended.stderr);
}

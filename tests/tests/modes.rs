//! The modes that move no data: references go to main, and come from it, as they are.

#![cfg(test)]

use std::fs;

use copilot::idl::{Literal, SimpleType, blob_type::BlobDimensionality, decode_literal_map};
use copilot_tests::binary::run;
use copilot_tests::task::{Task, blob, files};
use copilot_tests::values::{dataset, integer, list, map, union};
use serde_json::json;

/// Inputs of every kind that has data, none of which is in the store.
fn references() -> Vec<(&'static str, Literal)> {
    let file = |uri| blob(uri, BlobDimensionality::Single);
    let tree = |uri| blob(uri, BlobDimensionality::Multipart);
    vec![
        ("count", integer(7)),
        ("far", file("gs://elsewhere/a b?c")),
        ("files", list([file("s3://data/x/0"), file("s3://other/1")])),
        ("maybe", union(SimpleType::Integer, integer(3))),
        ("table", dataset("s3://data/rows", "parquet")),
        ("trees", map([("k", tree("s3://data/tree/"))])),
    ]
}

#[test]
fn do_not_download_lays_out_values_and_references() {
    for (format, layout) in [
        ("JSON", "DIRECT"),
        ("YAML", "NAMED_DIR"),
        ("PROTO", "DIRECT"),
    ] {
        let task = Task::start().unwrap();
        task.put_inputs(references());
        task.put("task/out/error.pb", "of an earlier run");
        let mut download = task.download();
        download.args(["--download-mode", "DO_NOT_DOWNLOAD", "--format", format]);
        let ended = run(download.args(["--file-input-layout", layout]));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);

        let found = files(&task.inputs_dir());
        let mut names: Vec<&str> = found.keys().map(String::as_str).collect();
        names.retain(|name| !name.starts_with("inputs."));
        assert_eq!(names, ["count", "maybe"]);
        assert_eq!(found["count"], b"7");
        let literals = decode_literal_map(found["inputs.pb"].as_slice()).unwrap();
        let expected = references().into_iter();
        let expected = expected.map(|(name, literal)| (name.to_owned(), literal));
        assert_eq!(literals.literals, expected.collect());
        let expected = json!({
            "count": 7,
            "far": "gs://elsewhere/a b?c",
            "files": ["s3://data/x/0", "s3://other/1"],
            "maybe": 3,
            "table": "s3://data/rows",
            "trees": {"k": "s3://data/tree/"},
        });
        match format {
            "JSON" => {
                let metadata: serde_json::Value =
                    serde_json::from_slice(&found["inputs.json"]).unwrap();
                assert_eq!(metadata, expected);
            }
            "YAML" => {
                let metadata = String::from_utf8(found["inputs.yaml"].clone()).unwrap();
                assert!(metadata.contains("\ntable: s3://data/rows\n"), "{metadata}");
            }
            _ => assert_eq!(found.len(), names.len() + 1),
        }
        // What does not depend on the mode: lists and maps are directories, a success clears up.
        assert!(task.inputs_dir().join("trees").is_dir());
        assert!(task.document("error.pb").is_none());
        assert!(!task.inputs_dir().join("trees/k").exists());
    }
}

#[test]
fn do_not_download_still_needs_the_inputs() {
    let task = Task::start().unwrap();
    let ended = run(task.download().args(["-d", "DO_NOT_DOWNLOAD"]));
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert!(
        ended.message().contains("--from-remote"),
        "{}",
        ended.stderr
    );
    assert!(task.document("error.pb").is_some());
    assert!(fs::read_dir(task.inputs_dir()).unwrap().next().is_none());
}

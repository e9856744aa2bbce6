//! The modes without data transfer: references are passed to main, and from main, unchanged.

#![cfg(test)]

use std::fs;

use copilot::idl::container_error::Kind;
use copilot::idl::{
    Literal, SimpleType, blob_type::BlobDimensionality, decode_literal_map, literal_type::Type,
};
use copilot_tests::binary::run;
use copilot_tests::task::{Task, blob, blob_type, files, interface, simple};
use copilot_tests::values::{dataset, dataset_type, integer, list, list_of, map, text, union};
use serde_json::json;

/// Inputs of every type with data; their data does not exist in the store.
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
        ("warehouse", dataset("bq://project:set.rows", "")),
    ]
}

/// What no object store has cannot be fetched, and the message says so.
#[test]
fn a_reference_to_no_object_is_refused_by_name() {
    for uri in [
        "bq://project:set.rows",
        "flyte://av1/p/d/x",
        "hdfs://name/rows",
    ] {
        let task = Task::start().unwrap();
        task.put_inputs([("table", dataset(uri, ""))]);
        let mut download = task.download();
        let ended = run(download.arg("--storage.enable-multicontainer"));
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        let error = task.document("error.pb").unwrap();
        assert_eq!(error.kind(), Kind::NonRecoverable, "{error:?}");
        let scheme = uri.split_inclusive("//").next().unwrap();
        for word in [
            "input \"table\"",
            uri,
            &format!("the scheme {scheme} is not supported"),
        ] {
            assert!(error.message.contains(word), "{}", error.message);
        }
    }
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
            "warehouse": "bq://project:set.rows",
        });
        match format {
            "JSON" => {
                let metadata: serde_json::Value =
                    serde_json::from_slice(&found["inputs.json"]).unwrap();
                assert_eq!(metadata, expected);
            }
            "YAML" => {
                let metadata = String::from_utf8(found["inputs.yaml"].clone()).unwrap();
                assert!(
                    metadata.contains("\ntable: \"s3://data/rows\"\n"),
                    "{metadata}"
                );
            }
            _ => assert_eq!(found.len(), names.len() + 1),
        }
        // The same in all modes: lists and maps are directories, and a success cleans up.
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

/// Outputs, two of which have data.
fn declared() -> Vec<(&'static str, Type)> {
    let file = || blob_type(BlobDimensionality::Single);
    vec![
        ("files", list_of(file())),
        ("rows", Type::StructuredDatasetType(dataset_type("parquet"))),
        ("tree", blob_type(BlobDimensionality::Multipart)),
        ("word", simple(SimpleType::String)),
    ]
}

#[test]
fn do_not_upload_commits_the_references_that_main_left() {
    let task = Task::start().unwrap();
    task.put("task/out/error.pb", "of an earlier run");
    task.write_output("files/0", "s3://elsewhere/a%20b\n");
    task.write_output("files/1.txt", "https://host/c?signature=x");
    task.write_output("rows.parquet", "gs://b/rows\n");
    task.write_output("tree", "  s3://data/tree/\n");
    task.write_output("word", "s3://is/a/text");
    let before = task.objects("");
    let mut sidecar = task.sidecar(&interface(declared()));
    let ended = run(sidecar.args(["--upload-mode", "DO_NOT_UPLOAD"]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);

    let file = |uri| blob(uri, BlobDimensionality::Single);
    let expected = [
        (
            "files",
            list([
                file("s3://elsewhere/a%20b"),
                file("https://host/c?signature=x"),
            ]),
        ),
        ("rows", dataset("gs://b/rows", "parquet")),
        (
            "tree",
            blob("s3://data/tree/", BlobDimensionality::Multipart),
        ),
        ("word", text("s3://is/a/text")),
    ];
    let expected = expected.map(|(name, literal)| (name.to_owned(), literal));
    assert_eq!(task.outputs().unwrap().literals, expected.into());
    // Nothing else was written, and the error of the earlier run is gone.
    let mut after = task.objects("");
    after.remove("task/out/outputs.pb").unwrap();
    assert_eq!(before.len(), 1);
    assert!(after.is_empty(), "{:?}", after.keys());

    // A second run of the same pod finds that the work is done.
    let mut again = task.sidecar(&interface(declared()));
    let ended = run(again.args(["--upload-mode", "DO_NOT_UPLOAD"]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
}

#[test]
fn do_not_upload_refuses_invalid_references() {
    for (content, words) in [
        ("1,2,3\n4,5,6\n", "several lines"),
        ("hello", "has an unknown scheme"),
        ("", "it is empty"),
        ("/var/outputs/o.csv", "has an unknown scheme"),
        ("file:///var/outputs/o.csv", "path"),
        ("hdfs://b/k", "use one of s3, gs"),
        ("s3:///k", "names no container"),
        ("s3://b/%zz", "not a reference"),
        ("s3://b/k\r\n", "control character"),
        ("mem://b/k", "memory"),
    ] {
        let task = Task::start().unwrap();
        task.write_output("o", content);
        let outputs = interface([("o", blob_type(BlobDimensionality::Single))]);
        let ended = run(task.sidecar(&outputs).args(["-u", "DO_NOT_UPLOAD"]));
        assert_eq!(ended.code(), 1, "{content:?}: {}", ended.stderr);
        let message = ended.message();
        assert!(message.contains(words), "{content:?}: {message}");
        assert!(message.contains("output \"o\""), "{content:?}: {message}");
        assert!(message.contains("/outputs/o"), "{content:?}: {message}");
        assert!(task.outputs().is_none());
        assert!(task.document("error.pb").is_some());
    }
}

#[test]
fn a_reference_below_the_local_store_is_one() {
    let task = Task::start().unwrap();
    let store = task.site.work("store");
    fs::create_dir_all(store.join("data")).unwrap();
    let uri = format!("file://{}/data/raw/o", store.display());
    task.write_output("o", &uri);
    let mut sidecar = copilot_tests::binary::command();
    sidecar.args([
        "--storage.type=stow",
        "--storage.stow.kind=local",
        "--storage.container=data",
    ]);
    sidecar.args([
        "--storage.stow.config",
        &format!("path={}", store.display()),
    ]);
    let outputs = interface([("o", blob_type(BlobDimensionality::Single))]);
    sidecar.args(task.sidecar_arguments(&outputs));
    sidecar.args([
        "--to-output-prefix=file://data/out",
        "--watcher=noop",
        "-u",
        "DO_NOT_UPLOAD",
    ]);
    let ended = run(&mut sidecar);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let literals = fs::read(store.join("data/out/outputs.pb")).unwrap();
    let literals = decode_literal_map(literals.as_slice()).unwrap().literals;
    assert_eq!(literals["o"], blob(&uri, BlobDimensionality::Single));
}

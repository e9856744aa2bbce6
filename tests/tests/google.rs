//! Tasks whose data is in Google Cloud Storage.
//!
//! `fake-gcs-server` reads and lists as the service does, so downloads run against it. It takes no
//! objects by the interface that we write through; that one is S3's in all but the signature, so
//! uploads run against our S3 server, which asks nobody who they are. What no test here sees is
//! Google's own word on either.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{LiteralMap, Message as _, decode_literal_map, primitive};
use copilot_tests::binary;
use copilot_tests::emulator::{Emulator, FAKE_GCS};
use copilot_tests::requirement::Requirement;
use copilot_tests::s3::S3Server;
use copilot_tests::site::bytes;
use copilot_tests::task::{blob, blob_type, files, interface};

/// Several ranges, or parts.
const LARGE: usize = 20 << 20;

/// A program that finds the store by `STORAGE_EMULATOR_HOST`, as Google's own libraries do.
fn copilot(address: &str) -> Command {
    let mut command = binary::command();
    command.env("STORAGE_EMULATOR_HOST", address).args([
        "--storage.limits.maxDownloadMBs=0",
        "--storage.container=data",
        "--storage.type=stow",
        "--storage.stow.kind=google",
        "--storage.stow.config",
        "json=",
        "--storage.stow.config",
        "project_id=p",
    ]);
    command
}

fn download(command: &mut Command, to: &Path) -> binary::Ended {
    let to = to.display().to_string();
    binary::run(
        command
            .args(["download", "--from-remote", "gs://data/task/inputs.pb"])
            .args([
                "--to-output-prefix",
                "gs://data/task/out",
                "--to-local-dir",
                &to,
            ]),
    )
}

/// Puts an object there by Google's other interface.
fn put(store: &Emulator, key: &str, content: &[u8]) {
    let name = key
        .replace('%', "%25")
        .replace(' ', "%20")
        .replace('/', "%2F");
    let line = format!("POST /upload/storage/v1/b/data/o?uploadType=media&name={name}");
    let (status, body) = store.ask(&line, content).unwrap();
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
}

fn fake_gcs() -> Emulator {
    let store = Emulator::fake_gcs().unwrap();
    let head = "POST /storage/v1/b?project=p\nContent-Type: application/json";
    assert_eq!(store.ask(head, br#"{"name": "data"}"#).unwrap().0, 200);
    store
}

#[test]
fn inputs_come_down() {
    if !Requirement::Emulator(FAKE_GCS).is_met() {
        return;
    }
    let store = fake_gcs();
    let text = primitive::Value::StringValue("value".to_owned());
    let literals = [
        ("text", text.into()),
        ("dir", blob("gs://data/task/in/dir", Multipart)),
        ("large", blob("gs://data/task/in/large", Single)),
        ("empty", blob("gs://data/task/in/empty", Single)),
    ];
    let literals = literals.map(|(name, literal)| (name.to_owned(), literal));
    let inputs = LiteralMap {
        literals: literals.into(),
    };
    put(&store, "task/inputs.pb", &inputs.encode_to_vec());
    put(&store, "task/in/large", &bytes(LARGE, 1));
    put(&store, "task/in/empty", b"");
    for name in ["one", "sub/two", "100% odd"] {
        put(&store, &format!("task/in/dir/{name}"), name.as_bytes());
    }
    put(&store, "task/in/dir2/sibling", b"not beneath it");

    let place = tempfile::tempdir().unwrap();
    let ended = download(&mut copilot(&store.address().to_string()), place.path());
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let found = files(place.path());
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    let expected = [
        "dir/100% odd",
        "dir/one",
        "dir/sub/two",
        "empty",
        "inputs.json",
        "inputs.pb",
        "large",
        "text",
    ];
    assert_eq!(names, expected);
    assert!(found["large"] == bytes(LARGE, 1));
    for name in ["one", "sub/two", "100% odd"] {
        assert_eq!(found[&format!("dir/{name}")], name.as_bytes());
    }
}

#[test]
fn what_is_missing_is_named() {
    if !Requirement::Emulator(FAKE_GCS).is_met() {
        return;
    }
    let store = fake_gcs();
    let place = tempfile::tempdir().unwrap();
    let ended = download(&mut copilot(&store.address().to_string()), place.path());
    assert_ne!(ended.code(), 0);
    let message = ended.message();
    assert!(message.contains("gs://data/task/inputs.pb"), "{message}");
    assert!(message.contains("does not exist"), "{message}");
}

#[test]
fn outputs_go_up() {
    let place = tempfile::tempdir().unwrap();
    let (root, outputs) = (place.path().join("store"), place.path().join("outputs"));
    fs::create_dir_all(root.join("data")).unwrap();
    fs::create_dir_all(outputs.join("dir")).unwrap();
    let store = S3Server::open(&root).unwrap();
    fs::write(outputs.join("large"), bytes(LARGE, 2)).unwrap();
    fs::write(outputs.join("dir/100% odd"), "odd").unwrap();
    // An error document of an earlier run, which must go.
    fs::create_dir_all(root.join("data/task/out")).unwrap();
    fs::write(root.join("data/task/out/errors.pb"), "stale").unwrap();

    let declared = interface([("large", blob_type(Single)), ("dir", blob_type(Multipart))]);
    let declared = BASE64_STANDARD.encode(declared.encode_to_vec());
    let mut command = copilot(store.endpoint.trim_start_matches("http://"));
    command
        .args(["sidecar", "--to-raw-output", "gs://data/task/raw"])
        .args(["--to-output-prefix", "gs://data/task/out"])
        .args(["--from-local-dir", &outputs.display().to_string()])
        .args(["--interface", &declared, "--watcher=noop"]);
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);

    let found = files(&root.join("data"));
    assert!(found["task/raw/large"] == bytes(LARGE, 2));
    assert_eq!(found["task/raw/dir/100% odd"], b"odd");
    assert!(!found.contains_key("task/out/errors.pb"));
    assert!(store.unfinished_uploads().unwrap().is_empty());
    let committed = decode_literal_map(found["task/out/outputs.pb"].as_slice()).unwrap();
    let large = format!("{:?}", committed.literals["large"]);
    assert!(large.contains("\"gs://data/task/raw/large\""), "{large}");
}

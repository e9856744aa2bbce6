//! A tree that goes up and comes down again, in every kind of store.

use std::fs;
use std::path::Path;

use copilot_tests::binary;
use copilot_tests::site::bytes;
use copilot_tests::stores;
use copilot_tests::task::files;

use super::succeed;

/// Names that a URL would take for something else, and ordinary ones.
const NAMES: [&str; 8] = [
    "one",
    "sub/two",
    "100% odd#",
    "a?b",
    "x#12",
    "é+",
    "日本/語",
    "a b/c%41",
];

/// Several ranges, or parts.
const LARGE: usize = 20 << 20;

fn write_tree(directory: &Path) {
    for name in NAMES {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    fs::write(directory.join("large"), bytes(LARGE, 3)).unwrap();
    fs::write(directory.join("empty"), "").unwrap();
}

#[test]
fn a_tree_is_the_same_in_every_store() {
    for store in stores::all() {
        if let Some(lack) = store.lacks() {
            eprintln!("store: {}: not run, for it lacks {lack:?}", store.name());
            continue;
        }
        eprintln!("store: {}", store.name());
        let place = tempfile::tempdir().unwrap();
        let (out, back) = (place.path().join("out"), place.path().join("back"));
        fs::create_dir(&out).unwrap();
        write_tree(&out);
        let prefix = format!("{}/run 7/out", store.base());
        let mut command = store.command();
        command.args([
            "sidecar",
            "--watcher=noop",
            "--to",
            &prefix,
            "--from-local-dir",
        ]);
        succeed(command.arg(&out));
        let manifest = store.get("run 7/out/manifest.json").unwrap();
        assert!(manifest.starts_with(b"{\"format\":\"copilot-manifest/1\""));
        assert_eq!(store.get("run 7/out/failure.json"), None);
        let mut command = store.command();
        command.args(["download", "--from", &prefix, "--to-local-dir"]);
        succeed(command.arg(&back)).assert_logged(&["\"verified\":true"]);
        assert!(files(&back) == files(&out), "{}", store.name());
    }
}

/// A directory of this machine needs no settings.
#[test]
fn a_directory_is_a_store_without_any_settings() {
    let place = tempfile::tempdir().unwrap();
    let (out, back) = (place.path().join("out"), place.path().join("back"));
    fs::create_dir(&out).unwrap();
    write_tree(&out);
    let prefix = format!("file://{}/archive/run", place.path().display());
    let mut command = binary::command();
    command.args([
        "sidecar",
        "--watcher=noop",
        "--to",
        &prefix,
        "--from-local-dir",
    ]);
    succeed(command.arg(&out));
    assert!(place.path().join("archive/run/manifest.json").is_file());
    let mut command = binary::command();
    command.args(["download", "--from", &prefix, "--to-local-dir"]);
    succeed(command.arg(&back));
    assert!(files(&back) == files(&out));
}

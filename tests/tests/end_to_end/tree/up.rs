//! What goes up, and what the manifest says of it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use copilot_tests::binary::{Running, wait_until};
use copilot_tests::fault::Fault;
use copilot_tests::site::bytes;
use copilot_tests::task::{Task, files};
use serde_json::json;

use super::{document, fail, files_in_store, listed, proxy, succeed, through, up};

/// Several parts.
const LARGE: usize = 20 << 20;

#[test]
fn every_file_goes_up_and_the_manifest_comes_last() {
    let task = Task::start().unwrap();
    task.write_output("model/weights", bytes(LARGE, 7));
    task.write_output("model/.hidden", "h");
    task.write_output("100% odd#.csv", "1,2\n");
    task.write_output("empty", "");
    task.write_output("a\nb", "line");
    symlink("model/.hidden", task.outputs_dir().join("link")).unwrap();
    fs::create_dir_all(task.outputs_dir().join("nothing/here")).unwrap();
    let proxy = proxy(&task, |_| Fault::None);
    let ended = succeed(&mut through(up(&task), &proxy));
    ended.assert_logged(&[
        "empty and are not uploaded",
        "nothing/here",
        "the files are committed",
    ]);

    let mut expected = files(&task.outputs_dir());
    expected.insert("link".to_owned(), b"h".to_vec());
    assert!(
        files_in_store(&task) == expected,
        "{:?}",
        files_in_store(&task).keys()
    );
    let manifest = document(&task, "manifest.json").unwrap();
    assert_eq!(listed(&manifest), expected.keys().collect::<Vec<_>>());
    let total: usize = expected.values().map(Vec::len).sum();
    assert_eq!(manifest["total"], json!({"files": 6, "bytes": total}));
    assert_eq!(manifest["outcome"], "succeeded");
    assert_eq!(manifest["main"]["watcher"], "noop");
    assert_eq!(manifest["main"]["exit_code"], json!(null));
    for file in manifest["files"].as_array().unwrap() {
        let content = &expected[file["path"].as_str().unwrap()];
        assert_eq!(file["bytes"], content.len(), "{file}");
        assert_eq!(file["sha256"], sha256(content), "{file}");
    }
    let seen = proxy.seen();
    let mut writes = seen
        .iter()
        .filter(|seen| !seen.line.starts_with(['G', 'H']));
    let last = writes.next_back().unwrap();
    assert_eq!(last.line, "PUT /data/run/manifest.json");
    // Nothing of ours stays among main's files.
    let left = files(&task.outputs_dir());
    assert!(
        left.keys().all(|name| !name.starts_with(".copilot")),
        "{left:?}"
    );
}

/// The checksum by another program.
fn sha256(content: &[u8]) -> String {
    let mut program = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(content).unwrap();
    let output = program.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').next().unwrap().to_owned()
}

#[test]
fn a_directory_without_files_has_a_manifest_without_files() {
    let task = Task::start().unwrap();
    succeed(&mut up(&task)).assert_logged(&["main has left no file"]);
    let manifest = document(&task, "manifest.json").unwrap();
    assert_eq!(manifest["total"], json!({"files": 0, "bytes": 0}));
    assert_eq!(listed(&manifest), [""; 0]);
}

#[test]
fn what_cannot_go_up_commits_nothing() {
    for (make, words) in [
        (
            (|task: &Task| task.write_output("manifest.json", "{}")) as fn(&Task),
            &[
                "\"manifest.json\"",
                "stands for the outcome of the run",
                "Rename it",
            ][..],
        ),
        (
            |task| task.write_output("failure.json/x", "{}"),
            &["\"failure.json\"", "Rename it"],
        ),
        (
            |task| symlink("/etc/hostname", task.outputs_dir().join("out")).unwrap(),
            &["/out", "cannot be read"],
        ),
        (
            |task| {
                let socket = task.outputs_dir().join("socket");
                drop(std::os::unix::net::UnixListener::bind(socket).unwrap());
            },
            &["/socket", "cannot be read"],
        ),
        (
            |task| fs::remove_dir_all(task.outputs_dir()).unwrap(),
            &["--from-local-dir"],
        ),
    ] {
        let task = Task::start().unwrap();
        task.write_output("good", "g");
        make(&task);
        fail(&mut up(&task), words);
        assert_eq!(document(&task, "manifest.json"), None, "{words:?}");
        let failure = document(&task, "failure.json").unwrap();
        assert_eq!(failure["outcome"], "failed");
        let message = failure["error"]["message"].as_str().unwrap();
        assert!(message.contains(words[0]), "{failure}");
    }
}

#[test]
fn names_of_ours_send_nothing_at_all() {
    let task = Task::start().unwrap();
    task.write_output("good", "g");
    task.write_output("failure.json", "{}");
    fail(&mut up(&task), &["\"failure.json\""]);
    assert!(files_in_store(&task).is_empty());
    let failure = document(&task, "failure.json").unwrap();
    assert_eq!(failure["error"]["origin"], "user");
    // Deeper down the names are main's.
    fs::remove_file(task.outputs_dir().join("failure.json")).unwrap();
    task.write_output("sub/manifest.json", "{}");
    succeed(&mut up(&task));
    let manifest = document(&task, "manifest.json").unwrap();
    assert_eq!(listed(&manifest), ["good", "sub/manifest.json"]);
}

/// Also where it keeps its size: what the manifest says must be what the store has.
#[test]
fn a_file_that_changes_during_its_upload_fails_the_run() {
    let task = Task::start().unwrap();
    task.write_output("word", "one");
    let open = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&open);
    let proxy = proxy(&task, move |seen| {
        if seen.line.starts_with("PUT /data/run/word") && !is_open.load(Ordering::Relaxed) {
            Fault::Answer(503, "Retry-After: 1\r\n")
        } else {
            Fault::None
        }
    });
    let running = Running::start(&mut through(up(&task), &proxy));
    wait_until("the upload begins", || {
        proxy.seen().iter().any(|seen| seen.line.starts_with("PUT"))
    });
    task.write_output("word", "two");
    open.store(true, Ordering::Relaxed);
    let ended = running.ended();
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let words = "was changed while it was uploaded";
    assert!(ended.message().contains(words), "{}", ended.stderr);
    assert_eq!(document(&task, "manifest.json"), None);
}

#[test]
fn the_programs_own_error_is_the_failure() {
    let task = Task::start().unwrap();
    task.write_output("good", "g");
    let error = json!({"code": "NoColumn", "message": "no column x", "kind": "non-recoverable"});
    task.write_output("_ERROR", error.to_string());
    fail(&mut up(&task), &["no column x"]);
    let failure = document(&task, "failure.json").unwrap();
    assert_eq!(
        failure["error"],
        json!({"code": "NoColumn", "message": "no column x", "kind": "non-recoverable", "origin": "user"})
    );
    assert!(files_in_store(&task).is_empty());
}

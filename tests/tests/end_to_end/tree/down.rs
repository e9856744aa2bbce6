//! What comes down: a prefix, one object, or exactly the files of a manifest.

use std::fs;

use copilot_tests::task::{Task, files};
use serde_json::{Value, json};

use super::{PREFIX, document, down, fail, succeed, up};

/// A task with a tree in the store, and nothing else.
fn tree() -> Task {
    let task = Task::start().unwrap();
    for name in ["a", "sub/b", "sub/deep/c"] {
        task.put(&format!("run/{name}"), name);
    }
    task
}

fn names(task: &Task) -> Vec<String> {
    files(&task.inputs_dir()).into_keys().collect()
}

#[test]
fn a_prefix_comes_down_as_it_is() {
    for from in [PREFIX, "s3://data/run/"] {
        let task = tree();
        // Somebody else's file of this name.
        task.put("run/manifest.json", "{\"name\": \"app\"}");
        task.put("runner/x", "of another prefix");
        succeed(&mut down(&task, from));
        let found = files(&task.inputs_dir());
        assert_eq!(names(&task), ["a", "manifest.json", "sub/b", "sub/deep/c"]);
        assert_eq!(found["sub/b"], b"sub/b");
    }
}

#[test]
fn one_object_comes_down_under_its_own_name() {
    let task = tree();
    let signed = format!("{}/data/run/a?x=1", task.site.server.endpoint);
    succeed(&mut down(&task, "s3://data/run/sub/b"));
    assert_eq!(names(&task), ["b"]);
    // The server refuses strangers; the request goes to the object itself.
    let ended = fail(&mut down(&task, &signed), &["/data/run/a"]);
    assert!(!ended.stderr.contains("manifest.json"), "{}", ended.stderr);
}

#[test]
fn nothing_to_fetch_is_a_failure() {
    let task = tree();
    for (from, words) in [
        ("s3://data/none", "no object has this key"),
        // A prefix ends at a `/`: the beginning of a name does not match.
        ("s3://data/ru", "no object has this key"),
        ("s3://nobucket/x", "does not exist"),
    ] {
        fail(&mut down(&task, from), &[words, from]);
    }
}

#[test]
fn files_of_an_earlier_run_are_named_and_stay() {
    let task = tree();
    succeed(&mut down(&task, PREFIX));
    fs::remove_file(task.site.server.file("data", "run/a")).unwrap();
    let ended = succeed(&mut down(&task, PREFIX));
    ended.assert_logged(&[
        "were here before and are not part of the inputs",
        r#"\"a\""#,
    ]);
    assert_eq!(names(&task), ["a", "sub/b", "sub/deep/c"]);
}

/// A task with a committed tree.
fn committed() -> Task {
    let task = Task::start().unwrap();
    for name in ["a", "sub/b"] {
        task.write_output(name, name);
    }
    succeed(&mut up(&task));
    task
}

#[test]
fn a_manifest_is_the_list_of_what_is_fetched() {
    let task = committed();
    task.put("run/stray", "of a run that was killed");
    task.put("run/sub/stray", "too");
    succeed(&mut down(&task, PREFIX)).assert_logged(&["\"verified\":true"]);
    assert_eq!(names(&task), ["a", "sub/b"]);
}

#[test]
fn files_that_differ_from_the_manifest_are_refused_and_removed() {
    for (make, words) in [
        (
            (|task: &Task| task.put("run/sub/b", "SUB/B")) as fn(&Task),
            &["\"sub/b\" has the checksum", "try again"][..],
        ),
        (
            |task| task.put("run/sub/b", "longer than it was"),
            &["\"sub/b\" has 18 bytes, and the list says 5"],
        ),
        (
            |task| fs::remove_file(task.site.server.file("data", "run/sub/b")).unwrap(),
            &["run/sub/b", "does not exist"],
        ),
    ] {
        let task = committed();
        make(&task);
        fail(&mut down(&task, PREFIX), words);
        assert!(!names(&task).contains(&"sub/b".to_owned()), "{words:?}");
    }
}

/// The manifest of a committed tree, changed.
fn with_manifest(change: impl Fn(&mut Value)) -> Task {
    let task = committed();
    let mut manifest = document(&task, "manifest.json").unwrap();
    change(&mut manifest);
    task.put("run/manifest.json", manifest.to_string());
    task
}

#[test]
fn a_manifest_that_cannot_be_right_is_refused() {
    for (path, words) in [
        ("../out", "component `.` or `..`"),
        ("/etc/passwd", "an empty component"),
        ("", "an empty component"),
        ("a\u{0}b", "a zero byte"),
    ] {
        let task = with_manifest(|manifest| manifest["files"][0]["path"] = json!(path));
        fail(&mut down(&task, PREFIX), &["manifest.json lists", words]);
        assert!(names(&task).is_empty(), "{path}");
    }
    let task = with_manifest(|manifest| manifest["format"] = json!("copilot-manifest/9"));
    fail(
        &mut down(&task, PREFIX),
        &["manifest.json", "copilot-manifest/9", "newer version"],
    );
    let task = with_manifest(|manifest| manifest["files"][0]["sha256"] = json!("12"));
    fail(
        &mut down(&task, PREFIX),
        &["manifest.json", "damaged", "64 hexadecimal digits"],
    );
    // Before the first file comes.
    let task = with_manifest(|manifest| manifest["files"][1]["bytes"] = json!(1_u64 << 60));
    fail(
        &mut down(&task, PREFIX),
        &["inputs has no room", "1048576 TiB"],
    );
    assert!(names(&task).is_empty());
    // Fields that a later version adds change nothing.
    let task = with_manifest(|manifest| manifest["files"][0]["mode"] = json!(0o644));
    succeed(&mut down(&task, PREFIX));
}

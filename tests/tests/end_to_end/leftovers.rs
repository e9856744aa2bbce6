//! What a run finds or leaves beside the data: files of an earlier run in the input volume, and empty
//! directories among outputs.

use std::fs;
use std::path::Path;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::primitive;
use copilot_tests::binary::{self, Ended};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::task::{Task, blob, blob_type, files, interface};

/// What warns of files of an earlier run.
const WARNING: &str = "were here before and are not part of the inputs";

fn download(task: &Task, arguments: &[&str]) -> Ended {
    let ended = binary::run(task.download().args(arguments));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    ended
}

fn write(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "of an earlier time").unwrap();
}

fn value(text: &str) -> copilot::idl::Literal {
    primitive::Value::StringValue(text.to_owned()).into()
}

/// A task whose inputs are a directory of two files, a file and a value.
fn task() -> Task {
    let task = Task::start().unwrap();
    for name in ["dir/a", "dir/b", "one.csv", "two.csv"] {
        task.put(&format!("task/in/{name}"), name);
    }
    task.put_inputs([
        ("dir", blob("s3://data/task/in/dir", Multipart)),
        ("file", blob("s3://data/task/in/one.csv", Single)),
        ("gone", value("old")),
    ]);
    task
}

#[test]
fn files_of_an_earlier_run_are_named() {
    for layout in ["DIRECT", "NAMED_DIR"] {
        let task = task();
        let arguments = ["--file-input-layout", layout, "--format", "YAML"];
        let first = download(&task, &arguments);
        assert!(!first.stderr.contains(WARNING), "{}", first.stderr);
        let again = download(&task, &arguments);
        assert!(!again.stderr.contains(WARNING), "{}", again.stderr);

        // Main, or another container, has files of its own there.
        write(&task.inputs_dir().join("mine/notes"));
        fs::create_dir(task.inputs_dir().join("hollow")).unwrap();
        fs::remove_file(task.site.server.file("data", "task/in/dir/b")).unwrap();
        task.put_inputs([
            ("dir", blob("s3://data/task/in/dir", Multipart)),
            ("file", blob("s3://data/task/in/two.csv", Single)),
        ]);
        let arguments = ["--file-input-layout", layout, "--format", "JSON"];
        let other = download(&task, &arguments);
        other.assert_logged(&[
            WARNING,
            "dir/b",
            "gone",
            "hollow",
            "mine/notes",
            "inputs.yaml",
        ]);
        let warning = other.stderr.lines().find(|line| line.contains(WARNING));
        let warning = warning.unwrap();
        // The earlier run's metadata says that this one is not main's.
        assert!(!task.inputs_dir().join("file/one.csv").exists(), "{layout}");
        for new in ["dir/a", "two.csv", "inputs.json", "inputs.pb"] {
            assert!(!warning.contains(new), "{new}: {warning}");
        }
        // Nothing of main's is deleted.
        assert!(task.inputs_dir().join("mine/notes").exists());
    }
}

#[test]
fn unfinished_files_of_an_earlier_run_are_removed() {
    let task = task();
    let unfinished = [
        ".copilot-partial.0123456789abcdef",
        "dir/.copilot-partial.0123456789abcdef",
        "dir/.copilot-partial.fedcba9876543210/inner",
    ];
    for name in unfinished {
        write(&task.inputs_dir().join(name));
    }
    let ended = download(&task, &[]);
    assert!(!ended.stderr.contains(WARNING), "{}", ended.stderr);
    let left = files(&task.inputs_dir());
    let names: Vec<&str> = left.keys().map(String::as_str).collect();
    let expected = ["dir/a", "dir/b", "file", "gone", "inputs.json", "inputs.pb"];
    assert_eq!(names, expected);
}

/// Metadata files say that everything is in place, so those of an earlier run go before data comes.
#[test]
fn metadata_of_an_earlier_run_does_not_outlive_a_failure() {
    let task = task();
    download(&task, &[]);
    let proxy = FaultProxy::start(task.site.server.address(), |seen| {
        if seen.line.contains("/task/in/") {
            return Fault::Refuse(403, "AccessDenied");
        }
        Fault::None
    })
    .unwrap();
    let mut command = task.download();
    let endpoint = format!("endpoint={}", proxy.endpoint());
    command.args(["--storage.stow.config", &endpoint]);
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    for name in ["inputs.pb", "inputs.json"] {
        assert!(!task.inputs_dir().join(name).exists(), "{name}");
    }
}

#[test]
fn empty_directories_of_an_output_are_named_once() {
    const LOST: &str = "empty and are not uploaded";
    for mode in ["UPLOAD_ON_EXIT", "UPLOAD_EAGER"] {
        let task = Task::start().unwrap();
        task.write_output("d/f", "content");
        for number in 0..12 {
            fs::create_dir_all(task.outputs_dir().join(format!("d/a/{number:02}"))).unwrap();
        }
        // Without any file.
        fs::create_dir_all(task.outputs_dir().join("e")).unwrap();
        let declared = interface([("d", blob_type(Multipart)), ("e", blob_type(Multipart))]);
        let mut command = task.sidecar(&declared);
        let ended = binary::run(command.args(["--upload-mode", mode]));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        ended.assert_logged(&[LOST, "d/a/00", "d/a/09", "and 2 more", "/e\""]);
        assert!(!ended.stderr.contains("d/a/10"), "{}", ended.stderr);
        // One for each output.
        let warnings = ended.stderr.matches(LOST).count();
        assert_eq!(warnings, 2, "{mode}: {}", ended.stderr);
        assert_eq!(task.objects("task/raw").len(), 1);
    }
}

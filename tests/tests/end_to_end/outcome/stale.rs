//! Error documents of an earlier run, before a run that succeeds.

use std::fs;
use std::process::Command;

use copilot::idl::{SimpleType, container_error::Kind, execution_error::ErrorKind, primitive};
use copilot_tests::binary;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::task::{DOCUMENTS, Task, interface, simple};

const STALE: &str = "\n\x05stale";

fn task() -> Task {
    let task = Task::start().unwrap();
    task.write_output("n", "1");
    task.put_inputs([("n", primitive::Value::Integer(1).into())]);
    task
}

/// Writes documents like those of an earlier run.
fn lay(task: &Task, names: &[&str]) {
    for name in names {
        task.put(&format!("task/out/{name}"), STALE);
    }
}

fn sidecar(task: &Task) -> Command {
    task.sidecar(&interface([("n", simple(SimpleType::Integer))]))
}

/// The names under the output prefix.
fn left(task: &Task) -> Vec<String> {
    task.objects("task/out").into_keys().collect()
}

/// A proxy to the store that answers 403 to requests for error documents with these methods.
fn without_rights(task: &Task, methods: &'static [&'static str]) -> FaultProxy {
    FaultProxy::start(task.site.server.address(), |seen| {
        let (method, target) = seen.line.split_once(' ').unwrap();
        if methods.contains(&method) && target.contains("/task/out/err") {
            return Fault::Answer(403, "");
        }
        Fault::None
    })
    .unwrap()
}

fn through(mut command: Command, proxy: &FaultProxy) -> Command {
    let endpoint = format!("endpoint={}", proxy.endpoint());
    command.args(["--storage.stow.config", &endpoint]);
    command
}

#[test]
fn old_documents_do_not_remain_after_a_success() {
    let task = task();
    lay(&task, &DOCUMENTS);
    let ended = binary::run(&mut sidecar(&task));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(left(&task), ["outputs.pb"]);

    lay(&task, &["error.pb"]);
    let ended = binary::run(&mut task.download());
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(left(&task), ["outputs.pb"]);

    // A main without outputs succeeds, too.
    lay(&task, &["errors.pb"]);
    let ended = binary::run(&mut task.sidecar(&interface([])));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(left(&task), ["outputs.pb"]);
}

#[test]
fn only_documents_with_the_given_name_are_deleted() {
    let task = task();
    lay(&task, &["error.pb", "mine.pb"]);
    for mut command in [sidecar(&task), task.download()] {
        lay(&task, &["mine.pb"]);
        let ended = binary::run(command.args(["--err-output-name", "mine.pb"]));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        assert!(!left(&task).contains(&"mine.pb".to_owned()));
    }
    assert_eq!(left(&task), ["error.pb", "outputs.pb"]);
}

#[test]
fn a_local_store_forgets_them_too() {
    let task = task();
    lay(&task, &DOCUMENTS);
    let path = task.site.server.file("data", "");
    let path = path.ancestors().nth(1).unwrap().display();
    let mut command = binary::command();
    command
        .args(["--storage.type=stow", "--storage.stow.kind=local"])
        .args(["--storage.container=data", "--storage.stow.config"])
        .arg(format!("path={path}"))
        .args(task.sidecar_arguments(&interface([("n", simple(SimpleType::Integer))])))
        .args(["--to-output-prefix", "file://data/task/out"])
        .arg("--watcher=noop");
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(left(&task), ["outputs.pb"]);
}

/// Without documents there are no delete requests.
#[test]
fn a_role_without_the_right_to_delete_does_no_harm() {
    let task = task();
    let proxy = without_rights(&task, &["DELETE"]);
    for command in [sidecar(&task), task.download()] {
        let ended = binary::run(&mut through(command, &proxy));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
    }
    let seen = proxy.seen();
    assert!(seen.iter().any(|seen| seen.line.starts_with("HEAD ")));
    assert!(!seen.iter().any(|seen| seen.line.starts_with("DELETE ")));
}

/// The platform would believe the old document, so this run fails and reports that.
#[test]
fn a_document_that_cannot_be_deleted_is_reported() {
    for code in ["OutputUploadFailed", "InputDownloadFailed"] {
        let task = task();
        let command = match code {
            "OutputUploadFailed" => sidecar(&task),
            _ => task.download(),
        };
        lay(&task, &["error.pb"]);
        let proxy = without_rights(&task, &["DELETE"]);
        let ended = binary::run(&mut through(command, &proxy));
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        assert_eq!(left(&task), DOCUMENTS);
        let document = task.document("error.pb").unwrap();
        assert_eq!(document.code, code);
        assert_eq!(
            (document.kind(), document.origin()),
            (Kind::NonRecoverable, ErrorKind::System)
        );
        for part in [
            "s3://data/task/out/error.pb",
            "earlier run",
            "s3:DeleteObject",
        ] {
            assert!(document.message.contains(part), "{}", document.message);
        }
        assert!(!task.inputs_dir().join("inputs.pb").exists());
    }
}

/// A store that does not allow reading: a warning, once for each name.
#[test]
fn a_document_that_may_exist_is_a_warning() {
    let task = task();
    let proxy = without_rights(&task, &["HEAD", "DELETE"]);
    let ended = binary::run(&mut through(sidecar(&task), &proxy));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(left(&task), ["outputs.pb"]);
    let warnings = ended.stderr.lines().filter(|line| {
        line.contains(
            "does not say whether an earlier run left this object, and does not delete it",
        ) && line.contains("access denied")
    });
    assert_eq!(warnings.count(), 2, "{}", ended.stderr);

    // If the document can be deleted without reading, there is no warning.
    lay(&task, &DOCUMENTS);
    let proxy = without_rights(&task, &["HEAD"]);
    let ended = binary::run(&mut through(sidecar(&task), &proxy));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(left(&task), ["outputs.pb"]);
    assert!(
        !ended.stderr.contains("does not say whether"),
        "{}",
        ended.stderr
    );
}

/// The document is deleted before the outputs are written: a reader never sees both.
#[test]
fn the_outputs_come_last() {
    let task = task();
    lay(&task, &DOCUMENTS);
    let proxy = without_rights(&task, &[]);
    let ended = binary::run(&mut through(sidecar(&task), &proxy));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let lines: Vec<String> = proxy.seen().into_iter().map(|seen| seen.line).collect();
    let last = lines.last().unwrap();
    assert!(
        last.starts_with("PUT /data/task/out/outputs.pb"),
        "{lines:?}"
    );
    assert!(fs::read(task.site.server.file("data", "task/out/outputs.pb")).is_ok());
}

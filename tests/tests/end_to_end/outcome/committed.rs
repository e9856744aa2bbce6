//! What an earlier run has committed: its references say nothing about its data. A run that fails never
//! succeeds because of them, and what it overwrites is not committed meanwhile.

use std::fs;
use std::path::Path;
use std::process::Command;

use copilot::idl::TypedInterface;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::binary::{self, Running};
use copilot_tests::fault::{Fault, FaultProxy, Seen};
use copilot_tests::pod::Pod;
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{DOCUMENTS, Task, blob_type, interface};
use rustix::fs::{CWD, Mode, mkfifoat};

fn outputs() -> TypedInterface {
    interface([("d", blob_type(Multipart)), ("f", blob_type(Single))])
}

fn write(task: &Task, content: &str) {
    for name in ["d/a", "d/b", "d/c", "f"] {
        task.write_output(name, content);
    }
}

/// A task whose outputs are committed, all with the content `old`.
fn committed() -> Task {
    let task = Task::start().unwrap();
    write(&task, "old");
    let ended = binary::run(&mut task.sidecar(&outputs()));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    task
}

fn names(task: &Task, prefix: &str) -> Vec<String> {
    task.objects(prefix).into_keys().collect()
}

/// The sidecar behind a proxy that refuses some requests with 403.
fn refusing(
    task: &Task,
    is_refused: impl Fn(&Seen) -> bool + Send + Sync + 'static,
) -> (FaultProxy, Command) {
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        if is_refused(seen) {
            return Fault::Answer(403, "");
        }
        Fault::None
    })
    .unwrap();
    let mut command = task.sidecar(&outputs());
    let endpoint = format!("endpoint={}", proxy.endpoint());
    command.args(["--storage.stow.config", &endpoint]);
    (proxy, command)
}

/// Puts a named pipe, which cannot be uploaded, in the place of a file.
fn make_pipe(path: &Path) {
    fs::remove_file(path).unwrap();
    mkfifoat(CWD, path, Mode::from_raw_mode(0o644)).unwrap();
}

/// The outputs' literals are the same as before, and their data is not.
#[test]
fn an_upload_that_fails_is_no_success_because_its_references_are_committed() {
    let task = committed();
    write(&task, "new");
    make_pipe(&task.outputs_dir().join("d/b"));
    let ended = binary::run(&mut task.sidecar(&outputs()));
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert_eq!(names(&task, "task/out"), DOCUMENTS);
    ended.assert_logged(&["an earlier run committed its outputs here"]);
}

#[test]
fn a_local_store_is_no_exception() {
    let task = Task::start().unwrap();
    let path = task.site.server.file("data", "");
    let path = path.ancestors().nth(1).unwrap().display().to_string();
    let sidecar = || {
        let mut command = binary::command();
        command
            .args(["--storage.type=stow", "--storage.stow.kind=local"])
            .args(["--storage.container=data", "--storage.stow.config"])
            .arg(format!("path={path}"))
            .args(task.sidecar_arguments(&outputs()))
            .args(["--to-output-prefix", "file://data/task/out"])
            .args(["--to-raw-output", "file://data/task/raw"])
            .args(["--watcher=noop", "--logger.level=4"]);
        binary::run(&mut command)
    };
    write(&task, "old");
    assert_eq!(sidecar().code(), 0);
    // Proven: nothing is left to do.
    let again = sidecar();
    assert_eq!(again.code(), 0);
    again.assert_logged(&["the store holds their data"]);
    write(&task, "new");
    make_pipe(&task.outputs_dir().join("d/b"));
    let ended = sidecar();
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert_eq!(names(&task, "task/out"), DOCUMENTS);
}

/// Each difference is found: of a file's bytes, of one file more or less, here or there.
#[test]
fn other_data_is_not_taken_for_committed() {
    let changes: [&dyn Fn(&Task); 5] = [
        &|task| task.write_output("f", "odd"),
        &|task| task.write_output("d/x", "more"),
        &|task| fs::remove_file(task.outputs_dir().join("d/c")).unwrap(),
        &|task| task.put("task/raw/d/y", "of another run"),
        &|task| fs::remove_file(task.site.server.file("data", "task/raw/d/a")).unwrap(),
    ];
    for (index, change) in changes.iter().enumerate() {
        let task = committed();
        change(&task);
        let (_proxy, mut command) =
            refusing(&task, |seen| seen.line.starts_with("PUT /data/task/raw/"));
        let ended = binary::run(&mut command);
        assert_eq!(ended.code(), 1, "change {index}: {}", ended.stderr);
        assert_eq!(names(&task, "task/out"), DOCUMENTS, "change {index}");
    }
}

/// Readers of a directory would take what the earlier run left there for a part of it.
#[test]
fn a_new_commit_holds_no_data_of_the_old_one() {
    let task = committed();
    write(&task, "new");
    fs::remove_file(task.outputs_dir().join("d/b")).unwrap();
    let proxy = FaultProxy::start(task.site.server.address(), |_| Fault::None).unwrap();
    let mut command = task.sidecar(&outputs());
    let endpoint = format!("endpoint={}", proxy.endpoint());
    let ended = binary::run(command.args(["--storage.stow.config", &endpoint]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let raw = task.objects("task/raw");
    assert_eq!(raw.keys().collect::<Vec<_>>(), ["d/a", "d/c", "f"]);
    assert!(raw.values().all(|content| content == b"new"));
    // The old commit goes before the first of its data is overwritten, and the new one comes last.
    let lines: Vec<String> = proxy.seen().into_iter().map(|seen| seen.line).collect();
    let first = |start: &str| lines.iter().position(|line| line.starts_with(start));
    let withdrawn = first("DELETE /data/task/out/outputs.pb").unwrap();
    assert!(
        withdrawn < first("PUT /data/task/raw/").unwrap(),
        "{lines:?}"
    );
    assert!(
        lines
            .last()
            .unwrap()
            .starts_with("PUT /data/task/out/outputs.pb"),
        "{lines:?}"
    );
    assert!(!task.outputs_dir().join(".copilot-early").exists());
}

/// The same for a run that failed and said so: another pod with the same prefixes and a volume of its own.
#[test]
fn a_commit_holds_no_data_of_a_run_that_failed() {
    let task = Task::start().unwrap();
    write(&task, "new");
    for key in ["raw/d/x", "raw/d/sub/y", "out/error.pb"] {
        task.put(&format!("task/{key}"), "of another run");
    }
    task.put("task/raw/dx", "of nobody's directory");
    let ended = binary::run(&mut task.sidecar(&outputs()));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let raw = names(&task, "task/raw");
    assert_eq!(raw, ["d/a", "d/b", "d/c", "dx", "f"]);
    assert_eq!(names(&task, "task/out"), ["outputs.pb"]);
}

#[test]
fn a_commit_that_cannot_be_deleted_is_named() {
    let may_not = |what: &'static str| move |seen: &Seen| seen.line.starts_with(what);
    // The same files again: the run succeeds and commits anew.
    let task = committed();
    write(&task, "new");
    let (_proxy, mut command) = refusing(&task, may_not("DELETE "));
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    ended.assert_logged(&["its commit cannot be deleted", "until this run commits"]);
    assert!(
        task.objects("task/raw")
            .values()
            .all(|content| content == b"new")
    );

    // A file less: its object stays, so nothing is committed.
    fs::remove_file(task.outputs_dir().join("d/b")).unwrap();
    write_one(&task, "newer");
    let (_proxy, mut command) = refusing(&task, may_not("DELETE "));
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    for words in [
        "s3://data/task/raw/d/b is of an earlier run",
        "s3:DeleteObject",
        "s3://data/task/out/outputs.pb of an earlier run exists",
    ] {
        assert!(ended.message().contains(words), "{}", ended.message());
    }
}

fn write_one(task: &Task, content: &str) {
    task.write_output("d/a", content);
}

/// The store has the outputs, and its answer is lost.
#[test]
fn a_commit_without_an_answer_is_looked_for() {
    let task = Task::start().unwrap();
    write(&task, "new");
    let times = std::sync::atomic::AtomicU32::new(0);
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        if !seen.line.starts_with("PUT /data/task/out/outputs.pb") {
            return Fault::None;
        }
        match times.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Fault::CutAfter(10),
            _ => Fault::Answer(403, ""),
        }
    })
    .unwrap();
    let mut command = task.sidecar(&outputs());
    let endpoint = format!("endpoint={}", proxy.endpoint());
    let ended = binary::run(command.args(["--storage.stow.config", &endpoint]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(names(&task, "task/out"), ["outputs.pb"]);
}

/// A run that has seen main end must upload what it left, whatever the store holds.
#[test]
fn a_main_that_was_seen_to_end_is_never_done_already() {
    if !Requirement::Cgroups.is_met() {
        return;
    }
    let task = committed();
    let (_proxy, command) = refusing(&task, |seen| seen.line.starts_with("PUT /data/task/raw/"));
    let pod = Pod::create().unwrap();
    let mut sidecar = pod.command("sidecar", binary::path()).unwrap();
    binary::isolate(&mut sidecar);
    sidecar
        .args(command.get_args().filter(|arg| *arg != "--watcher=noop"))
        .args([
            "--watcher=proc",
            "--main-container=main",
            "--logger.level=4",
        ]);
    let mut sidecar = Running::start(&mut sidecar);
    sidecar.watches();
    let mut main = pod.command("main", Path::new("/bin/sh")).unwrap();
    let main = Running::start(main.args(["-c", "sleep 1"]));
    assert_eq!(main.ended().code(), 0);
    let ended = sidecar.ended();
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert_eq!(names(&task, "task/out"), DOCUMENTS);
}

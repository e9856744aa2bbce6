//! `DOWNLOAD_STREAM`: metadata before main, data while main runs, markers at the end; then it keeps running.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use copilot::idl::{Literal, blob_type::BlobDimensionality, decode_literal_map};
use copilot_tests::binary::{self, Ended, Running, wait_until};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::site::names;
use copilot_tests::task::{INPUTS, Task, blob, files};
use copilot_tests::values::{dataset, integer};
use rustix::process::Signal;
use serde_json::json;

fn file(uri: &str) -> Literal {
    blob(uri, BlobDimensionality::Single)
}

fn tree(uri: &str) -> Literal {
    blob(uri, BlobDimensionality::Multipart)
}

/// A task with a number, two files, two directories and a dataset of one file, in this order.
fn task() -> Task {
    let task = Task::start().unwrap();
    task.put_inputs([
        ("a", file("s3://data/in/a")),
        ("b", tree("s3://data/in/b")),
        ("c", file("s3://data/in/c")),
        ("d", tree("s3://data/in/none")),
        ("n", integer(7)),
        ("rows", dataset("s3://data/in/rows.parquet", "parquet")),
    ]);
    for (key, content) in [("a", "A"), ("b/x", "BX"), ("b/y/z", "BZ"), ("c", "C")] {
        task.put(&format!("in/{key}"), content);
    }
    task.put("in/rows.parquet", "R");
    task
}

/// A proxy to the store that holds the requests for one key back until it is told to pass them on.
struct Held {
    proxy: FaultProxy,
    open: Arc<AtomicBool>,
}

impl Held {
    fn at(task: &Task, key: &'static str) -> Self {
        let open = Arc::new(AtomicBool::new(false));
        let is_open = Arc::clone(&open);
        let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
            if seen.line.starts_with("GET")
                && seen.line.contains(key)
                && !is_open.load(Ordering::Relaxed)
            {
                Fault::Answer(503, "Retry-After: 1\r\n")
            } else {
                Fault::None
            }
        });
        let proxy = proxy.unwrap();
        Self { proxy, open }
    }

    fn let_go(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    fn has_seen(&self, key: &str) -> bool {
        let seen = self.proxy.seen();
        seen.iter()
            .any(|request| request.line.starts_with("GET") && request.line.contains(key))
    }
}

fn start(task: &Task, endpoint: &str, options: &[&str]) -> Running {
    let mut command = binary::command();
    command
        .args(task.site.server.flags_through(endpoint, "data"))
        .args(task.download_arguments())
        .args(["--download-mode", "DOWNLOAD_STREAM"])
        .args(options);
    Running::start(&mut command)
}

fn stop(running: Running) -> Ended {
    running.signal(Signal::TERM);
    running.ended()
}

#[track_caller]
fn wait_for(path: &Path) {
    wait_until(&path.display().to_string(), || path.exists());
}

/// All data files, without metadata files and markers.
fn data(task: &Task) -> Vec<(String, String)> {
    let found = files(&task.inputs_dir()).into_iter();
    found
        .filter(|(name, _)| !name.starts_with("inputs.") && !name.starts_with(['_', '.']))
        .map(|(name, content)| (name, String::from_utf8(content).unwrap()))
        .collect()
}

fn everything() -> Vec<(String, String)> {
    let pairs = [
        ("a", "A"),
        ("b/x", "BX"),
        ("b/y/z", "BZ"),
        ("c", "C"),
        ("n", "7"),
        ("rows/rows.parquet", "R"),
    ];
    pairs
        .map(|(name, content)| (name.to_owned(), content.to_owned()))
        .into()
}

#[test]
fn all_data_arrives_and_it_runs_until_sigterm() {
    let task = task();
    task.put("task/out/error.pb", "of an earlier run");
    let way = Held::at(&task, "nothing");
    let mut running = start(&task, &way.proxy.endpoint(), &[]);
    wait_for(&task.inputs_dir().join("_EOS"));
    assert_eq!(data(&task), everything());
    assert!(task.inputs_dir().join("d").is_dir());
    let marker = fs::read_to_string(task.inputs_dir().join("_EOS")).unwrap();
    assert_eq!(marker, format!("{INPUTS}\n"));
    assert!(task.document("error.pb").is_none());
    running.watches();
    assert!(running.runs());
    let ended = stop(running);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(ended.message(), "");

    // Started again it finds everything, makes no requests, and keeps running, too.
    let before = way.proxy.seen().len();
    let mut again = start(&task, &way.proxy.endpoint(), &[]);
    again.watches();
    again.says("an earlier run has fetched all inputs");
    assert!(again.runs());
    assert_eq!(stop(again).code(), 0);
    assert_eq!(way.proxy.seen().len(), before);
    assert_eq!(data(&task), everything());
}

#[test]
fn metadata_comes_first_and_data_whole_and_in_order() {
    let task = task();
    let at = |name: &str| task.inputs_dir().join(name);
    let way = Held::at(&task, "/in/b/y/z");
    let mut running = start(&task, &way.proxy.endpoint(), &["--format", "JSON"]);
    running.watches();
    // It is ready, so the metadata files exist and name the places of the data.
    let metadata = fs::read(at("inputs.json")).unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata).unwrap();
    let local = |name: &str| at(name).display().to_string();
    let expected = json!({
        "a": local("a"), "b": local("b"), "c": local("c"), "d": local("d"), "n": 7,
        "rows": local("rows"),
    });
    assert_eq!(metadata, expected);
    let literals = decode_literal_map(fs::read(at("inputs.pb")).unwrap().as_slice()).unwrap();
    assert_eq!(literals.literals["a"], file(&local("a")));
    wait_until("the held object is asked for", || way.has_seen("/in/b/y/z"));
    wait_for(&at("a"));
    // Its first object has arrived, or will soon; the directory appears with the last one.
    for missing in ["b", "c", "d", "rows", "_EOS", "_ERROR"] {
        assert!(!at(missing).exists(), "{missing}");
    }
    way.let_go();
    wait_for(&at("_EOS"));
    assert_eq!(data(&task), everything());
    assert_eq!(stop(running).code(), 0);
}

#[test]
fn it_is_not_ready_before_the_metadata_files_exist() {
    let task = task();
    let way = Held::at(&task, "inputs.pb");
    let mut running = start(&task, &way.proxy.endpoint(), &[]);
    wait_until("the inputs are asked for", || way.has_seen("inputs.pb"));
    let comm = fs::read_to_string(format!("/proc/{}/comm", running.id())).unwrap();
    assert_eq!(comm, "copilot\n");
    way.let_go();
    running.watches();
    assert!(task.inputs_dir().join("inputs.pb").exists());
    assert_eq!(stop(running).code(), 0);
}

#[test]
fn a_failed_transfer_is_reported_to_main_and_the_platform_and_it_keeps_running() {
    let task = task();
    fs::remove_file(task.site.server.file("data", "in/c")).unwrap();
    let mut running = start(&task, &task.site.server.endpoint, &[]);
    wait_for(&task.inputs_dir().join("_ERROR"));
    wait_until("the error documents", || {
        task.document("error.pb").is_some() && task.document("errors.pb").is_some()
    });
    let told = fs::read_to_string(task.inputs_dir().join("_ERROR")).unwrap();
    assert!(told.contains("input \"c\""), "{told}");
    assert!(!task.inputs_dir().join("_EOS").exists());
    running.watches();
    assert!(running.runs());
    let document = task.document("errors.pb").unwrap();
    assert_eq!(told, format!("{}\n", document.message));
    let ended = stop(running);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert!(ended.message().contains("input \"c\""), "{}", ended.stderr);

    // The next run can read it, and fetches only that and the rest.
    task.put("in/c", "C");
    let way = Held::at(&task, "nothing");
    let running = start(&task, &way.proxy.endpoint(), &[]);
    wait_for(&task.inputs_dir().join("_EOS"));
    assert!(!task.inputs_dir().join("_ERROR").exists());
    assert!(way.has_seen("/in/c") && !way.has_seen("/in/a") && !way.has_seen("/in/b/x"));
    assert_eq!(data(&task), everything());
    assert_eq!(stop(running).code(), 0);
}

#[test]
fn a_failure_before_main_may_start_ends_it() {
    let task = Task::start().unwrap();
    let ended = start(&task, &task.site.server.endpoint, &[]).ended();
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert!(
        ended.message().contains("--from-remote"),
        "{}",
        ended.stderr
    );
    assert!(task.document("error.pb").is_some());
    assert_eq!(names(&task.inputs_dir()), ["_ERROR"]);

    for marker in ["_EOS", "_ERROR", ".copilot-stream"] {
        task.put_inputs([(marker, integer(1))]);
        let ended = start(&task, &task.site.server.endpoint, &[]).ended();
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        assert!(
            ended.message().contains("shows the progress of the inputs"),
            "{}",
            ended.stderr
        );
        // In other modes it is an ordinary name.
        let ended = binary::run(
            task.download()
                .arg("--to-local-dir")
                .arg(task.site.work(marker)),
        );
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
    }
}

#[test]
fn a_killed_download_continues_where_it_was() {
    let task = task();
    let at = |name: &str| task.inputs_dir().join(name);
    let way = Held::at(&task, "/in/b/y/z");
    let first = start(&task, &way.proxy.endpoint(), &[]);
    wait_for(&at("a"));
    wait_until("the held object is asked for", || way.has_seen("/in/b/y/z"));
    first.signal(Signal::KILL);
    assert_eq!(first.ended().status.code(), None);
    assert!(!at("b").exists());
    let way = Held::at(&task, "nothing");
    let second = start(&task, &way.proxy.endpoint(), &[]);
    wait_for(&at("_EOS"));
    assert!(!way.has_seen("/in/a") && way.has_seen("/in/b/x") && way.has_seen("/in/c"));
    assert_eq!(data(&task), everything());
    assert_eq!(stop(second).code(), 0);
}

#[test]
fn data_of_other_inputs_is_not_taken_for_these() {
    let task = task();
    let earlier = start(&task, &task.site.server.endpoint, &[]);
    wait_for(&task.inputs_dir().join("_EOS"));
    assert_eq!(stop(earlier).code(), 0);
    assert!(!names(&task.inputs_dir()).contains(&".copilot-stream".to_owned()));
    // The same variables with other inputs: their metadata files are equal.
    let objects = task.objects("in");
    for (key, content) in &objects {
        task.put(
            &format!("new/{key}"),
            [b"new ", content.as_slice()].concat(),
        );
    }
    task.put_inputs([
        ("a", file("s3://data/new/a")),
        ("b", tree("s3://data/new/b")),
        ("c", file("s3://data/new/c")),
        ("d", tree("s3://data/in/none")),
        ("n", integer(7)),
        ("rows", dataset("s3://data/new/rows.parquet", "parquet")),
    ]);
    let inputs = fs::read(task.site.server.file("data", "task/inputs.pb")).unwrap();
    task.put("task/other.pb", inputs);
    // Also after an earlier run that did not finish.
    fs::remove_file(task.inputs_dir().join("_EOS")).unwrap();
    let way = Held::at(&task, "/new/b/x");
    let endpoint = way.proxy.endpoint();
    let mut running = start(
        &task,
        &endpoint,
        &["--from-remote", "s3://data/task/other.pb"],
    );
    running.watches();
    assert!(!task.inputs_dir().join("b").exists());
    assert!(!task.inputs_dir().join("_EOS").exists());
    way.let_go();
    wait_for(&task.inputs_dir().join("_EOS"));
    let found = files(&task.inputs_dir());
    assert_eq!(found["a"], b"new A");
    assert_eq!(found["b/x"], b"new BX");
    assert_eq!(stop(running).code(), 0);
}

#[test]
fn a_main_that_does_not_wait_is_no_failure() {
    let task = task();
    let way = Held::at(&task, "/in/b/y/z");
    let mut running = start(&task, &way.proxy.endpoint(), &[]);
    running.watches();
    wait_until("the held object is asked for", || way.has_seen("/in/b/y/z"));
    let ended = stop(running);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("did not wait"), "{}", ended.stderr);
    assert!(task.document("error.pb").is_none());
    assert_eq!(
        data(&task),
        [
            ("a".to_owned(), "A".to_owned()),
            ("n".to_owned(), "7".to_owned())
        ]
    );
    assert!(!task.inputs_dir().join("_EOS").exists());
    assert!(!task.inputs_dir().join("_ERROR").exists());
}

#[test]
fn a_failure_after_the_commit_changes_nothing() {
    let task = task();
    fs::remove_file(task.site.server.file("data", "in/c")).unwrap();
    task.put("task/out/outputs.pb", "committed by the uploader");
    let running = start(&task, &task.site.server.endpoint, &[]);
    running.says("the outputs are committed");
    let ended = stop(running);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(task.document("error.pb").is_none());
}

#[test]
fn the_deadline_limits_the_transfer_and_not_the_process() {
    let task = task();
    let way = Held::at(&task, "/in/c");
    let running = start(&task, &way.proxy.endpoint(), &["--timeout", "1s"]);
    wait_for(&task.inputs_dir().join("_ERROR"));
    let told = fs::read_to_string(task.inputs_dir().join("_ERROR")).unwrap();
    assert!(told.contains("--timeout"), "{told}");
    let ended = stop(running);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);

    way.let_go();
    let timeout = Duration::from_secs(8);
    let begun = Instant::now();
    let mut running = start(&task, &way.proxy.endpoint(), &["--timeout", "8s"]);
    wait_for(&task.inputs_dir().join("_EOS"));
    std::thread::sleep((timeout + Duration::from_secs(1)).saturating_sub(begun.elapsed()));
    assert!(running.runs());
    assert_eq!(stop(running).code(), 0);
}

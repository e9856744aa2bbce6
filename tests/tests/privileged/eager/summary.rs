//! What the log and the timeline say of early uploads, and how a run with begun uploads fails.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::site::bytes;
use copilot_tests::task::{Task, blob_type};
use rustix::process::Signal;
use serde_json::Value;

use super::growing::grow;
use super::stage::Stage;

const MIB: usize = 1 << 20;

/// The fields of the first log line with this message.
#[track_caller]
fn fields(log: &str, message: &str) -> Value {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let mut lines = lines.filter(|line: &Value| line["msg"] == message);
    let line = lines.next().unwrap_or_else(|| panic!("{message}: {log}"));
    line["json"].clone()
}

#[test]
fn early_uploads_show_progress_and_are_in_the_summary() {
    let task = Task::start().unwrap();
    let proxy = FaultProxy::start(task.site.server.address(), |seen| {
        if seen.line.contains("partNumber") {
            Fault::Slow(700_000)
        } else {
            Fault::None
        }
    })
    .unwrap();
    let outputs = vec![("large", blob_type(Single))];
    let stage = Stage::through(task, outputs, &proxy.endpoint());
    stage.write("large", bytes(20 * MIB, 1));
    stage.sidecar.says("transferring");
    stage.wait_for("large");
    let over = stage.commits();
    let size = 20 << 20;
    let progress = fields(&over.ended.stderr, "transferring");
    assert_eq!(progress["known_objects"], 1, "{progress}");
    assert_eq!(progress["known_bytes"], size, "{progress}");
    let summary = fields(&over.ended.stderr, "outputs are committed");
    assert_eq!(summary["early_objects"], 1, "{summary}");
    assert_eq!(summary["early_bytes"], size, "{summary}");
    assert_eq!(over.count("bytes_early"), size);
    assert_eq!((over.count("objects_early"), over.count("objects")), (1, 0));
}

#[test]
fn retries_of_an_upload_that_began_early_are_in_the_summary() {
    let task = Task::start().unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let refuses = Arc::clone(&is_over);
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        if seen.line.contains("partNumber") && refuses.swap(false, Ordering::Relaxed) {
            Fault::Answer(503, "")
        } else {
            Fault::None
        }
    })
    .unwrap();
    let stage = Stage::through(task, vec![("log", blob_type(Single))], &proxy.endpoint());
    let mut file = File::create(stage.path("log")).unwrap();
    grow(&stage, &mut file);
    is_over.store(true, Ordering::Relaxed);
    drop(file);
    let over = stage.commits();
    let summary = fields(&over.ended.stderr, "outputs are committed");
    assert_eq!(summary["retries"], 1, "{summary}");
    assert_eq!(summary["objects"], 1, "{summary}");
    assert!(
        summary["peak_in_flight"].as_u64() >= Some(8 << 20),
        "{summary}"
    );
}

/// The begun upload has gigabytes left to send when the other file fails.
#[test]
fn a_failure_beside_a_begun_upload_ends_the_run_at_once() {
    let task = Task::start().unwrap();
    let refused = Arc::new(Mutex::new(None));
    let first = Arc::clone(&refused);
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        if seen.line.starts_with("PUT") && seen.line.contains("/raw/bad") {
            first.lock().unwrap().get_or_insert_with(Instant::now);
            Fault::Answer(403, "")
        } else {
            Fault::None
        }
    })
    .unwrap();
    let outputs = vec![("bad", blob_type(Single)), ("log", blob_type(Single))];
    let stage = Stage::through(task, outputs, &proxy.endpoint());
    let mut file = File::create(stage.path("log")).unwrap();
    grow(&stage, &mut file);
    stage.write("bad", "x");
    // Holes: they take no room on disk.
    file.set_len(4 << 30).unwrap();
    drop(file);
    let Stage { task, sidecar, .. } = stage;
    sidecar.signal(Signal::TERM);
    let ended = sidecar.ended();
    let refused = refused.lock().unwrap().unwrap();
    let took = refused.elapsed();
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert!(ended.message().contains("output \"bad\""));
    assert!(took < Duration::from_secs(1), "{took:?}\n{}", ended.stderr);
    let unfinished = task.site.server.unfinished_uploads().unwrap();
    assert!(unfinished.is_empty(), "{unfinished:?}");
    assert!(task.objects("task/raw").is_empty());
    assert!(task.outputs().is_none());
}

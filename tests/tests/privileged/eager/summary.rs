//! What the log and the timeline say of early uploads, and how a run with begun uploads fails.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::site::bytes;
use copilot_tests::task::{Task, blob_type};
use serde_json::Value;

use super::fixture::EagerFixture;
use super::growing::grow;

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
    let fixture = EagerFixture::start_at(task, outputs, &proxy.endpoint());
    fixture.write("large", bytes(20 * MIB, 1));
    fixture.sidecar.says("transferring");
    fixture.wait_for("large");
    let outcome = fixture.commits();
    let size = 20 << 20;
    let progress = fields(&outcome.sidecar.ended.stderr, "transferring");
    assert_eq!(progress["known_objects"], 1, "{progress}");
    assert_eq!(progress["known_bytes"], size, "{progress}");
    let summary = fields(&outcome.sidecar.ended.stderr, "outputs are committed");
    assert_eq!(summary["early_objects"], 1, "{summary}");
    assert_eq!(summary["early_bytes"], size, "{summary}");
    assert_eq!(outcome.count("bytes_early"), size);
    assert_eq!(
        (outcome.count("objects_early"), outcome.count("objects")),
        (1, 0)
    );
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
    let fixture = EagerFixture::start_at(task, vec![("log", blob_type(Single))], &proxy.endpoint());
    let mut file = File::create(fixture.path("log")).unwrap();
    grow(&fixture, &mut file);
    is_over.store(true, Ordering::Relaxed);
    drop(file);
    let outcome = fixture.commits();
    let summary = fields(&outcome.sidecar.ended.stderr, "outputs are committed");
    assert_eq!(summary["retries"], 1, "{summary}");
    assert_eq!(summary["objects"], 1, "{summary}");
    assert!(
        summary["peak_in_flight_bytes"].as_u64() >= Some(8 << 20),
        "{summary}"
    );
}

/// The begun upload has 4 GiB left to send, which is 512 parts, when the other file fails.
#[test]
fn a_failure_beside_a_begun_upload_ends_the_run_at_once() {
    let task = Task::start().unwrap();
    let is_refused = Arc::new(AtomicBool::new(false));
    let parts = Arc::new(AtomicUsize::new(0));
    let (refused, later) = (Arc::clone(&is_refused), Arc::clone(&parts));
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        if seen.line.starts_with("PUT") && seen.line.contains("/raw/bad") {
            refused.store(true, Ordering::Relaxed);
            return Fault::Answer(403, "");
        }
        if seen.line.contains("partNumber") && refused.load(Ordering::Relaxed) {
            later.fetch_add(1, Ordering::Relaxed);
        }
        Fault::None
    })
    .unwrap();
    let outputs = vec![("bad", blob_type(Single)), ("log", blob_type(Single))];
    let fixture = EagerFixture::start_at(task, outputs, &proxy.endpoint());
    let mut file = File::create(fixture.path("log")).unwrap();
    grow(&fixture, &mut file);
    fixture.write("bad", "x");
    // Holes: they take no room on disk.
    file.set_len(4 << 30).unwrap();
    drop(file);
    let outcome = fixture.end();
    assert!(is_refused.load(Ordering::Relaxed));
    let ended = &outcome.sidecar.ended;
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert!(ended.message().contains("output \"bad\""));
    // Those that were in flight, or about to be.
    let parts = parts.load(Ordering::Relaxed);
    assert!(parts < 64, "{parts} parts were sent after the failure");
    let unfinished = outcome.task.site.server.unfinished_uploads().unwrap();
    assert!(unfinished.is_empty(), "{unfinished:?}");
    assert!(outcome.objects.is_empty(), "{:?}", outcome.objects.keys());
    assert!(outcome.task.outputs().is_none());
}

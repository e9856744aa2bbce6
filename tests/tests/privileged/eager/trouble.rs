//! Trouble: a store that fails or refuses, a sidecar that is killed, a directory that cannot be watched.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::binary::{self, wait_until};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::task::{Task, blob_type, interface};
use rustix::process::Signal;

use super::fixture::EagerFixture;
use super::growing::grow;

#[test]
fn a_store_that_fails_while_main_runs_is_asked_again_at_its_end() {
    let task = Task::start().unwrap();
    let works = Arc::new(AtomicBool::new(false));
    let (is_working, upstream) = (Arc::clone(&works), task.site.server.address());
    let proxy = FaultProxy::start(upstream, move |seen| {
        // It says that nothing is committed yet.
        if is_working.load(Ordering::Relaxed) || seen.line.ends_with("/outputs.pb") {
            Fault::None
        } else {
            Fault::Answer(403, "")
        }
    })
    .unwrap();
    let outputs = vec![("tree", blob_type(Multipart))];
    let fixture = EagerFixture::start_at(task, outputs, &proxy.endpoint());
    fixture.write("tree/a", "x");
    fixture.write("tree/b", "y");
    fixture.sidecar.says("did not go up while main runs");
    works.store(true, Ordering::Relaxed);
    fixture.commits();
}

#[test]
fn an_old_document_that_cannot_be_deleted_fails_the_run_if_it_would_be_read() {
    let task = Task::start().unwrap();
    let proxy = FaultProxy::start(task.site.server.address(), |seen| {
        if seen.line.starts_with("DELETE") {
            Fault::Answer(403, "")
        } else {
            Fault::None
        }
    })
    .unwrap();
    let outputs = vec![("tree", blob_type(Multipart))];
    let fixture = EagerFixture::start_at(task, outputs.clone(), &proxy.endpoint());
    fixture.write("tree/a", "x");
    fixture.write("tree/b", "y");
    fixture.wait_for("tree/a");
    fixture.wait_for("tree/b");
    fs::remove_file(fixture.path("tree/b")).unwrap();
    let outcome = fixture.end();
    assert_eq!(
        outcome.sidecar.ended.code(),
        1,
        "{}",
        outcome.sidecar.ended.stderr
    );
    let message = outcome.sidecar.ended.message();
    for words in ["tree/b", "s3:DeleteObject", "UPLOAD_ON_EXIT"] {
        assert!(message.contains(words), "{message}");
    }
    assert!(outcome.task.outputs().is_none());

    // It is reported where it would otherwise be missed.
    let task = Task::start().unwrap();
    let proxy = FaultProxy::start(task.site.server.address(), |seen| {
        if seen.line.starts_with("DELETE") {
            Fault::Answer(403, "")
        } else {
            Fault::None
        }
    })
    .unwrap();
    let fixture = EagerFixture::start_at(task, vec![("o", blob_type(Single))], &proxy.endpoint());
    fixture.write("o.csv", "x");
    fixture.wait_for("o.csv");
    fs::rename(fixture.path("o.csv"), fixture.path("o.txt")).unwrap();
    let outcome = fixture.end();
    assert_eq!(
        outcome.sidecar.ended.code(),
        0,
        "{}",
        outcome.sidecar.ended.stderr
    );
    assert!(
        outcome.sidecar.ended.stderr.contains("stays in the store"),
        "{}",
        outcome.sidecar.ended.stderr
    );
    assert!(
        outcome.sidecar.ended.stderr.contains("o.csv"),
        "{}",
        outcome.sidecar.ended.stderr
    );
}

#[test]
fn a_killed_sidecar_knows_its_earlier_uploads() {
    let fixture = EagerFixture::start(vec![("tree", blob_type(Multipart))]);
    for name in ["tree/kept", "tree/changed", "tree/gone", "tree/a\nb"] {
        fixture.write(name, "x");
    }
    for name in ["tree/kept", "tree/changed", "tree/gone", "tree/a\nb"] {
        fixture.wait_for(name);
    }
    let fixture = fixture.restart();
    fixture.write("tree/changed", "y");
    fs::remove_file(fixture.path("tree/gone")).unwrap();
    fs::remove_file(fixture.path("tree/a\nb")).unwrap();
    let outcome = fixture.commits();
    let names: Vec<&str> = outcome.objects.keys().map(String::as_str).collect();
    assert_eq!(names, ["tree/changed", "tree/kept"]);
}

#[test]
fn the_uploads_of_a_killed_sidecar_are_aborted() {
    let fixture = EagerFixture::start(vec![("log", blob_type(Single))]);
    let mut file = fs::File::create(fixture.path("log")).unwrap();
    grow(&fixture, &mut file);
    let unfinished =
        |fixture: &EagerFixture| fixture.task.site.server.unfinished_uploads().unwrap();
    let left = unfinished(&fixture);
    assert!(!left.is_empty());
    let fixture = fixture.restart();
    wait_until("the parts of the first life are gone", || {
        let found = unfinished(&fixture);
        left.iter().all(|path| !found.contains(path))
    });
    drop(file);
    fixture.commits();
}

/// The store has lost the upload of a growing file when main ends, and the sidecar is killed while the file
/// goes up anew.
#[test]
fn an_upload_that_began_anew_is_aborted_too() {
    let task = Task::start().unwrap();
    let begun = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&begun);
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        let is_post = seen.line.starts_with("POST");
        if is_post && seen.line.ends_with("?uploads=") {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        match counted.load(Ordering::Relaxed) {
            1 if is_post && seen.line.contains("?uploadId=") => Fault::Refuse(404, "NoSuchUpload"),
            2 if seen.line.contains("partNumber=") => Fault::StallAfter(0),
            _ => Fault::None,
        }
    })
    .unwrap();
    let outputs = vec![("log", blob_type(Single))];
    let fixture = EagerFixture::start_at(task, outputs, &proxy.endpoint());
    let mut file = fs::File::create(fixture.path("log")).unwrap();
    grow(&fixture, &mut file);
    drop(file);
    fixture.sidecar.signal(Signal::TERM);
    let is_part = |line: &str| line.contains("partNumber=");
    wait_until("the file goes up anew", || {
        let lines: Vec<String> = proxy.seen().into_iter().map(|seen| seen.line).collect();
        let last = lines.iter().rposition(|line| line.ends_with("?uploads="));
        begun.load(Ordering::Relaxed) == 2
            && last.is_some_and(|last| lines[last..].iter().any(|line| is_part(line)))
    });
    let unfinished = fixture.task.site.server.unfinished_uploads().unwrap();
    assert!(!unfinished.is_empty());
    fixture.restart().commits();
}

/// What an earlier run committed stays readable until main has ended.
#[test]
fn nothing_goes_up_early_over_a_commit() {
    let task = Task::start().unwrap();
    task.write_output("tree/a", "old");
    let outputs = vec![("tree", blob_type(Multipart))];
    let ended = binary::run(&mut task.sidecar(&interface(outputs.clone())));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let endpoint = task.site.server.endpoint.clone();
    let fixture = EagerFixture::start_at(task, outputs, &endpoint);
    fixture.write("tree/a", "new");
    fixture.write("tree/b", "new");
    fixture
        .sidecar
        .says("has committed outputs here: outputs wait for main's end");
    // Longer than a quiet file waits.
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(fixture.task.objects("task/raw")["tree/a"], b"old");
    assert!(fixture.task.outputs().is_some());
    assert_eq!(fixture.commits().count("objects_early"), 0);
}

#[test]
fn without_a_journal_everything_waits_for_the_end() {
    let task = Task::start().unwrap();
    fs::create_dir(task.outputs_dir().join(".copilot-early")).unwrap();
    let endpoint = task.site.server.endpoint.clone();
    let fixture = EagerFixture::start_at(task, vec![("tree", blob_type(Multipart))], &endpoint);
    fixture.write("tree/a", "x");
    fixture.sidecar.says("outputs wait for main's end");
    let outcome = fixture.end();
    assert_eq!(
        outcome.sidecar.ended.code(),
        0,
        "{}",
        outcome.sidecar.ended.stderr
    );
    assert_eq!(
        (outcome.count("objects_early"), outcome.count("objects")),
        (0, 1)
    );
}

#[test]
fn too_many_directories_to_watch_are_scanned() {
    let fixture = EagerFixture::start(vec![("tree", blob_type(Multipart))]);
    for index in 0..10_100 {
        fs::create_dir_all(fixture.path(&format!("tree/{index}"))).unwrap();
    }
    fixture.sidecar.says("it is scanned from time to time");
    fixture.write("tree/77/a", "x");
    fixture.wait_for("tree/77/a");
    fixture.write("tree/78/b", "y");
    fixture.wait_for("tree/78/b");
    assert_eq!(fixture.commits().count("objects_early"), 2);
}

#[test]
fn a_directory_that_comes_later_is_found() {
    let task = Task::start().unwrap();
    fs::remove_dir(task.outputs_dir()).unwrap();
    let endpoint = task.site.server.endpoint.clone();
    let fixture = EagerFixture::start_at(task, vec![("tree", blob_type(Multipart))], &endpoint);
    fixture.sidecar.says("can go up while main runs, yet");
    fixture.write("tree/a", "x");
    wait_until("it is up", || !fixture.task.objects("task/raw").is_empty());
    fixture.commits();
}

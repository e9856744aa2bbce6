//! When something is in the way: a store that fails or forbids, a sidecar that is killed, a directory
//! that cannot be watched.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::binary::wait_until;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::task::{Task, blob_type};

use super::growing::grow;
use super::stage::Stage;

#[test]
fn a_store_that_fails_while_main_runs_is_asked_again_at_its_end() {
    let task = Task::start().unwrap();
    let works = Arc::new(AtomicBool::new(false));
    let (is_working, upstream) = (Arc::clone(&works), task.site.server.address());
    let proxy = FaultProxy::start(upstream, move |_| {
        if is_working.load(Ordering::Relaxed) {
            Fault::None
        } else {
            Fault::Answer(403, "")
        }
    })
    .unwrap();
    let outputs = vec![("tree", blob_type(Multipart))];
    let stage = Stage::through(task, outputs, &proxy.endpoint());
    stage.write("tree/a", "x");
    stage.write("tree/b", "y");
    stage.sidecar.says("did not go up while main runs");
    works.store(true, Ordering::Relaxed);
    stage.commits();
}

#[test]
fn a_leftover_that_may_not_be_deleted_fails_the_run_where_it_would_be_read() {
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
    let stage = Stage::through(task, outputs.clone(), &proxy.endpoint());
    stage.write("tree/a", "x");
    stage.write("tree/b", "y");
    stage.wait_for("tree/a");
    stage.wait_for("tree/b");
    fs::remove_file(stage.path("tree/b")).unwrap();
    let over = stage.end();
    assert_eq!(over.ended.code(), 1, "{}", over.ended.stderr);
    let message = over.ended.message();
    for words in ["tree/b", "s3:DeleteObject", "UPLOAD_ON_EXIT"] {
        assert!(message.contains(words), "{message}");
    }
    assert!(over.task.outputs().is_none());

    // Where nobody would read it, it is said.
    let task = Task::start().unwrap();
    let proxy = FaultProxy::start(task.site.server.address(), |seen| {
        if seen.line.starts_with("DELETE") {
            Fault::Answer(403, "")
        } else {
            Fault::None
        }
    })
    .unwrap();
    let stage = Stage::through(task, vec![("o", blob_type(Single))], &proxy.endpoint());
    stage.write("o.csv", "x");
    stage.wait_for("o.csv");
    fs::rename(stage.path("o.csv"), stage.path("o.txt")).unwrap();
    let over = stage.end();
    assert_eq!(over.ended.code(), 0, "{}", over.ended.stderr);
    assert!(
        over.ended.stderr.contains("stays in the store"),
        "{}",
        over.ended.stderr
    );
    assert!(over.ended.stderr.contains("o.csv"), "{}", over.ended.stderr);
}

#[test]
fn a_sidecar_that_was_killed_knows_what_it_had_sent() {
    let stage = Stage::begin(vec![("tree", blob_type(Multipart))]);
    for name in ["tree/kept", "tree/changed", "tree/gone", "tree/a\nb"] {
        stage.write(name, "x");
    }
    for name in ["tree/kept", "tree/changed", "tree/gone", "tree/a\nb"] {
        stage.wait_for(name);
    }
    let stage = stage.restart();
    stage.write("tree/changed", "y");
    fs::remove_file(stage.path("tree/gone")).unwrap();
    fs::remove_file(stage.path("tree/a\nb")).unwrap();
    let over = stage.commits();
    let names: Vec<&str> = over.objects.keys().map(String::as_str).collect();
    assert_eq!(names, ["tree/changed", "tree/kept"]);
}

#[test]
fn the_uploads_of_a_killed_sidecar_are_aborted() {
    let stage = Stage::begin(vec![("log", blob_type(Single))]);
    let mut file = fs::File::create(stage.path("log")).unwrap();
    grow(&stage, &mut file);
    let unfinished = |stage: &Stage| stage.task.site.server.unfinished_uploads().unwrap();
    let left = unfinished(&stage);
    assert!(!left.is_empty());
    let stage = stage.restart();
    wait_until("the parts of the first life are gone", || {
        let found = unfinished(&stage);
        left.iter().all(|path| !found.contains(path))
    });
    drop(file);
    stage.commits();
}

#[test]
fn without_a_journal_everything_waits_for_the_end() {
    let task = Task::start().unwrap();
    fs::create_dir(task.outputs_dir().join(".copilot-early")).unwrap();
    let endpoint = task.site.server.endpoint.clone();
    let stage = Stage::through(task, vec![("tree", blob_type(Multipart))], &endpoint);
    stage.write("tree/a", "x");
    stage.sidecar.says("outputs wait for main's end");
    let over = stage.end();
    assert_eq!(over.ended.code(), 0, "{}", over.ended.stderr);
    assert_eq!((over.count("objects_early"), over.count("objects")), (0, 1));
}

#[test]
fn too_many_directories_to_watch_are_scanned() {
    let stage = Stage::begin(vec![("tree", blob_type(Multipart))]);
    for index in 0..10_100 {
        fs::create_dir_all(stage.path(&format!("tree/{index}"))).unwrap();
    }
    stage.sidecar.says("it is scanned from time to time");
    stage.write("tree/77/a", "x");
    stage.wait_for("tree/77/a");
    stage.write("tree/78/b", "y");
    stage.wait_for("tree/78/b");
    assert_eq!(stage.commits().count("objects_early"), 2);
}

#[test]
fn a_directory_that_comes_later_is_found() {
    let task = Task::start().unwrap();
    fs::remove_dir(task.outputs_dir()).unwrap();
    let endpoint = task.site.server.endpoint.clone();
    let stage = Stage::through(task, vec![("tree", blob_type(Multipart))], &endpoint);
    stage.sidecar.says("can go up while main runs, yet");
    stage.write("tree/a", "x");
    wait_until("it is up", || !stage.task.objects("task/raw").is_empty());
    stage.commits();
}

//! What a killed process leaves in a local store is removed by the next one. What a live one still writes is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot_tests::binary::{self, Running, wait_until};
use copilot_tests::task::{Task, blob_type, interface};
use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;

/// A sidecar whose store is the local directory `store`.
fn sidecar(task: &Task, store: &Path) -> Command {
    let mut command = binary::command();
    command
        .args(["--storage.type=stow", "--storage.stow.kind=local"])
        .args([
            "--storage.stow.config",
            &format!("path={}", store.display()),
        ])
        .args(["--storage.container=data", "--storage.single-store"])
        .args(task.sidecar_arguments(&interface([("file", blob_type(Single))])))
        .arg("--watcher=noop");
    command
}

fn unfinished(store: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(store.join("data/task/raw"))
        .into_iter()
        .flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_unfinished = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(".copilot-unfinished.")
    };
    paths.filter(is_unfinished).collect()
}

#[test]
fn a_killed_upload_leaves_nothing_after_the_next_life() {
    let task = Task::start().unwrap();
    let store = task.site.work("store");
    fs::create_dir_all(store.join("data")).unwrap();
    let path = task.outputs_dir().join("file");
    // Long enough to be killed midway.
    fs::File::create(&path).unwrap().set_len(2 << 30).unwrap();
    let running = Running::start(&mut sidecar(&task, &store));
    wait_until("the upload has begun", || !unfinished(&store).is_empty());
    running.signal(Signal::KILL);
    let _ = running.ended();
    assert_eq!(unfinished(&store).len(), 1);

    fs::write(&path, "small").unwrap();
    let ended = binary::run(&mut sidecar(&task, &store));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(unfinished(&store), Vec::<PathBuf>::new());
    assert_eq!(
        fs::read(store.join("data/task/raw/file")).unwrap(),
        b"small"
    );
}

#[test]
fn what_a_live_process_writes_stays() {
    let task = Task::start().unwrap();
    let store = task.site.work("store");
    let raw = store.join("data/task/raw");
    fs::create_dir_all(&raw).unwrap();
    task.write_output("file", "small");
    // The pids of other containers say nothing here.
    let live = raw.join(".copilot-unfinished.1.0");
    let file = fs::File::create(&live).unwrap();
    flock(&file, FlockOperation::LockExclusive).unwrap();
    fs::write(raw.join(".copilot-unfinished.1.1"), "of a dead one").unwrap();
    let ended = binary::run(&mut sidecar(&task, &store));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(unfinished(&store), [live]);
}

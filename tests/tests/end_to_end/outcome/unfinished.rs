//! Multipart uploads of a sidecar that was killed: its next life aborts them, and no others. `MinIO` lists
//! them, as clusters' stores do.

use std::process::Command;

use copilot::idl::TypedInterface;
use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot_tests::binary::{self, Running, wait_until};
use copilot_tests::fault::{Fault, FaultProxy, Seen};
use copilot_tests::flags;
use copilot_tests::minio::{ACCESS_KEY, MINIO, Minio, SECRET_KEY};
use copilot_tests::requirement::Requirement;
use copilot_tests::site::bytes;
use copilot_tests::task::{Task, blob_type, interface};
use rustix::process::Signal;

const KEY: &str = "task/raw/large";

fn outputs() -> TypedInterface {
    interface([("large", blob_type(Single))])
}

/// A task with an output of several parts.
fn start() -> Option<(Task, Minio)> {
    if !Requirement::Emulator(MINIO).is_met() {
        return None;
    }
    let task = Task::start().unwrap();
    task.write_output("large", bytes(20 << 20, 7));
    Some((task, Minio::start().unwrap()))
}

fn sidecar(task: &Task, endpoint: &str) -> Command {
    let mut command = binary::command();
    command
        .args(flags::s3(endpoint, "data", (ACCESS_KEY, SECRET_KEY)))
        .args(task.sidecar_arguments(&outputs()))
        .arg("--watcher=noop");
    command
}

/// A sidecar that is killed after the store got the first of these requests, whose answer never comes.
fn killed_at(task: &Task, minio: &Minio, is_last: fn(&Seen) -> bool) {
    let proxy = FaultProxy::start(minio.address(), move |seen| {
        if is_last(seen) {
            Fault::StallAfter(0)
        } else {
            Fault::None
        }
    })
    .unwrap();
    let before = minio.unfinished_uploads(KEY).len();
    let life = Running::start(&mut sidecar(task, &proxy.endpoint()));
    wait_until("the store has the request", || {
        proxy.seen().iter().any(is_last) && minio.unfinished_uploads(KEY).len() > before
    });
    life.signal(Signal::KILL);
    let _ = life.ended();
}

fn begins(seen: &Seen) -> bool {
    seen.line.starts_with("POST") && seen.line.ends_with("?uploads=")
}

fn is_part(seen: &Seen) -> bool {
    seen.line.starts_with("PUT") && seen.line.contains("partNumber=")
}

/// The next life commits, and leaves nothing unfinished.
#[track_caller]
fn commits(task: &Task, minio: &Minio, left: &[String]) {
    let ended = binary::run(&mut sidecar(task, &minio.endpoint()));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(minio.get(KEY).unwrap() == bytes(20 << 20, 7));
    assert!(minio.get("task/out/outputs.pb").is_some());
    assert_eq!(minio.unfinished_uploads(KEY), left, "{}", ended.stderr);
    assert!(!task.outputs_dir().join(".copilot-early").exists());
}

#[test]
fn an_upload_of_a_killed_sidecar_is_aborted() {
    let Some((task, minio)) = start() else { return };
    killed_at(&task, &minio, is_part);
    commits(&task, &minio, &[]);
}

/// Its id was never known: the store's list has it. Uploads of others to the same key stay.
#[test]
fn an_upload_whose_id_nobody_knows_is_found() {
    let Some((task, minio)) = start() else { return };
    minio
        .ask("POST", &format!("data/{KEY}?uploads="), b"")
        .unwrap();
    let theirs = minio.unfinished_uploads(KEY);
    // More than the grain of the store's dates.
    std::thread::sleep(std::time::Duration::from_secs(4));
    killed_at(&task, &minio, begins);
    assert_eq!(minio.unfinished_uploads(KEY).len(), 2);
    commits(&task, &minio, &theirs);
}

/// Main can write the journal: what it names there is below its own raw prefix, whatever it looks like.
#[test]
fn a_forged_journal_aborts_nothing_elsewhere() {
    let Some((task, minio)) = start() else { return };
    let other = "task/other/large";
    minio
        .ask("POST", &format!("data/{other}?uploads="), b"")
        .unwrap();
    let theirs = minio.unfinished_uploads(other);
    let lines = [
        format!(r#"{{"key":"../other/large","upload":"{}"}}"#, theirs[0]),
        format!(r#"{{"key":"large","upload":"{}"}}"#, theirs[0]),
        r#"{"key":"../other/large","begins":0}"#.to_owned(),
        r#"{"key":"large","begins":18446744073709551615}"#.to_owned(),
        r#"{"key":"/","begins":1}"#.to_owned(),
        r#"{"key":"","upload":""}"#.to_owned(),
    ];
    task.write_output(".copilot-early", lines.join("\n"));
    let ended = binary::run(&mut sidecar(&task, &minio.endpoint()));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(minio.unfinished_uploads(other), theirs);
}

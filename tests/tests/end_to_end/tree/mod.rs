//! Runs without Flyte: `download --from` and `sidecar --to`, with their documents `manifest.json` and `failure.json`.

mod down;
mod outcome;
mod round_trip;
mod up;

use std::collections::BTreeMap;
use std::process::Command;

use copilot_tests::binary::{self, Ended};
use copilot_tests::fault::{Fault, FaultProxy, Seen};
use copilot_tests::task::Task;
use serde_json::Value;

/// The prefix of the files.
const PREFIX: &str = "s3://data/run";

/// `copilot sidecar --to` for files that exist already: it waits for no main.
fn up(task: &Task) -> Command {
    let mut command = binary::command();
    command
        .args(task.site.server.flags("data"))
        .args([
            "sidecar",
            "--watcher=noop",
            "--to",
            PREFIX,
            "--from-local-dir",
        ])
        .arg(task.outputs_dir());
    command
}

/// `copilot download --from` this reference, into the task's input directory.
fn down(task: &Task, from: &str) -> Command {
    let mut command = binary::command();
    command
        .args(task.site.server.flags("data"))
        .args(["download", "--from", from, "--to-local-dir"])
        .arg(task.inputs_dir());
    command
}

/// The same command, whose store is behind a proxy.
fn through(mut command: Command, proxy: &FaultProxy) -> Command {
    let endpoint = format!("endpoint={}", proxy.endpoint());
    command.args(["--storage.stow.config", &endpoint]);
    command
}

/// A proxy before the task's store.
fn proxy(task: &Task, choose: impl Fn(&Seen) -> Fault + Send + Sync + 'static) -> FaultProxy {
    FaultProxy::start(task.site.server.address(), choose).unwrap()
}

/// Runs a command that must succeed.
#[track_caller]
fn succeed(command: &mut Command) -> Ended {
    let ended = binary::run(command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    ended
}

/// Runs a command that must fail, and whose message holds these words.
#[track_caller]
fn fail(command: &mut Command, words: &[&str]) -> Ended {
    let ended = binary::run(command);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    for word in words {
        assert!(ended.message().contains(word), "{word:?}: {}", ended.stderr);
    }
    ended
}

/// The objects below the prefix, without the two documents.
fn files_in_store(task: &Task) -> BTreeMap<String, Vec<u8>> {
    let mut objects = task.objects("run");
    objects.retain(|name, _| !["manifest.json", "failure.json"].contains(&&**name));
    objects
}

/// A document below the prefix, if it exists.
fn document(task: &Task, name: &str) -> Option<Value> {
    let objects = task.objects("run");
    let text = objects.get(name)?;
    Some(serde_json::from_slice(text).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// The paths that a manifest lists, in its order.
fn listed(manifest: &Value) -> Vec<&str> {
    let files = manifest["files"].as_array().unwrap();
    files
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect()
}

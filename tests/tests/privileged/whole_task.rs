//! A whole task in real containers: the downloader, killed and run again; the sidecar; a main of
//! another user between them.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use copilot::idl::{LiteralMap, Message as _, blob_type::BlobDimensionality};
use copilot_tests::container::Pids;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::fixture::{OUTPUT, TaskPod};
use copilot_tests::requirement::Requirement;
use copilot_tests::site::bytes;
use copilot_tests::task::{blob, files};
use rustix::process::Signal;

const SIZE: usize = 3 << 20;

/// Puts a file among the task's inputs; returns its bytes.
fn put_input(task: &TaskPod) -> Vec<u8> {
    let data = bytes(SIZE, 1);
    fs::write(task.object("model"), &data).unwrap();
    let model = blob("s3://data/model", BlobDimensionality::Single);
    let inputs = LiteralMap {
        literals: [("model".to_owned(), model)].into(),
    };
    fs::write(task.object("inputs.pb"), inputs.encode_to_vec()).unwrap();
    data
}

/// Whether something of a file's content has arrived in a directory.
fn has_begun(directory: &Path) -> bool {
    let entries = fs::read_dir(directory).unwrap().filter_map(Result::ok);
    entries
        .filter_map(|entry| entry.metadata().ok())
        .any(|found| found.is_file() && found.len() > 0)
}

#[test]
fn a_task_runs_after_its_downloader_was_killed_half_way() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let task = TaskPod::start(Pids::Shared).unwrap();
    let data = put_input(&task);
    let inputs = task.pod.volume("flyte-inputs").unwrap();

    let upstream = task.server().address();
    let stall = || {
        FaultProxy::start(upstream, |seen| {
            if seen.line.contains("/model") {
                Fault::StallAfter(SIZE / 2)
            } else {
                Fault::None
            }
        })
    };
    let slow = task.pod.network().enter(stall).unwrap();
    let killed = task.downloader(&slow.endpoint()).unwrap();
    let killed = task.pod.run(&killed).unwrap();
    while !has_begun(&inputs) {
        assert!(killed.try_wait().unwrap().is_none(), "{}", killed.log());
        thread::sleep(Duration::from_millis(5));
    }
    killed.signal(Signal::KILL).unwrap();
    killed.wait().unwrap();
    assert!(!inputs.join("model").exists());

    // The platform's second try, and one more that finds the work done.
    for _ in 0..2 {
        let spec = task.downloader(&task.server().endpoint).unwrap();
        let ended = task.pod.run(&spec).unwrap().wait().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        let found = files(&inputs);
        let names: Vec<&String> = found.keys().collect();
        assert_eq!(names, ["inputs.json", "inputs.pb", "model"]);
        assert!(found["model"] == data);
    }

    let sidecar = task.attach(&task.sidecar().unwrap()).unwrap();
    let script =
        "md5sum < /var/inputs/model > /var/outputs/word && grep -q model /var/inputs/inputs.json";
    let main = task.main(script).unwrap().mount(&inputs, "/var/inputs");
    let main = task.pod.run(&main).unwrap();
    let ended = main.wait().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let outcome = task.outcome(&sidecar).unwrap();
    assert_eq!(outcome.ended.code(), 0, "{outcome:?}");
    let outputs = outcome.outputs.expect("outputs.pb is written");
    assert!(outputs.literals.contains_key(OUTPUT));
}

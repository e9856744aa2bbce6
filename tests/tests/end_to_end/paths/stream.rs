//! Main of a streaming download swaps the directories of its inputs while they are filled, and between two lives
//! of the download.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::binary::{self, Running, wait_until};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::task::{Task, blob};
use copilot_tests::values::{list, map};
use rustix::process::Signal;

use super::Canary;

/// A map and a list of a file and a directory each, and a file at last.
fn stage() -> (Task, Canary) {
    let task = Task::start().unwrap();
    for key in ["one", "tree/x", "tree/deep/y", "last"] {
        task.put(&format!("in/{key}"), key);
    }
    let (one, tree) = (
        blob("s3://data/in/one", Single),
        blob("s3://data/in/tree", Multipart),
    );
    task.put_inputs([
        ("l", list([one.clone(), tree.clone()])),
        ("m", map([("keep", tree), ("passwd", one)])),
        ("z", blob("s3://data/in/last", Single)),
    ]);
    let names = ["0", "1/x", "1/deep/y", "keep/x", "keep/deep/y", "_EOS"];
    let canary = Canary::at(&task.site.work("outside"), &names);
    (task, canary)
}

/// A proxy that holds the requests for data back until it is told to pass them on.
fn held(task: &Task) -> (FaultProxy, Arc<AtomicBool>) {
    let open = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&open);
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        if seen.line.contains("/in/") && !is_open.load(Ordering::Relaxed) {
            Fault::Answer(503, "Retry-After: 1\r\n")
        } else {
            Fault::None
        }
    });
    (proxy.unwrap(), open)
}

fn start(task: &Task, endpoint: &str) -> Running {
    let mut command = binary::command();
    command
        .args(task.site.server.flags_through(endpoint, "data"))
        .args(task.download_arguments())
        .args(["--download-mode", "DOWNLOAD_STREAM"]);
    Running::start(&mut command)
}

fn swap(inputs: &Path, name: &str, target: &Path) {
    let place = inputs.join(name);
    if place.symlink_metadata().is_ok() {
        fs::rename(&place, inputs.join(format!("{name}.gone"))).unwrap();
    }
    symlink(target, place).unwrap();
}

#[test]
fn a_directory_that_becomes_a_link_is_not_filled() {
    for name in ["m", "l"] {
        let (task, canary) = stage();
        let (proxy, open) = held(&task);
        let mut running = start(&task, &proxy.endpoint());
        running.watches();
        swap(&task.inputs_dir(), name, &canary.root);
        open.store(true, Ordering::Relaxed);
        wait_until("main is told", || task.inputs_dir().join("_ERROR").exists());
        let told = fs::read_to_string(task.inputs_dir().join("_ERROR")).unwrap();
        assert!(told.contains("through a link"), "{told}");
        assert!(!task.inputs_dir().join("_EOS").exists());
        running.signal(Signal::TERM);
        assert_eq!(running.ended().code(), 1);
        canary.assert_untouched(&task, &[&task.inputs_dir()]);
    }
}

/// Killed, and started again over what main has made of its directory.
#[test]
fn a_second_life_removes_and_replaces_nothing_outside() {
    let cases: [(&str, bool); 8] = [
        ("m", false),
        ("l", false),
        ("z", true),
        ("_EOS", true),
        ("_ERROR", true),
        (".copilot-stream", true),
        ("inputs.pb", true),
        (".copilot-begun", true),
    ];
    for (name, is_replaced) in cases {
        let (task, canary) = stage();
        let (proxy, _) = held(&task);
        let mut first = start(&task, &proxy.endpoint());
        first.watches();
        first.signal(Signal::KILL);
        let _ = first.ended();
        let inputs = task.inputs_dir();
        let _ = fs::remove_file(inputs.join(".copilot-stream"));
        let target = if is_replaced { "passwd" } else { "" };
        swap(&inputs, name, &canary.root.join(target));
        let running = start(&task, &task.site.server.endpoint);
        if is_replaced {
            let is_done = || {
                let found = fs::symlink_metadata(inputs.join("_EOS"));
                found.is_ok_and(|found| found.is_file())
            };
            wait_until("all data is there", is_done);
            let there = inputs.join(name).symlink_metadata();
            assert!(!there.is_ok_and(|there| there.is_symlink()), "{name}");
            running.signal(Signal::TERM);
            assert_eq!(running.ended().code(), 0, "{name}");
        } else {
            let ended = running.ended();
            assert_eq!(ended.code(), 1, "{name}: {}", ended.stderr);
            assert!(
                ended.message().contains("through a link"),
                "{}",
                ended.stderr
            );
        }
        canary.assert_untouched(&task, &[]);
    }
}

/// The same for a download before main, over a volume that main of an earlier pod has left.
#[test]
fn a_volume_with_links_is_not_followed_by_a_download() {
    for (name, is_replaced) in [("m", false), ("z", true), ("inputs.json", true)] {
        let (task, canary) = stage();
        let inputs = task.inputs_dir();
        fs::create_dir(&inputs).unwrap();
        let target = if is_replaced { "passwd" } else { "" };
        swap(&inputs, name, &canary.root.join(target));
        let ended = binary::run(&mut task.download());
        assert_eq!(ended.code() == 0, is_replaced, "{name}: {}", ended.stderr);
        canary.assert_untouched(&task, &[]);
    }
}

//! A streaming downloader as a native sidecar: main starts when it is ready, reads the files that exist, and
//! waits for the rest.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use copilot::idl::{LiteralMap, Message as _, blob_type::BlobDimensionality};
use copilot_tests::binary::wait_until;
use copilot_tests::container::Pids;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::fixture::{NAME, Outcome, TaskPod, VOLUME};
use copilot_tests::requirement::Requirement;
use copilot_tests::task::blob;
use rustix::process::Signal;

use super::outcome::{FLYTE_NAMING, OUTPUT_VOLUME, assert_seen};

/// Finds the metadata file, waits for the first input, reports that the second one does not exist yet, and
/// waits for the end of the stream.
const MAIN: &str = "grep -q /var/inputs/second /var/inputs/inputs.json || exit 3
    until test -e /var/inputs/first; do sleep 0.02; done
    test ! -e /var/inputs/second || exit 4
    touch /var/outputs/waits
    until test -e /var/inputs/_EOS; do sleep 0.02; done
    cat /var/inputs/first /var/inputs/second > /var/outputs/word";

/// Whether the downloader is stopped, or detects main's end itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Seen,
    Told,
}

/// Runs the pod: the uploader, the downloader and, when both are ready, main.
fn play(pids: Pids, main: &str, end: End) -> Outcome {
    let task = TaskPod::start(pids).unwrap();
    put_inputs(&task);
    let open = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&open);
    let upstream = task.server().address();
    let start = || {
        FaultProxy::start(upstream, move |seen| {
            if seen.line.contains("/second") && !is_open.load(Ordering::Relaxed) {
                Fault::Answer(503, "Retry-After: 1\r\n")
            } else {
                Fault::None
            }
        })
    };
    let way = task.pod.network().enter(start).unwrap();

    let uploader = task.attach(&task.sidecar().unwrap()).unwrap();
    let downloader = task.downloader(&way.endpoint()).unwrap();
    let downloader = downloader.argument("--download-mode=DOWNLOAD_STREAM");
    let downloader = task.attach(&downloader).unwrap();
    let inputs = task.pod.volume("flyte-inputs").unwrap();
    let main = task.main_called(main, MAIN).unwrap();
    let main = task.pod.run(&main.mount(&inputs, "/var/inputs")).unwrap();
    let waits = task.pod.volume(VOLUME).unwrap().join("waits");
    wait_until("main waits", || {
        assert!(main.try_wait().unwrap().is_none(), "{}", main.log());
        waits.exists()
    });
    assert!(!inputs.join("_EOS").exists());
    open.store(true, Ordering::Relaxed);
    let ended = main.wait().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    if end == End::Told {
        assert!(
            downloader.try_wait().unwrap().is_none(),
            "{}",
            downloader.log()
        );
        // Kubelet stops native sidecars in the reverse of their order.
        downloader.signal(Signal::TERM).unwrap();
    }
    let ended = downloader.wait().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    if end == End::Told {
        uploader.signal(Signal::TERM).unwrap();
    }
    task.outcome(&uploader).unwrap()
}

fn put_inputs(task: &TaskPod) {
    let mut literals = LiteralMap::default();
    for (name, content) in [("first", "hel"), ("second", "lo")] {
        fs::write(task.object(name), content).unwrap();
        let uri = format!("s3://data/{name}");
        let literal = blob(&uri, BlobDimensionality::Single);
        literals.literals.insert(name.to_owned(), literal);
    }
    fs::write(task.object("inputs.pb"), literals.encode_to_vec()).unwrap();
}

#[test]
fn it_ends_with_main_if_it_can_see_it() {
    if Requirement::Containers.is_met() {
        let outcome = play(Pids::Shared, NAME, End::Seen);
        outcome.assert_committed("hello");
        assert_seen(&outcome, "ebpf", FLYTE_NAMING);
    }
}

#[test]
fn it_ends_with_sigterm_if_it_cannot_see_main() {
    if Requirement::Containers.is_met() {
        let outcome = play(Pids::Separate, NAME, End::Told);
        outcome.assert_committed("hello");
    }
}

#[test]
fn a_main_without_a_known_name_is_found_beside_it() {
    if Requirement::Containers.is_met() {
        let outcome = play(Pids::Shared, "worker", End::Told);
        outcome.assert_committed("hello");
        assert_seen(&outcome, "ebpf", OUTPUT_VOLUME);
    }
}

//! SIGTERM at any time: it never stops an upload, and incomplete outputs are never uploaded.

use copilot_tests::container::Pids;
use copilot_tests::fixture::TaskPod;
use copilot_tests::requirement::Requirement;
use copilot_tests::task::interface;
use rustix::process::Signal;

use super::fixture::{ContainerFixture, WORKS, assert_waiting, wait_for_words};
use super::outcome::{FLYTE_NAMING, assert_seen};
use super::restarts::HeldStore;

on!(all: main_ends_in_time, main_does_not_end, during_the_upload, nothing_to_upload);

fn main_ends_in_time(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("ready");
    let sidecar = fixture.attach(&["--term-wait=1m"]);
    let script = format!(
        "trap '{WORKS}; exit 0' TERM; read go < /gates/ready; while :; do sleep 0.05; done"
    );
    let main = fixture.main(&script);
    wait_for_words(&sidecar, "main started");
    gate.open();
    for signal in [Signal::TERM, Signal::TERM, Signal::INT] {
        sidecar.signal(signal).unwrap();
    }
    assert_waiting(&sidecar);
    main.signal(Signal::TERM).unwrap();
    let outcome = fixture.end(&main, &sidecar);
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

fn main_does_not_end(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let sidecar = fixture.attach(&["--term-wait=300ms"]);
    let main = fixture.main(&format!("{WORKS}; exec sleep 600"));
    wait_for_words(&sidecar, "main started");
    sidecar.signal(Signal::TERM).unwrap();
    let outcome = fixture.task.outcome(&sidecar).unwrap();
    outcome.assert_reported("Interrupted", "still running");
    drop(main);
}

fn during_the_upload(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let store = HeldStore::before(&fixture);
    let gate = fixture.gate("go");
    let sidecar = fixture.task.attach(&store.sidecar(&fixture)).unwrap();
    let main = fixture.main(&format!("read go < /gates/go; {WORKS}"));
    wait_for_words(&sidecar, "main started");
    gate.open();
    main.wait().unwrap();
    store.wait_for_upload();
    for signal in [Signal::TERM, Signal::TERM, Signal::INT] {
        sidecar.signal(signal).unwrap();
    }
    assert_waiting(&sidecar);
    store.release();
    let outcome = fixture.task.outcome(&sidecar).unwrap();
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

/// If it ended before main, kubelet would restart it again and again.
fn nothing_to_upload(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let sidecar = fixture.task.sidecar_for(&interface([])).unwrap();
    let sidecar = fixture.task.attach(&fixture.empower(sidecar)).unwrap();
    let main = fixture.main("read go < /gates/go; exit 3");
    wait_for_words(&sidecar, "main started");
    assert_waiting(&sidecar);
    gate.open();
    let outcome = fixture.end(&main, &sidecar);
    assert_eq!(outcome.ended.code(), 0, "{outcome:?}");
    assert!(outcome.outputs.is_none() && outcome.error().is_none());
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

/// SIGTERM is the only thing that a native sidecar gets.
#[test]
fn sigterm_ends_the_wait_if_main_cannot_be_seen() {
    if !Requirement::Containers.is_met() {
        return;
    }
    for (pids, option) in [
        (Pids::Separate, None),
        (Pids::Shared, Some("--watcher=signal")),
    ] {
        let task = TaskPod::start(pids).unwrap();
        let mut spec = task.powerless_sidecar().unwrap();
        if let Some(option) = option {
            spec = spec.argument(option);
        }
        let sidecar = task.attach(&spec).unwrap();
        let main = task.pod.run(&task.main(WORKS).unwrap()).unwrap();
        main.wait().unwrap();
        assert_waiting(&sidecar);
        sidecar.signal(Signal::TERM).unwrap();
        let outcome = task.outcome(&sidecar).unwrap();
        outcome.assert_committed("hello");
        assert_eq!(outcome.timeline["watcher"], "signal");
    }
}

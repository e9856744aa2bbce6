//! SIGTERM, at any time: it never ends an upload, and never makes one of half-written outputs.

use copilot_tests::container::Pids;
use copilot_tests::requirement::Requirement;
use copilot_tests::task::interface;
use copilot_tests::task_pod::TaskPod;
use rustix::process::Signal;

use super::outcome::{FLYTE_NAMING, assert_reported, assert_seen, assert_uploaded};
use super::restarts::HeldStore;
use super::scene::{Scene, WORKS, assert_waiting, wait_for_words};

on!(all: main_ends_in_time, main_does_not_end, during_the_upload, nothing_to_upload);

fn main_ends_in_time(watcher: &'static str) {
    let scene = Scene::set(watcher);
    let gate = scene.gate("ready");
    let sidecar = scene.attach(&["--term-wait=1m"]);
    let script = format!(
        "trap '{WORKS}; exit 0' TERM; read go < /gates/ready; while :; do sleep 0.05; done"
    );
    let main = scene.main(&script);
    wait_for_words(&sidecar, "main started");
    gate.open();
    for signal in [Signal::TERM, Signal::TERM, Signal::INT] {
        sidecar.signal(signal).unwrap();
    }
    assert_waiting(&sidecar);
    main.signal(Signal::TERM).unwrap();
    let outcome = scene.end(&main, &sidecar);
    assert_uploaded(&outcome, "hello");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

fn main_does_not_end(watcher: &'static str) {
    let scene = Scene::set(watcher);
    let sidecar = scene.attach(&["--term-wait=300ms"]);
    let main = scene.main(&format!("{WORKS}; exec sleep 600"));
    wait_for_words(&sidecar, "main started");
    sidecar.signal(Signal::TERM).unwrap();
    let outcome = scene.task.outcome(&sidecar).unwrap();
    assert_reported(&outcome, "Interrupted", "still running");
    drop(main);
}

fn during_the_upload(watcher: &'static str) {
    let scene = Scene::set(watcher);
    let store = HeldStore::before(&scene);
    let sidecar = scene.task.attach(&store.sidecar(&scene)).unwrap();
    let main = scene.main(&format!("sleep 0.3; {WORKS}"));
    main.wait().unwrap();
    store.wait_for_upload();
    for signal in [Signal::TERM, Signal::TERM, Signal::INT] {
        sidecar.signal(signal).unwrap();
    }
    assert_waiting(&sidecar);
    store.release();
    let outcome = scene.task.outcome(&sidecar).unwrap();
    assert_uploaded(&outcome, "hello");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

/// If it ended before main, kubelet would start it again and again.
fn nothing_to_upload(watcher: &'static str) {
    let scene = Scene::set(watcher);
    let gate = scene.gate("go");
    let sidecar = scene.task.sidecar_for(&interface([])).unwrap();
    let sidecar = scene.task.attach(&scene.empower(sidecar)).unwrap();
    let main = scene.main("read go < /gates/go; exit 3");
    wait_for_words(&sidecar, "main started");
    assert_waiting(&sidecar);
    gate.open();
    let outcome = scene.end(&main, &sidecar);
    assert_eq!(outcome.sidecar.status.code(), Some(0), "{outcome:?}");
    assert!(outcome.outputs.is_none() && outcome.error.is_none());
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

/// The word of kubelet to a native sidecar is all there is.
#[test]
fn where_nobody_can_be_seen_sigterm_ends_the_wait() {
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
        assert_uploaded(&outcome, "hello");
        assert_eq!(outcome.timeline["watcher"], "signal");
    }
}

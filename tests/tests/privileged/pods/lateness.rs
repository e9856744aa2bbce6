//! Main and its watcher start in any order, also very late.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::fixture::{ContainerFixture, WORKS, assert_waiting, wait_for_words};
use super::outcome::{FLYTE_NAMING, assert_seen, assert_status};

on!(all: main_a_second_late, watcher_while_main_runs, watcher_after_main);
on!(kernel: main_five_seconds_late);

fn main_a_second_late(watcher: &'static str) {
    late(watcher, Duration::from_secs(1));
}

fn main_five_seconds_late(watcher: &'static str) {
    late(watcher, Duration::from_secs(5));
}

fn late(watcher: &'static str, wait: Duration) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let sidecar = fixture.attach(&[]);
    thread::sleep(wait);
    assert!(sidecar.try_wait().unwrap().is_none(), "{}", sidecar.log());
    let main = fixture.main(&format!("read go < /gates/go; {WORKS}"));
    wait_for_words(&sidecar, "main started");
    gate.open();
    let outcome = fixture.end(&main, &sidecar);
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

fn watcher_while_main_runs(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let main = fixture.main(&format!("read go < /gates/go; {WORKS}"));
    thread::sleep(Duration::from_millis(300));
    let sidecar = fixture.attach(&[]);
    wait_for_words(&sidecar, "main started");
    gate.open();
    let outcome = fixture.end(&main, &sidecar);
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
    assert_status(&outcome, watcher, "exited with code 0");
}

/// Before main's start and after its end the pod looks the same: SIGTERM decides.
fn watcher_after_main(watcher: &'static str) {
    for is_removed in [false, true] {
        let fixture = ContainerFixture::start(watcher);
        let mut main = Some(fixture.main(WORKS));
        main.as_ref().unwrap().wait().unwrap();
        if is_removed {
            main = None;
        }
        let sidecar = fixture.attach(&[]);
        assert_waiting(&sidecar);
        sidecar.signal(Signal::TERM).unwrap();
        let outcome = fixture.task.outcome(&sidecar).unwrap();
        outcome.assert_committed("hello");
        assert!(outcome.timeline["since_start_ms"]["started"].is_null());
        drop(main);
    }
}

//! Processes that stand still, and a `/proc` that hides them: main lives, whatever it looks like.

use copilot_tests::container::{Layout, Pids};
use rustix::process::Signal;

use super::fixture::{ContainerFixture, WORKS, assert_waiting, wait_for_words};
use super::outcome::{FLYTE_NAMING, assert_seen, assert_status};

on_one_node!(all: a_frozen_main, a_stopped_main, a_stopped_sidecar, processes_that_proc_hides);

/// How a test makes main stand still and go on.
type Act = fn(&copilot_tests::container::Container<'_>) -> std::io::Result<()>;

/// Main stands still: the sidecar waits for it, and a stopped pod commits nothing. Then it goes on.
fn stands_still(watcher: &'static str, stop: Act, go_on: Act) {
    for is_awaited in [true, false] {
        let fixture = ContainerFixture::start(watcher);
        let gate = fixture.gate("go");
        let sidecar = fixture.attach(&["--term-wait=300ms"]);
        let main = fixture.main(&format!("{WORKS}; read go < /gates/go"));
        wait_for_words(&sidecar, "main started");
        stop(&main).unwrap();
        assert_waiting(&sidecar);
        if is_awaited {
            go_on(&main).unwrap();
            gate.open();
            let outcome = fixture.end(&main, &sidecar);
            outcome.assert_committed("hello");
            assert_seen(&outcome, watcher, FLYTE_NAMING);
            assert_status(&outcome, watcher, "exited with code 0");
        } else {
            sidecar.signal(Signal::TERM).unwrap();
            let outcome = fixture.task.outcome(&sidecar).unwrap();
            outcome.assert_reported("Interrupted", "still running");
            go_on(&main).unwrap();
        }
    }
}

fn a_frozen_main(watcher: &'static str) {
    let stop: Act = |main| main.freeze();
    let go_on: Act = |main| main.thaw();
    stands_still(watcher, stop, go_on);
}

fn a_stopped_main(watcher: &'static str) {
    let stop: Act = |main| main.signal(Signal::STOP);
    stands_still(watcher, stop, |main| main.signal(Signal::CONT));
}

/// Main ends while the sidecar is stopped, by a debugger or a frozen node.
fn a_stopped_sidecar(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let sidecar = fixture.attach(&[]);
    let main = fixture.main(&format!("read go < /gates/go; {WORKS}"));
    wait_for_words(&sidecar, "main started");
    sidecar.signal(Signal::STOP).unwrap();
    gate.open();
    main.wait().unwrap();
    assert_waiting(&sidecar);
    sidecar.signal(Signal::CONT).unwrap();
    let outcome = fixture.task.outcome(&sidecar).unwrap();
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

/// With `hidepid` a main of another user looks as if it had never been there. Watchers that need to see it are
/// refused, and the kernel's events do not depend on it.
fn processes_that_proc_hides(watcher: &'static str) {
    let fixture = ContainerFixture::start_on(watcher, Layout::default(), Pids::Shared);
    let gate = fixture.gate("go");
    let sidecar = fixture.sidecar().hidden_processes().user(0);
    if watcher != "ebpf" {
        let ended = fixture.run(&sidecar).wait().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains("hidepid"), "{}", ended.stderr);
        return;
    }
    let sidecar = fixture.task.attach(&sidecar).unwrap();
    let main = fixture.main(&format!("{WORKS}; read go < /gates/go; exit 7"));
    assert_waiting(&sidecar);
    gate.open();
    main.wait().unwrap();
    let outcome = fixture.task.outcome(&sidecar).unwrap();
    outcome.assert_reported("MainFailed", "exited with code 7");
}

//! Other containers, and processes that enter main's container, are not main; and main cannot imitate the
//! sidecar.

use std::fs;

use copilot_tests::binary::wait_until;
use copilot_tests::container::{Container, Spec};
use copilot_tests::fixture::is_ready;

use super::fixture::{ContainerFixture, WORKS, assert_waiting, wait_for_words};
use super::outcome::{FLYTE_NAMING, NAMED, assert_seen};

on!(all: exec_sessions, a_sharer_that_never_ends);
on_one_node!(all: one_that_does_not_mount_the_outputs);
on!(kernel: readiness_cannot_be_forged);

/// Some end while main runs, one is still open when main ends.
fn exec_sessions(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let sidecar = fixture.attach(&["--settle=500ms"]);
    let main = fixture.main(&format!("read go < /gates/go; {WORKS}"));
    wait_for_words(&sidecar, "main started");
    for code in [0, 3] {
        let mut session = main.exec(&["/bin/sh", "-c", &format!("sleep 0.2; exit {code}")]);
        let status = session.status().unwrap();
        assert_eq!(status.code(), Some(code));
    }
    let begun = "echo begun > /gates/begun; exec sleep 600";
    let mut lasting = main.exec(&["/bin/sh", "-c", begun]).spawn().unwrap();
    let begun = fixture.task.pod.volume("gates").unwrap().join("begun");
    wait_until("the session is open", || begun.exists());
    assert_waiting(&sidecar);
    gate.open();
    let outcome = fixture.end(&main, &sidecar);
    drop(main);
    lasting.wait().unwrap();
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

/// It mounts the output volume and looks like main; only its name shows that it is not.
fn a_sharer_that_never_ends(watcher: &'static str) {
    for options in [
        &["--main-container=trainer"][..],
        &["--ignore-container=shipper"],
    ] {
        let fixture = ContainerFixture::start(watcher);
        let gate = fixture.gate("go");
        let sidecar = fixture.attach(options);
        let _shipper = fixture.run(&fixture.worker("shipper", "exec sleep 600"));
        let script = format!("read go < /gates/go; {WORKS}");
        let main = fixture.run(&fixture.worker("trainer", &script));
        wait_for_words(&sidecar, "main started");
        gate.open();
        let outcome = fixture.end(&main, &sidecar);
        outcome.assert_committed("hello");
        if options[0].starts_with("--main") {
            assert_seen(&outcome, watcher, NAMED);
        }
    }
}

fn readiness_cannot_be_forged(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let forge =
        "echo -n copilot-ready > /proc/self/comm; cat /proc/self/comm; read never < /dev/zero";
    let forger = fixture.main(forge);
    wait_until("main has the name", || comm(&forger) == "copilot-ready");
    let sidecar = fixture.task.pod.create(&fixture.sidecar()).unwrap();
    assert!(!is_ready(&sidecar).unwrap());
    sidecar.start().unwrap();
    wait_for_words(&sidecar, "main started");
    assert!(is_ready(&sidecar).unwrap());
    wait_for_words(&sidecar, "a startup probe has found this sidecar");
}

fn comm(container: &Container<'_>) -> String {
    let path = format!("/proc/{}/comm", container.pid());
    let name = fs::read_to_string(path).unwrap();
    name.trim_end().to_owned()
}

/// A logger that never ends and does not mount the output volume cannot be main. The sidecar, which nobody
/// stops, does not wait for it: whether it begins before main, after main has ended, or before the sidecar.
fn one_that_does_not_mount_the_outputs(watcher: &'static str) {
    let logger = || Spec::script("logger", "exec sleep 600");
    let trainer = |fixture: &ContainerFixture| fixture.worker("trainer", WORKS);
    for order in [
        "before main",
        "after main",
        "before the sidecar, after main",
    ] {
        let fixture = ContainerFixture::start(watcher);
        let run = |spec: &Spec| fixture.run(spec);
        let early = (order == "before the sidecar, after main").then(|| {
            let main = run(&trainer(&fixture));
            main.wait().unwrap();
            (main, run(&logger()))
        });
        let sidecar = fixture.attach(&[]);
        let before = (order == "before main").then(|| run(&logger()));
        let late = early.is_none().then(|| {
            let main = run(&trainer(&fixture));
            main.wait().unwrap();
            main
        });
        let after = (order == "after main").then(|| run(&logger()));
        let outcome = fixture.task.outcome(&sidecar).unwrap();
        outcome.assert_committed("hello");
        drop((early, before, late, after));
    }
}

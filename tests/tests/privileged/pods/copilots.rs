//! Several of our own in one pod: each waits for main, and none for another. And a main that claims to be one of us.

use std::fs;

use copilot::idl::SimpleType;
use copilot_tests::container::{Container, Image, Layout, Pids, Spec};
use copilot_tests::fixture::{OUTPUT, Outcome};
use copilot_tests::task::{interface, simple};
use rustix::process::Signal;

use super::fixture::{ContainerFixture, WORKS, assert_waiting, wait_for_words};
use super::outcome::{OUTPUT_VOLUME, assert_seen, tells_status};

on_one_node!(all: three_that_nobody_names);
on_one_node!(seeing: too_late_to_see_main);
on_one_node!(telling: a_main_that_fails_beside_two);
on_one_node!(kernel: one_with_a_name_and_one_without, two_without_shared_pids);
on_one_node!(all: a_main_that_claims_to_be_a_sidecar);

/// Another uploader of the same outputs, to a prefix of its own. Its name says nothing.
fn another(fixture: &ContainerFixture, name: &str) -> Spec {
    to_prefix(fixture.sidecar(), name)
}

fn to_prefix(sidecar: Spec, name: &str) -> Spec {
    let mut spec = sidecar.called(name);
    for option in [
        format!("--to-output-prefix=s3://data/{name}"),
        format!("--to-raw-output=s3://data/raw-{name}"),
        format!("--timeline=/var/timeline/{name}.json"),
    ] {
        spec = spec.argument(&option);
    }
    spec
}

/// Waits for its end.
#[track_caller]
fn outcome(fixture: &ContainerFixture, name: &str, sidecar: &Container<'_>) -> Outcome {
    let timeline = fixture.task.pod.volume("timeline").unwrap();
    let timeline = timeline.join(format!("{name}.json"));
    Outcome::read(
        sidecar.wait().unwrap(),
        &fixture.task.object(name),
        &timeline,
    )
    .unwrap()
}

/// Nothing but their programs tells them from main. One comes while main runs. Nobody stops them.
fn three_that_nobody_names(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let attach = |name| fixture.task.attach(&another(&fixture, name)).unwrap();
    let (one, two) = (attach("one"), attach("two"));
    let script = format!("read go < /gates/go; {WORKS}");
    let main = fixture.run(&fixture.worker("worker", &script));
    wait_for_words(&one, "main started");
    let three = attach("three");
    wait_for_words(&three, "main started");
    gate.open();
    main.wait().unwrap();
    for (name, sidecar) in [("one", &one), ("two", &two), ("three", &three)] {
        let outcome = outcome(&fixture, name, sidecar);
        outcome.assert_committed("hello");
        assert_seen(&outcome, watcher, OUTPUT_VOLUME);
    }
}

fn a_main_that_fails_beside_two(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let attach = |name| fixture.task.attach(&another(&fixture, name)).unwrap();
    let (one, two) = (attach("one"), attach("two"));
    let script = format!("{WORKS}; sleep 0.3; exit 7");
    let main = fixture.run(&fixture.worker("worker", &script));
    main.wait().unwrap();
    for (name, sidecar) in [("one", &one), ("two", &two)] {
        let outcome = outcome(&fixture, name, sidecar);
        outcome.assert_reported("MainFailed", "exited with code 7");
    }
}

/// In a pod of kubelet's an end may be an init container's. Only a name is certain: one sidecar knows main's and
/// ends at once, with an error of its own. The other does not take that for main's, and waits for silence.
fn one_with_a_name_and_one_without(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let text = || simple(SimpleType::String);
    let two_outputs = interface([(OUTPUT, text()), ("absent", text())]);
    let named = fixture.task.sidecar_for(&two_outputs).unwrap();
    let named = to_prefix(fixture.empower(named), "one").argument("--main-container=worker");
    let one = fixture.task.attach(&named).unwrap();
    let two = fixture.task.attach(&another(&fixture, "two")).unwrap();
    let main = fixture.run(&fixture.worker("worker", &format!("sleep 0.3; {WORKS}")));
    main.wait().unwrap();
    assert_eq!(one.wait().unwrap().status.code(), Some(1));
    let outcome = outcome(&fixture, "two", &two);
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, OUTPUT_VOLUME);
}

/// Only the kernel's record of its command line shows what the other one is. It begins while main runs, and is not
/// the downloader, which no main comes before. Kubelet stops them one after the other.
fn two_without_shared_pids(watcher: &'static str) {
    let fixture = ContainerFixture::start_on(watcher, Layout::default(), Pids::Separate);
    let gate = fixture.gate("go");
    let one = fixture.task.attach(&another(&fixture, "one")).unwrap();
    let script = format!("read go < /gates/go; {WORKS}");
    let main = fixture.run(&fixture.worker("worker", &script));
    assert_waiting(&one);
    let two = fixture.task.attach(&another(&fixture, "two")).unwrap();
    gate.open();
    main.wait().unwrap();
    for (name, sidecar) in [("two", &two), ("one", &one)] {
        assert_waiting(sidecar);
        sidecar.signal(Signal::TERM).unwrap();
        let outcome = outcome(&fixture, name, sidecar);
        outcome.assert_committed("hello");
    }
}

/// Main has ended before they come. A main could claim to be one of them, so nothing proves that it ended well while
/// they live: the first one ends, and commits nothing. Then nobody keeps the second one waiting.
fn too_late_to_see_main(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let main = fixture.run(&fixture.worker("worker", WORKS));
    main.wait().unwrap();
    let attach = |name| fixture.task.attach(&another(&fixture, name)).unwrap();
    let (one, two) = (attach("one"), attach("two"));
    let told = outcome(&fixture, "one", &one);
    told.assert_reported(
        "MainStatusUnknown",
        "only containers are left that run a sidecar",
    );
    two.wait().unwrap();
}

/// It runs our own program, so no look can tell it from a sidecar. It has written all outputs, and lives.
fn a_main_that_claims_to_be_a_sidecar(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let outputs = fixture.task.pod.volume("flyte-outputs").unwrap();
    fs::write(outputs.join("word"), "hello").unwrap();
    let sidecar = another(&fixture, "one").argument("--term-wait=300ms");
    let sidecar = fixture.task.attach(&sidecar).unwrap();
    let claims = Spec::new(
        "worker",
        Image::Copilot(copilot_tests::binary::path()),
        [
            "/bin/copilot",
            "sidecar",
            "--watcher=signal",
            "--interface=",
            "--from-local-dir=/o",
        ],
    );
    let main = fixture.run(&claims.mount(outputs, "/o"));
    assert_waiting(&sidecar);
    sidecar.signal(Signal::TERM).unwrap();
    let told = outcome(&fixture, "one", &sidecar);
    told.assert_reported("Interrupted", "still running");

    // And it fails.
    let sidecar = fixture.task.attach(&another(&fixture, "two")).unwrap();
    main.signal(Signal::KILL).unwrap();
    main.wait().unwrap();
    if tells_status(watcher) {
        sidecar.signal(Signal::TERM).unwrap();
        let told = outcome(&fixture, "two", &sidecar);
        assert!(told.outputs.is_none() && told.error().is_some(), "{told:?}");
    }
}

//! Which container is main: by name, by Flyte's names, by the output volume.

use std::fs;

use copilot::idl::SimpleType;
use copilot_tests::binary::wait_until;
use copilot_tests::container::{Container, NodeKind, Spec};
use copilot_tests::fixture::{NAME, OUTPUT, VOLUME};
use copilot_tests::task::{interface, simple};

use super::fixture::{ContainerFixture, WORKS, assert_waiting, wait_for_words};
use super::outcome::{
    FLYTE_NAMING, NAMED, OUTPUT_VOLUME, assert_seen, assert_status, tells_status,
};

on!(all: by_names_or_volume, two_mains, a_volume_by_sub_path, nobody_of_that_name);
on!(all: an_init_container_named, an_init_container_by_flytes_naming);
on!(all: an_init_container_before_the_downloader);
on_one_node!(all: whom_nobody_stops);
on_one_node!(kernel: forks_of_the_node_are_watched_only_before_main_and_after_an_init_container);

const FOREIGN: &str = "trainer";

/// The pod also has a mesh that never ends, and a helper that shares nothing and ends first. A helper whose
/// name could not be read in time may have been main: its bad end counts.
fn by_names_or_volume(watcher: &'static str) {
    for (name, option, found) in [
        (NAME, None, FLYTE_NAMING),
        ("primary", None, FLYTE_NAMING),
        (FOREIGN, None, OUTPUT_VOLUME),
        (FOREIGN, Some("--main-container=trainer"), NAMED),
    ] {
        let fixture = ContainerFixture::start(watcher);
        let gate = fixture.gate("go");
        let sidecar = fixture.attach(option.as_slice());
        let _mesh = fixture.run(&Spec::script("istio-proxy", "exec sleep 600"));
        // Long enough to read its name, also on a busy machine.
        let seconds = 1 + u8::from(NodeKind::here() == NodeKind::SlowProc);
        let helper = Spec::script("helper", &format!("sleep {seconds}; exit 9"));
        fixture.run(&helper).wait().unwrap();
        let main = fixture.run(&fixture.worker(name, &format!("read go < /gates/go; {WORKS}")));
        wait_for_words(&sidecar, "main started");
        gate.open();
        let outcome = fixture.end_and_stop(&main, &sidecar);
        outcome.assert_committed("hello");
        assert_seen(&outcome, watcher, found);
        assert_eq!(outcome.timeline["main"].as_array().unwrap().len(), 1);
    }
}

/// Both must end, in any order; the worse status is reported.
fn two_mains(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let (first, second) = (fixture.gate("first"), fixture.gate("second"));
    let sidecar = fixture.attach(&[]);
    let one = fixture.run(&fixture.worker("one", "read go < /gates/first; exit 5"));
    wait_for_words(&sidecar, "main started");
    let script = format!("read go < /gates/second; {WORKS}");
    let two = fixture.run(&fixture.worker("two", &script));
    wait_until("both are known", || {
        sidecar.log().matches("main found").count() == 2
    });
    first.open();
    one.wait().unwrap();
    assert_waiting(&sidecar);
    second.open();
    let outcome = fixture.end_and_stop(&two, &sidecar);
    if tells_status(watcher) {
        outcome.assert_reported("MainFailed", "exited with code 5");
    } else {
        outcome.assert_committed("hello");
    }
    assert_seen(&outcome, watcher, OUTPUT_VOLUME);
    assert_eq!(outcome.timeline["main"].as_array().unwrap().len(), 2);
}

/// One of the two only sees a part of the volume.
fn a_volume_by_sub_path(watcher: &'static str) {
    for sidecars_part in [true, false] {
        let fixture = ContainerFixture::start(watcher);
        let gate = fixture.gate("go");
        let volume = fixture.task.pod.volume(VOLUME).unwrap();
        let part = fixture.task.pod.volume("flyte-outputs/part").unwrap();
        let gates = fixture.task.pod.volume("gates").unwrap();
        let (seen, script) = if sidecars_part {
            (&part, "echo hello > /var/outputs/part/word")
        } else {
            (
                &volume,
                "echo hello > /var/part/word; echo hello > /var/outputs/word",
            )
        };
        let outputs = interface([(OUTPUT, simple(SimpleType::String))]);
        let endpoint = &fixture.task.server().endpoint;
        let sidecar = fixture.task.uploader(&outputs, endpoint, seen).unwrap();
        let sidecar = fixture.task.attach(&fixture.empower(sidecar)).unwrap();
        let main = Spec::script(FOREIGN, &format!("read go < /gates/go; {script}"))
            .mount(&volume, "/var/outputs")
            .mount(&part, "/var/part")
            .mount(gates, "/gates");
        let main = fixture.run(&main);
        wait_for_words(&sidecar, "main started");
        gate.open();
        let outcome = fixture.end_and_stop(&main, &sidecar);
        outcome.assert_committed("hello");
        assert_seen(&outcome, watcher, OUTPUT_VOLUME);
    }
}

fn nobody_of_that_name(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let sidecar = fixture.attach(&["--main-container=nobody", "--main-start-timeout=2s"]);
    let _mesh = fixture.run(&Spec::script("istio-proxy", "exec sleep 600"));
    let main = fixture.main("exec sleep 600");
    let outcome = fixture.task.outcome(&sidecar).unwrap();
    outcome.assert_reported("MainNotStarted", NAME);
    let message = &outcome.error().unwrap().message;
    assert!(message.contains("istio-proxy"), "{message}");
    assert!(message.contains("--main-container"), "{message}");
    drop(main);
}

/// It mounts the output volume and ends before main, like one that prepares directories.
const PREPARES: &str = "read go < /gates/prepared; echo early > /var/outputs/prepared";

fn an_init_container_named(watcher: &'static str) {
    after_an_init_container(watcher, FOREIGN, &["--main-container=trainer"], NAMED);
}

fn an_init_container_by_flytes_naming(watcher: &'static str) {
    after_an_init_container(watcher, NAME, &[], FLYTE_NAMING);
}

fn after_an_init_container(watcher: &'static str, name: &str, options: &[&str], found: &str) {
    let fixture = ContainerFixture::start(watcher);
    let (prepared, go) = (fixture.gate("prepared"), fixture.gate("go"));
    let sidecar = fixture.attach(options);
    let init = fixture.run(&fixture.worker("prepare", PREPARES));
    prepared.open();
    init.wait().unwrap();
    assert_waiting(&sidecar);
    drop(init);
    let script = format!("read go < /gates/go; sleep 1; {WORKS}");
    let main = fixture.run(&fixture.worker(name, &script));
    go.open();
    let outcome = fixture.end(&main, &sidecar);
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, found);
}

/// The platform puts the sidecar before the user's init containers, and those before the downloader.
fn an_init_container_before_the_downloader(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let (prepared, go) = (fixture.gate("prepared"), fixture.gate("go"));
    let sidecar = fixture.attach(&[]);
    let init = fixture.run(&fixture.worker("prepare", PREPARES));
    prepared.open();
    init.wait().unwrap();
    assert_waiting(&sidecar);
    drop(init);
    fixture.download();
    let script = format!("read go < /gates/go; sleep 1; {WORKS}");
    let main = fixture.run(&fixture.worker(FOREIGN, &script));
    go.open();
    let outcome = fixture.end_and_stop(&main, &sidecar);
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, OUTPUT_VOLUME);
}

/// The program that watches forks runs at each fork of the node, so it is attached only as long as it reports
/// something. The sidecar has given up its rights when it attaches the program again.
fn forks_of_the_node_are_watched_only_before_main_and_after_an_init_container(
    watcher: &'static str,
) {
    let fixture = ContainerFixture::start(watcher);
    let (prepared, go) = (fixture.gate("prepared"), fixture.gate("go"));
    let sidecar = fixture.attach(&[]);
    let is_watched = || tracepoints_of(&sidecar).contains("sched_process_fork");
    assert!(is_watched(), "{}", sidecar.log());
    let init = fixture.run(&fixture.worker("prepare", PREPARES));
    wait_until("main runs, as far as is known", || !is_watched());
    assert!(sidecar.log().contains("main started"), "{}", sidecar.log());
    prepared.open();
    init.wait().unwrap();
    wait_until("main may be another container", is_watched);
    drop(init);
    let main = fixture.run(&fixture.worker(FOREIGN, &format!("read go < /gates/go; {WORKS}")));
    wait_until("main runs", || !is_watched());
    go.open();
    let outcome = fixture.end_and_stop(&main, &sidecar);
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, OUTPUT_VOLUME);
}

/// What the kernel says of the attached programs of a container's first process.
fn tracepoints_of(container: &Container<'_>) -> String {
    let descriptors = format!("/proc/{}/fdinfo", container.pid());
    let entries = fs::read_dir(descriptors).unwrap().map(Result::unwrap);
    let texts = entries.filter_map(|entry| fs::read_to_string(entry.path()).ok());
    texts.filter(|text| text.contains("tp_name")).collect()
}

/// An ordinary sidecar gets no SIGTERM: it ends when all outputs exist and no other main appears.
fn whom_nobody_stops(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let sidecar = fixture.attach(&[]);
    let main = fixture.run(&fixture.worker(FOREIGN, &format!("read go < /gates/go; {WORKS}")));
    wait_for_words(&sidecar, "main started");
    gate.open();
    let outcome = fixture.end(&main, &sidecar);
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, OUTPUT_VOLUME);
    assert_status(&outcome, watcher, "exited with code 0");
}

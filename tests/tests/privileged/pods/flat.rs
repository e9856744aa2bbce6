//! A runtime that keeps the containers of all pods side by side in one cgroup: those of another pod are never
//! main, whenever they begin and however they end.

use copilot_tests::container::{Container, Layout, Pids, Sandbox, Spec};
use rustix::process::Signal;

use super::fixture::{ContainerFixture, WORKS, assert_waiting, wait_for_words};
use super::outcome::{ELIMINATION, FLYTE_NAMING, assert_seen, assert_status, tells_status};

on!(all: another_pod_beside_ours);
// Their processes are in other pid namespaces, so `/proc` does not show them, however slow it is.
on_one_node!(kernel: another_pod_beside_ours_without_shared_pids);
on_one_node!(kernel: a_main_that_fails_beside_another_pod);
on!(seeing: another_pod_in_the_nodes_own_proc);

/// The layouts in which nothing but a name or a namespace tells the pods apart, each with a cgroup namespace
/// of the sidecar's own. Without one, its path names the pod.
const PLACES: [(Layout, bool); 3] = [
    (Layout::Flat, true),
    (Layout::Flat, false),
    (Layout::Nameless, true),
];

/// Another pod on the node. Its containers end with a code of their own.
struct Neighbour<'pod> {
    pod: Sandbox,
    code: u8,
    ours: &'pod ContainerFixture,
}

impl<'pod> Neighbour<'pod> {
    fn start(ours: &'pod ContainerFixture, code: u8) -> Self {
        let pod = ours.task.pod.neighbour("another").unwrap();
        Self { pod, code, ours }
    }

    /// Runs a container to its end.
    fn ends(&self) {
        let script = format!("exit {}", self.code);
        let ended = self.pod.run(&Spec::script("other", &script)).unwrap();
        ended.wait().unwrap();
    }

    /// Starts a container that ends when the gate opens.
    fn begins(&self, gate: &str) -> Container<'_> {
        let gates = self.ours.task.pod.volume("gates").unwrap();
        let script = format!("read go < /gates/{gate}; exit {}", self.code);
        let spec = Spec::script("other", &script).mount(gates, "/gates");
        self.pod.run(&spec).unwrap()
    }
}

/// Containers of the other pod end before main begins, while it runs, and live longer than the sidecar.
fn beside(fixture: &ContainerFixture, sidecar: &Spec, code: u8, is_named: bool) {
    let watcher = fixture.watcher();
    let neighbour = Neighbour::start(fixture, code);
    let (early, go) = (fixture.gate("early"), fixture.gate("go"));
    let _never = fixture.gate("never");
    let before_us = neighbour.begins("early");
    let sidecar = fixture.task.attach(sidecar).unwrap();
    let _lasting = neighbour.begins("never");
    neighbour.ends();
    assert_waiting(&sidecar);
    let main = fixture.main(&format!("read go < /gates/go; {WORKS}"));
    neighbour.ends();
    early.open();
    before_us.wait().unwrap();
    if is_named {
        wait_for_words(&sidecar, "main started");
    }
    assert_waiting(&sidecar);
    go.open();
    main.wait().unwrap();
    if !is_named {
        wait_for_words(&sidecar, "may have been an init container");
        sidecar.signal(Signal::TERM).unwrap();
    }
    let outcome = fixture.task.outcome(&sidecar).unwrap();
    outcome.assert_committed("hello");
    let found = if is_named { FLYTE_NAMING } else { ELIMINATION };
    assert_seen(&outcome, watcher, found);
    assert_status(&outcome, watcher, "exited with code 0");
    assert_eq!(outcome.timeline["main"].as_array().unwrap().len(), 1);
}

fn another_pod_beside_ours(watcher: &'static str) {
    for (layout, private) in PLACES {
        for code in [0, 7] {
            let fixture = ContainerFixture::start_on(watcher, layout, Pids::Shared);
            beside(&fixture, &sidecar(&fixture, private), code, true);
        }
    }
}

fn another_pod_beside_ours_without_shared_pids(watcher: &'static str) {
    for (layout, private) in PLACES {
        for code in [0, 7] {
            let fixture = ContainerFixture::start_on(watcher, layout, Pids::Separate);
            beside(&fixture, &sidecar(&fixture, private), code, false);
        }
    }
}

fn another_pod_in_the_nodes_own_proc(watcher: &'static str) {
    for (layout, private) in PLACES {
        let fixture = ContainerFixture::start_on(watcher, layout, Pids::Separate);
        let sidecar = sidecar(&fixture, private)
            .mount("/proc", "/host/proc")
            .argument("--proc-root=/host/proc");
        beside(&fixture, &sidecar, 7, true);
    }
}

/// The other pod's good end does not hide main's bad one.
fn a_main_that_fails_beside_another_pod(watcher: &'static str) {
    for (layout, private) in PLACES {
        let fixture = ContainerFixture::start_on(watcher, layout, Pids::Separate);
        let neighbour = Neighbour::start(&fixture, 0);
        let sidecar = fixture.task.attach(&sidecar(&fixture, private)).unwrap();
        neighbour.ends();
        let main = fixture.main(&format!("{WORKS}; exit 7"));
        main.wait().unwrap();
        let outcome = fixture.task.outcome(&sidecar).unwrap();
        if tells_status(watcher) {
            outcome.assert_reported("MainFailed", "exited with code 7");
        }
    }
}

fn sidecar(fixture: &ContainerFixture, private: bool) -> Spec {
    let sidecar = fixture.sidecar();
    if private {
        sidecar.private_cgroups()
    } else {
        sidecar
    }
}

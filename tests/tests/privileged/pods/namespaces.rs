//! The sidecar's namespaces and privileges, and the place of the pod's cgroups.

use copilot_tests::container::{Layout, Pids, Spec};
use copilot_tests::fixture::TaskPod;
use copilot_tests::requirement::Requirement;
use rustix::process::Signal;

use super::fixture::{ContainerFixture, WORKS, assert_waiting, wait_for_words};
use super::outcome::{
    ELIMINATION, FLYTE_NAMING, assert_seen, assert_status, tells_status, warnings,
};

on!(all: every_layout_of_cgroups, without_any_right);
// `/proc` does not show processes in other pid namespaces, however slow it is.
on_one_node!(kernel: without_a_shared_pid_namespace, without_a_downloader_either);
on_one_node!(kernel: a_restarted_mesh_without_a_shared_pid_namespace);
on!(seeing: with_the_nodes_own_proc);
on_one_node!(polling: alone_in_its_pid_namespace);

/// With the node's cgroup namespace and with one of its own.
fn every_layout_of_cgroups(watcher: &'static str) {
    for layout in [Layout::Cgroupfs, Layout::Systemd, Layout::Nested] {
        for private in [false, true] {
            let fixture = ContainerFixture::start_on(watcher, layout, Pids::Shared);
            let gate = fixture.gate("go");
            let mut sidecar = fixture.sidecar();
            if private {
                sidecar = sidecar.private_cgroups();
            }
            let sidecar = fixture.task.attach(&sidecar).unwrap();
            let main = fixture.main(&format!("read go < /gates/go; {WORKS}; exit 7"));
            wait_for_words(&sidecar, "main started");
            gate.open();
            let outcome = fixture.end(&main, &sidecar);
            if tells_status(watcher) {
                outcome.assert_reported("MainFailed", "exited with code 7");
            } else {
                outcome.assert_committed("hello");
            }
            assert_seen(&outcome, watcher, FLYTE_NAMING);
        }
    }
}

/// For containers in other namespaces the kernel reports everything except their names. The downloader is
/// recognised by its program, and the container after it is main.
fn without_a_shared_pid_namespace(watcher: &'static str) {
    for (layout, private) in [
        (Layout::Cgroupfs, false),
        (Layout::Cgroupfs, true),
        (Layout::Systemd, false),
        (Layout::Systemd, true),
        (Layout::Nested, false),
        // The pod's cgroup is two levels up, which only its name in the kernel shows.
        (Layout::Nested, true),
    ] {
        for code in [0, 7] {
            let fixture = ContainerFixture::start_on(watcher, layout, Pids::Separate);
            let mut sidecar = fixture.sidecar();
            if private {
                sidecar = sidecar.private_cgroups();
            }
            let sidecar = fixture.task.attach(&sidecar).unwrap();
            fixture.download();
            assert_waiting(&sidecar);
            let main = fixture.main(&format!("sleep 0.3; {WORKS}; exit {code}"));
            let outcome = fixture.end(&main, &sidecar);
            assert_seen(&outcome, watcher, ELIMINATION);
            if code == 0 {
                outcome.assert_committed("hello");
                assert_status(&outcome, watcher, "exited with code 0");
            } else {
                outcome.assert_reported("MainFailed", "exited with code 7");
            }
        }
    }
}

/// A container that ends well may have been an init container, until kubelet stops the sidecar.
fn without_a_downloader_either(watcher: &'static str) {
    let fixture = ContainerFixture::start_on(watcher, Layout::default(), Pids::Separate);
    let sidecar = fixture.task.attach(&fixture.sidecar()).unwrap();
    let main = fixture.main(&format!("sleep 0.3; {WORKS}"));
    main.wait().unwrap();
    wait_for_words(&sidecar, "may have been an init container");
    sidecar.signal(Signal::TERM).unwrap();
    let outcome = fixture.task.outcome(&sidecar).unwrap();
    assert_seen(&outcome, watcher, ELIMINATION);
    outcome.assert_committed("hello");
    assert_status(&outcome, watcher, "exited with code 0");
}

/// Kubelet may restart a mesh sidecar after main's end. The command line shows that it is not a second main.
fn a_restarted_mesh_without_a_shared_pid_namespace(watcher: &'static str) {
    let fixture = ContainerFixture::start_on(watcher, Layout::default(), Pids::Separate);
    let sidecar = fixture.task.attach(&fixture.sidecar()).unwrap();
    let mesh = |name| Spec::script(name, "sleep 6; exit 3");
    let first = fixture.run(&mesh("mesh"));
    fixture.download();
    let main = fixture.main(&format!("sleep 0.3; {WORKS}"));
    main.wait().unwrap();
    wait_for_words(&sidecar, "may have been an init container");
    first.wait().unwrap();
    fixture.run(&mesh("mesh-again")).wait().unwrap();
    sidecar.signal(Signal::TERM).unwrap();
    let outcome = fixture.task.outcome(&sidecar).unwrap();
    assert_seen(&outcome, watcher, ELIMINATION);
    outcome.assert_committed("hello");
    assert_status(&outcome, watcher, "exited with code 0");
}

/// With the node's `/proc` the names of containers are known even if their pids are not shared.
fn with_the_nodes_own_proc(watcher: &'static str) {
    for private in [false, true] {
        let fixture = ContainerFixture::start_on(watcher, Layout::default(), Pids::Separate);
        let mut sidecar = fixture
            .sidecar()
            .mount("/proc", "/host/proc")
            .argument("--proc-root=/host/proc");
        if private {
            sidecar = sidecar.private_cgroups();
        }
        let sidecar = fixture.task.attach(&sidecar).unwrap();
        let gate = fixture.gate("go");
        let _mesh = fixture.run(&Spec::script("istio-proxy", "sleep 600"));
        let main = fixture.main(&format!("read go < /gates/go; {WORKS}; exit 7"));
        wait_for_words(&sidecar, "main started");
        gate.open();
        let outcome = fixture.end(&main, &sidecar);
        if tells_status(watcher) {
            outcome.assert_reported("MainFailed", "exited with code 7");
        } else {
            outcome.assert_committed("hello");
        }
        assert_seen(&outcome, watcher, FLYTE_NAMING);
    }
}

/// A watcher that cannot see processes never reports main's end: it is refused, with the next best one.
fn alone_in_its_pid_namespace(watcher: &'static str) {
    let fixture = ContainerFixture::start_on(watcher, Layout::default(), Pids::Separate);
    let sidecar = fixture.run(&fixture.sidecar());
    let ended = sidecar.wait().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    for words in ["shareProcessNamespace", "--watcher auto", watcher] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
}

/// As an unprivileged user, and as root without capabilities.
fn without_any_right(watcher: &'static str) {
    if watcher == "ebpf" {
        // It needs the two capabilities, which Kubernetes grants only to uid 0: without them it is refused with
        // an explanation.
        let fixture = ContainerFixture::start(watcher);
        let sidecar = fixture.task.powerless_sidecar().unwrap();
        let sidecar = fixture.run(&sidecar.argument("--watcher=ebpf"));
        let ended = sidecar.wait().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("CAP_BPF and CAP_PERFMON"),
            "{}",
            ended.stderr
        );
        return;
    }
    for user in [0, 65534] {
        let fixture = ContainerFixture::start(watcher);
        let gate = fixture.gate("go");
        let sidecar = fixture.task.attach(&fixture.sidecar().user(user)).unwrap();
        let main = fixture.main(&format!("read go < /gates/go; {WORKS}; exit 7"));
        wait_for_words(&sidecar, "main started");
        gate.open();
        let outcome = fixture.end(&main, &sidecar);
        if tells_status(watcher) {
            outcome.assert_reported("MainFailed", "exited with code 7");
        } else {
            outcome.assert_committed("hello");
        }
        assert_seen(&outcome, watcher, FLYTE_NAMING);
    }
}

/// Each fallback is logged.
#[test]
fn the_best_working_watcher_is_used() {
    if !Requirement::Containers.is_met() {
        return;
    }
    for (empowered, expected) in [(true, "ebpf"), (false, "pidfd")] {
        let task = TaskPod::start(Pids::Shared).unwrap();
        let sidecar = if empowered {
            task.sidecar()
        } else {
            task.powerless_sidecar()
        };
        let sidecar = task.attach(&sidecar.unwrap()).unwrap();
        let main = task.main(&format!("sleep 1; {WORKS}")).unwrap();
        let main = task.pod.run(&main).unwrap();
        main.wait().unwrap();
        let outcome = task.outcome(&sidecar).unwrap();
        outcome.assert_committed("hello");
        assert_seen(&outcome, expected, FLYTE_NAMING);
        let warnings = warnings(&outcome);
        assert_eq!(warnings.is_empty(), empowered, "{outcome:?}");
        assert!(warnings.iter().all(|line| line.contains("CAP_BPF")));
    }
}

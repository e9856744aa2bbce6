//! What the sidecar may see, where the pod's cgroups are, and which rights it has.

use copilot_tests::container::{Layout, Pids, Spec};
use copilot_tests::requirement::Requirement;
use copilot_tests::task_pod::TaskPod;
use rustix::process::Signal;

use super::outcome::{
    ELIMINATION, FLYTE_NAMING, assert_reported, assert_seen, assert_status, assert_uploaded,
    tells_status, warnings,
};
use super::scene::{Scene, WORKS, assert_waiting, wait_for_words};

on!(all: every_layout_of_cgroups, without_any_right);
on!(kernel: without_a_shared_pid_namespace, without_a_downloader_either, where_nothing_tells_the_pod);
on!(seeing: with_the_nodes_own_proc);
on!(polling: alone_in_its_pid_namespace);

/// With the node's cgroup namespace and with one of its own.
fn every_layout_of_cgroups(watcher: &'static str) {
    for layout in [Layout::Cgroupfs, Layout::Systemd, Layout::Nested] {
        for private in [false, true] {
            let scene = Scene::on(watcher, layout, Pids::Shared);
            let gate = scene.gate("go");
            let mut sidecar = scene.sidecar();
            if private {
                sidecar = sidecar.private_cgroups();
            }
            let sidecar = scene.task.attach(&sidecar).unwrap();
            let main = scene.main(&format!("read go < /gates/go; {WORKS}; exit 7"));
            wait_for_words(&sidecar, "main started");
            gate.open();
            let outcome = scene.end(&main, &sidecar);
            if tells_status(watcher) {
                assert_reported(&outcome, "MainFailed", "exited with code 7");
            } else {
                assert_uploaded(&outcome, "hello");
            }
            assert_seen(&outcome, watcher, FLYTE_NAMING);
        }
    }
}

/// Of a container that cannot be seen the kernel tells all but its name. Our downloader is known by
/// what it runs, and whoever comes after it is main.
fn without_a_shared_pid_namespace(watcher: &'static str) {
    for (layout, private) in [
        (Layout::Cgroupfs, false),
        (Layout::Cgroupfs, true),
        (Layout::Systemd, false),
        (Layout::Systemd, true),
        (Layout::Nested, false),
    ] {
        for code in [0, 7] {
            let scene = Scene::on(watcher, layout, Pids::Separate);
            let mut sidecar = scene.sidecar();
            if private {
                sidecar = sidecar.private_cgroups();
            }
            let sidecar = scene.task.attach(&sidecar).unwrap();
            scene.download();
            assert_waiting(&sidecar);
            let main = scene.main(&format!("sleep 0.3; {WORKS}; exit {code}"));
            let outcome = scene.end(&main, &sidecar);
            assert_seen(&outcome, watcher, ELIMINATION);
            if code == 0 {
                assert_uploaded(&outcome, "hello");
                assert_status(&outcome, watcher, "exited with code 0");
            } else {
                assert_reported(&outcome, "MainFailed", "exited with code 7");
            }
        }
    }
}

/// Whoever ends well may have been an init container until kubelet stops us.
fn without_a_downloader_either(watcher: &'static str) {
    let scene = Scene::on(watcher, Layout::default(), Pids::Separate);
    let sidecar = scene.task.attach(&scene.sidecar()).unwrap();
    let main = scene.main(&format!("sleep 0.3; {WORKS}"));
    main.wait().unwrap();
    wait_for_words(&sidecar, "may have been an init container");
    sidecar.signal(Signal::TERM).unwrap();
    let outcome = scene.task.outcome(&sidecar).unwrap();
    assert_seen(&outcome, watcher, ELIMINATION);
    assert_uploaded(&outcome, "hello");
    assert_status(&outcome, watcher, "exited with code 0");
}

/// The node's own `/proc` gives names back to containers whose pids are not shared.
fn with_the_nodes_own_proc(watcher: &'static str) {
    for private in [false, true] {
        let scene = Scene::on(watcher, Layout::default(), Pids::Separate);
        let mut sidecar = scene
            .sidecar()
            .mount("/proc", "/host/proc")
            .argument("--proc-root=/host/proc");
        if private {
            sidecar = sidecar.private_cgroups();
        }
        let sidecar = scene.task.attach(&sidecar).unwrap();
        let gate = scene.gate("go");
        let _mesh = scene.run(&Spec::script("istio-proxy", "sleep 600"));
        let main = scene.main(&format!("read go < /gates/go; {WORKS}; exit 7"));
        wait_for_words(&sidecar, "main started");
        gate.open();
        let outcome = scene.end(&main, &sidecar);
        if tells_status(watcher) {
            assert_reported(&outcome, "MainFailed", "exited with code 7");
        } else {
            assert_uploaded(&outcome, "hello");
        }
        assert_seen(&outcome, watcher, FLYTE_NAMING);
    }
}

/// Nothing shows that the pod lies two levels up: nobody is seen, and SIGTERM ends the wait.
fn where_nothing_tells_the_pod(watcher: &'static str) {
    let scene = Scene::on(watcher, Layout::Nested, Pids::Separate);
    let sidecar = scene
        .task
        .attach(&scene.sidecar().private_cgroups())
        .unwrap();
    let main = scene.main(WORKS);
    main.wait().unwrap();
    assert_waiting(&sidecar);
    sidecar.signal(Signal::TERM).unwrap();
    let outcome = scene.task.outcome(&sidecar).unwrap();
    assert_uploaded(&outcome, "hello");
    assert!(outcome.sidecar.log.contains("the parent of our own cgroup"));
}

/// Seeing nobody is never taken for main's end: what cannot see is refused, with the nearest way.
fn alone_in_its_pid_namespace(watcher: &'static str) {
    let scene = Scene::on(watcher, Layout::default(), Pids::Separate);
    let sidecar = scene.run(&scene.sidecar());
    let ended = sidecar.wait().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{}", ended.log);
    for words in ["shareProcessNamespace", "--watcher auto", watcher] {
        assert!(ended.log.contains(words), "{words}: {}", ended.log);
    }
}

/// As somebody who owns nothing, and as a root who may do nothing.
fn without_any_right(watcher: &'static str) {
    if watcher == "ebpf" {
        // It takes the two capabilities, which Kubernetes grants to uid 0 alone: without them it is
        // refused, in words.
        let scene = Scene::set(watcher);
        let sidecar = scene.task.powerless_sidecar().unwrap();
        let sidecar = scene.run(&sidecar.argument("--watcher=ebpf"));
        let ended = sidecar.wait().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{}", ended.log);
        assert!(
            ended.log.contains("CAP_BPF and CAP_PERFMON"),
            "{}",
            ended.log
        );
        return;
    }
    for user in [0, 65534] {
        let scene = Scene::set(watcher);
        let gate = scene.gate("go");
        let sidecar = scene.task.attach(&scene.sidecar().user(user)).unwrap();
        let main = scene.main(&format!("read go < /gates/go; {WORKS}; exit 7"));
        wait_for_words(&sidecar, "main started");
        gate.open();
        let outcome = scene.end(&main, &sidecar);
        if tells_status(watcher) {
            assert_reported(&outcome, "MainFailed", "exited with code 7");
        } else {
            assert_uploaded(&outcome, "hello");
        }
        assert_seen(&outcome, watcher, FLYTE_NAMING);
    }
}

/// Each step down is said aloud.
#[test]
fn the_best_that_works_is_taken() {
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
        let main = task.main(&format!("sleep 0.3; {WORKS}")).unwrap();
        let main = task.pod.run(&main).unwrap();
        main.wait().unwrap();
        let outcome = task.outcome(&sidecar).unwrap();
        assert_uploaded(&outcome, "hello");
        assert_seen(&outcome, expected, FLYTE_NAMING);
        let warnings = warnings(&outcome);
        assert_eq!(warnings.is_empty(), empowered, "{outcome:?}");
        assert!(warnings.iter().all(|line| line.contains("CAP_BPF")));
    }
}

//! The sidecar is killed, as by the kernel when memory is short, and started again: it ends right.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use copilot::idl::SimpleType;
use copilot_tests::binary::wait_until;
use copilot_tests::container::Spec;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::task::{interface, simple};
use copilot_tests::task_pod::{OUTPUT, VOLUME};
use rustix::process::Signal;

use super::outcome::{FLYTE_NAMING, assert_seen, assert_status, assert_uploaded};
use super::scene::{Scene, WORKS, wait_for_words};

on!(all: killed_while_waiting, killed_while_uploading, again_after_the_commit);

fn killed_while_waiting(watcher: &'static str) {
    let scene = Scene::set(watcher);
    let gate = scene.gate("go");
    let first = scene.attach(&[]);
    let main = scene.main(&format!("read go < /gates/go; {WORKS}"));
    wait_for_words(&first, "main started");
    first.signal(Signal::KILL).unwrap();
    first.wait().unwrap();
    drop(first);
    let second = scene.attach(&[]);
    wait_for_words(&second, "main started");
    gate.open();
    let outcome = scene.end(&main, &second);
    assert_uploaded(&outcome, "hello");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
    assert_status(&outcome, watcher, "exited with code 0");
}

fn killed_while_uploading(watcher: &'static str) {
    let scene = Scene::set(watcher);
    let store = HeldStore::before(&scene);
    let first = scene.task.attach(&store.sidecar(&scene)).unwrap();
    let main = scene.main(&format!("sleep 0.3; {WORKS}"));
    main.wait().unwrap();
    store.wait_for_upload();
    first.signal(Signal::KILL).unwrap();
    first.wait().unwrap();
    drop((first, main));
    assert!(!scene.task.object("out/outputs.pb").exists());
    store.release();
    let second = scene.attach(&[]);
    second.signal(Signal::TERM).unwrap();
    let outcome = scene.task.outcome(&second).unwrap();
    assert_uploaded(&outcome, "hello");
}

fn again_after_the_commit(watcher: &'static str) {
    let scene = Scene::set(watcher);
    let first = scene.attach(&[]);
    let main = scene.main(&format!("sleep 0.3; {WORKS}"));
    let outcome = scene.end(&main, &first);
    assert_uploaded(&outcome, "hello");
    drop((first, main));
    let second = scene.attach(&[]);
    second.signal(Signal::TERM).unwrap();
    let again = scene.task.outcome(&second).unwrap();
    assert_uploaded(&again, "hello");
    assert_eq!(again.outputs, outcome.outputs);
}

/// A store that has no time for uploads until it is told to.
pub struct HeldStore {
    proxy: FaultProxy,
    open: Arc<AtomicBool>,
}

impl HeldStore {
    pub fn before(scene: &Scene) -> Self {
        let upstream = scene.task.server().address();
        let open = Arc::new(AtomicBool::new(false));
        let is_open = Arc::clone(&open);
        let start = || {
            FaultProxy::start(upstream, move |seen| {
                if seen.line.starts_with("PUT") && !is_open.load(Ordering::Relaxed) {
                    Fault::Answer(503, "Retry-After: 1\r\n")
                } else {
                    Fault::None
                }
            })
        };
        let proxy = scene.task.pod.network().enter(start).unwrap();
        Self { proxy, open }
    }

    /// The uploader of one text to this store.
    pub fn sidecar(&self, scene: &Scene) -> Spec {
        let outputs = interface([(OUTPUT, simple(SimpleType::String))]);
        let volume = scene.task.pod.volume(VOLUME).unwrap();
        let endpoint = self.proxy.endpoint();
        let sidecar = scene.task.uploader(&outputs, &endpoint, &volume).unwrap();
        scene.empower(sidecar)
    }

    pub fn wait_for_upload(&self) {
        wait_until("an upload begins", || {
            let seen = self.proxy.seen();
            seen.iter().any(|request| request.line.starts_with("PUT"))
        });
    }

    pub fn release(&self) {
        self.open.store(true, Ordering::Relaxed);
    }
}

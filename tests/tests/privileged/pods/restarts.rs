//! The sidecar is killed, as by the OOM killer, and started again: its result is right.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use copilot::idl::SimpleType;
use copilot_tests::binary::wait_until;
use copilot_tests::container::Spec;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::fixture::{OUTPUT, VOLUME};
use copilot_tests::task::{interface, simple};
use rustix::process::Signal;

use super::fixture::{ContainerFixture, WORKS, wait_for_words};
use super::outcome::{FLYTE_NAMING, assert_seen, assert_status};

on!(all: killed_while_waiting, killed_while_uploading, again_after_the_commit);

fn killed_while_waiting(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let first = fixture.attach(&[]);
    let main = fixture.main(&format!("read go < /gates/go; {WORKS}"));
    wait_for_words(&first, "main started");
    first.signal(Signal::KILL).unwrap();
    first.wait().unwrap();
    drop(first);
    let second = fixture.attach(&[]);
    wait_for_words(&second, "main started");
    gate.open();
    let outcome = fixture.end(&main, &second);
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
    assert_status(&outcome, watcher, "exited with code 0");
}

fn killed_while_uploading(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let store = HeldStore::before(&fixture);
    let gate = fixture.gate("go");
    let first = fixture.task.attach(&store.sidecar(&fixture)).unwrap();
    let main = fixture.main(&format!("read go < /gates/go; {WORKS}"));
    wait_for_words(&first, "main started");
    gate.open();
    main.wait().unwrap();
    store.wait_for_upload();
    first.signal(Signal::KILL).unwrap();
    first.wait().unwrap();
    drop((first, main));
    assert!(!fixture.task.object("out/outputs.pb").exists());
    store.release();
    let second = fixture.attach(&[]);
    second.signal(Signal::TERM).unwrap();
    let outcome = fixture.task.outcome(&second).unwrap();
    outcome.assert_committed("hello");
}

fn again_after_the_commit(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let first = fixture.attach(&[]);
    let main = fixture.main(&format!("read go < /gates/go; {WORKS}"));
    wait_for_words(&first, "main started");
    gate.open();
    let outcome = fixture.end(&main, &first);
    outcome.assert_committed("hello");
    drop((first, main));
    let second = fixture.attach(&[]);
    second.signal(Signal::TERM).unwrap();
    let again = fixture.task.outcome(&second).unwrap();
    again.assert_committed("hello");
    assert_eq!(again.outputs, outcome.outputs);
}

/// A store that delays uploads until the test lets them continue.
pub struct HeldStore {
    proxy: FaultProxy,
    open: Arc<AtomicBool>,
}

impl HeldStore {
    pub fn before(fixture: &ContainerFixture) -> Self {
        let upstream = fixture.task.server().address();
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
        let proxy = fixture.task.pod.network().enter(start).unwrap();
        Self { proxy, open }
    }

    /// The uploader of one text to this store.
    pub fn sidecar(&self, fixture: &ContainerFixture) -> Spec {
        let outputs = interface([(OUTPUT, simple(SimpleType::String))]);
        let volume = fixture.task.pod.volume(VOLUME).unwrap();
        let endpoint = self.proxy.endpoint();
        let sidecar = fixture.task.uploader(&outputs, &endpoint, &volume).unwrap();
        fixture.empower(sidecar)
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

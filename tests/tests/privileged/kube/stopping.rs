//! SIGTERM while the API is late or does not answer.

use copilot_tests::binary::Running;
use copilot_tests::kube::Behaviour;
use rustix::process::Signal;

use super::fixture::{KubeFixture, is_recoverable};

/// Kubelet stops a native sidecar after main, and reports main's end to the API a moment later.
#[test]
fn mains_end_is_waited_for_after_a_stop() {
    let mut fixture = KubeFixture::start();
    let sidecar = fixture.watched(&["--term-wait=60s"]);
    fixture.main_runs();
    sidecar.says("main started");
    sidecar.signal(Signal::TERM);
    sidecar.says("waiting for its end");
    fixture.main_ends(7, "Error");
    fixture.reported(sidecar, "MainFailed", "exited with code 7");
}

#[test]
fn a_main_that_the_api_still_sees_is_not_uploaded_half_written() {
    let mut fixture = KubeFixture::start();
    let sidecar = fixture.watched(&["--term-wait=1s"]);
    fixture.main_runs();
    sidecar.says("main started");
    sidecar.signal(Signal::TERM);
    fixture.reported(sidecar, "Interrupted", "still running");
}

/// If the API does not report main's end, nothing is committed.
#[test]
fn nothing_is_committed_if_the_api_does_not_answer() {
    for behaviour in [Behaviour::Refuses(503), Behaviour::Silent] {
        let mut fixture = KubeFixture::start();
        let sidecar = fixture.watched(&["--term-wait=3s", "--request-timeout=1s"]);
        fixture.main_runs();
        sidecar.says("main started");
        // A connection whose other end is gone without closing it.
        fixture.api.behave(behaviour);
        sidecar.signal(Signal::TERM);
        let outcome = fixture.reported(sidecar, "Interrupted", "may not have answered");
        assert!(is_recoverable(&outcome));
    }
}

#[test]
fn an_api_that_is_away_while_main_ends_is_waited_for() {
    let mut fixture = KubeFixture::start();
    let sidecar = fixture.watched(&["--term-wait=60s"]);
    fixture.main_runs();
    sidecar.says("main started");
    fixture.api.behave(Behaviour::Refuses(503));
    sidecar.signal(Signal::TERM);
    sidecar.says("gives no usable answer");
    fixture.main_ends(7, "Error");
    fixture.api.behave(Behaviour::Normal);
    fixture.reported(sidecar, "MainFailed", "exited with code 7");
}

#[test]
fn a_deleted_pod_cannot_be_seen() {
    let mut fixture = KubeFixture::start();
    let mut sidecar = fixture.watched(&["--term-wait=1s"]);
    fixture.main_runs();
    sidecar.says("main started");
    fixture.api.delete();
    sidecar.says("does not know our pod any more");
    assert!(sidecar.runs());
    sidecar.signal(Signal::TERM);
    fixture.reported(sidecar, "Interrupted", "reported how");
}

/// Kubelet reports a very short main to the API only after it has stopped the sidecar.
#[test]
fn a_main_that_is_reported_only_after_sigterm_is_waited_for() {
    for (exit_code, is_good) in [(7, false), (0, true)] {
        let mut fixture = KubeFixture::start();
        let sidecar = fixture.watched(&["--term-wait=60s"]);
        sidecar.signal(Signal::TERM);
        sidecar.says("waiting for its end");
        fixture.main_ends(exit_code, if is_good { "Completed" } else { "Error" });
        if is_good {
            fixture.committed(sidecar);
        } else {
            fixture.reported(sidecar, "MainFailed", "exited with code 7");
        }
    }
}

#[test]
fn a_main_that_is_never_reported_is_not_committed() {
    let fixture = KubeFixture::start();
    let sidecar = fixture.watched(&["--term-wait=1s"]);
    sidecar.signal(Signal::TERM);
    fixture.reported(
        sidecar,
        "Interrupted",
        "reported how the main container ended",
    );
}

/// Kubelet reports ends in such a pod only after the sidecar has ended, too, and gives it two seconds.
#[test]
fn the_end_of_a_pod_that_is_deleted_is_not_waited_for() {
    for main_runs in [true, false] {
        let mut fixture = KubeFixture::start();
        let sidecar = fixture.watched(&["--term-wait=1h"]);
        if main_runs {
            fixture.main_runs();
            sidecar.says("main started");
        }
        fixture.pod.is_being_deleted();
        fixture.api.put(&fixture.pod);
        sidecar.signal(Signal::TERM);
        fixture.reported(sidecar, "Interrupted", "deleted");
    }
}

/// The API's report about main is used, also in a pod that is deleted.
#[test]
fn a_main_that_had_ended_before_its_pod_was_deleted_is_known() {
    for exit_code in [0, 7] {
        let mut fixture = KubeFixture::start();
        fixture.pod.is_being_deleted();
        fixture.main_ends(exit_code, "Error");
        let sidecar = Running::start(fixture.command().arg("--watcher=kube-api"));
        match exit_code {
            0 => drop(fixture.committed(sidecar)),
            _ => drop(fixture.reported(sidecar, "MainFailed", "exited with code 7")),
        }
    }
}

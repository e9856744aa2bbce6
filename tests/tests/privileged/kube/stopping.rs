//! SIGTERM while the API lags behind, or says nothing at all.

use copilot_tests::binary::Running;
use copilot_tests::kube::Behaviour;
use rustix::process::Signal;

use super::fixture::{KubeFixture, is_recoverable};

/// Kubelet stops a native sidecar after main, and tells the API a moment later.
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

/// Without the API's word on main's end nothing is committed.
#[test]
fn where_the_api_says_nothing_nothing_is_committed() {
    for behaviour in [Behaviour::Refuses(503), Behaviour::Silent] {
        let mut fixture = KubeFixture::start();
        let sidecar = fixture.watched(&["--term-wait=3s", "--request-timeout=1s"]);
        fixture.main_runs();
        sidecar.says("main started");
        // An open connection whose other end is gone: nothing tells of it.
        fixture.api.behave(behaviour);
        sidecar.signal(Signal::TERM);
        let outcome = fixture.reported(sidecar, "Interrupted", "does not answer");
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
    sidecar.says("tells nothing for now");
    fixture.main_ends(7, "Error");
    fixture.api.behave(Behaviour::Normal);
    fixture.reported(sidecar, "MainFailed", "exited with code 7");
}

#[test]
fn a_pod_that_the_api_knows_no_more_cannot_be_seen() {
    let mut fixture = KubeFixture::start();
    let mut sidecar = fixture.watched(&["--term-wait=1s"]);
    fixture.main_runs();
    sidecar.says("main started");
    fixture.api.delete();
    sidecar.says("knows our pod no more");
    assert!(sidecar.runs());
    sidecar.signal(Signal::TERM);
    fixture.reported(sidecar, "Interrupted", "told how");
}

/// Of a main of a moment kubelet tells the API after it has stopped us.
#[test]
fn a_main_that_is_told_of_after_sigterm_only_is_waited_for() {
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
fn a_main_that_is_never_told_of_is_not_committed() {
    let fixture = KubeFixture::start();
    let sidecar = fixture.watched(&["--term-wait=1s"]);
    sidecar.signal(Signal::TERM);
    fixture.reported(sidecar, "Interrupted", "told how the main container ended");
}

/// Kubelet tells of no end in it before we have ended as well, and gives us two seconds.
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

/// What the API tells of main counts, in a pod that is deleted as well.
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

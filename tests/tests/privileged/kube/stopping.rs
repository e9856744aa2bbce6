//! SIGTERM while the API lags behind, or says nothing at all.

use copilot_tests::binary::Running;
use copilot_tests::kube::Mood;
use rustix::process::Signal;

use super::stage::{Stage, is_recoverable};

/// Kubelet stops a native sidecar after main, and tells the API a moment later.
#[test]
fn mains_end_is_waited_for_after_a_stop() {
    let mut stage = Stage::set();
    let sidecar = stage.watched(&["--term-wait=60s"]);
    stage.main_runs();
    sidecar.says("main started");
    sidecar.signal(Signal::TERM);
    sidecar.says("waiting for its end");
    stage.main_ends(7, "Error");
    stage.reported(sidecar, "MainFailed", "exited with code 7");
}

#[test]
fn a_main_that_the_api_still_sees_is_not_uploaded_half_written() {
    let mut stage = Stage::set();
    let sidecar = stage.watched(&["--term-wait=1s"]);
    stage.main_runs();
    sidecar.says("main started");
    sidecar.signal(Signal::TERM);
    stage.reported(sidecar, "Interrupted", "still running");
}

/// Without the API's word on main's end nothing is committed.
#[test]
fn where_the_api_says_nothing_nothing_is_committed() {
    for mood in [Mood::Refuses(503), Mood::Silent] {
        let mut stage = Stage::set();
        let sidecar = stage.watched(&["--term-wait=3s", "--request-timeout=1s"]);
        stage.main_runs();
        sidecar.says("main started");
        // An open connection whose other end is gone: nothing tells of it.
        stage.api.be(mood);
        sidecar.signal(Signal::TERM);
        let document = stage.reported(sidecar, "Interrupted", "does not answer");
        assert!(is_recoverable(&document));
    }
}

#[test]
fn an_api_that_is_away_while_main_ends_is_waited_for() {
    let mut stage = Stage::set();
    let sidecar = stage.watched(&["--term-wait=60s"]);
    stage.main_runs();
    sidecar.says("main started");
    stage.api.be(Mood::Refuses(503));
    sidecar.signal(Signal::TERM);
    sidecar.says("gives no usable answer");
    stage.main_ends(7, "Error");
    stage.api.be(Mood::Well);
    stage.reported(sidecar, "MainFailed", "exited with code 7");
}

#[test]
fn a_pod_that_the_api_knows_no_more_cannot_be_seen() {
    let mut stage = Stage::set();
    let mut sidecar = stage.watched(&["--term-wait=1s"]);
    stage.main_runs();
    sidecar.says("main started");
    stage.api.delete();
    sidecar.says("does not know our pod any more");
    assert!(sidecar.runs());
    sidecar.signal(Signal::TERM);
    stage.reported(sidecar, "Interrupted", "told how");
}

/// Of a main of a moment kubelet tells the API after it has stopped us.
#[test]
fn a_main_that_is_told_of_after_sigterm_only_is_waited_for() {
    for (exit_code, is_good) in [(7, false), (0, true)] {
        let mut stage = Stage::set();
        let sidecar = stage.watched(&["--term-wait=60s"]);
        sidecar.signal(Signal::TERM);
        sidecar.says("waiting for its end");
        stage.main_ends(exit_code, if is_good { "Completed" } else { "Error" });
        if is_good {
            stage.committed(sidecar);
        } else {
            stage.reported(sidecar, "MainFailed", "exited with code 7");
        }
    }
}

#[test]
fn a_main_that_is_never_told_of_is_not_committed() {
    let stage = Stage::set();
    let sidecar = stage.watched(&["--term-wait=1s"]);
    sidecar.signal(Signal::TERM);
    stage.reported(sidecar, "Interrupted", "told how the main container ended");
}

/// Kubelet tells of no end in it before we have ended as well, and gives us two seconds.
#[test]
fn the_end_of_a_pod_that_is_deleted_is_not_waited_for() {
    for main_runs in [true, false] {
        let mut stage = Stage::set();
        let sidecar = stage.watched(&["--term-wait=1h"]);
        if main_runs {
            stage.main_runs();
            sidecar.says("main started");
        }
        stage.pod.is_being_deleted();
        stage.api.put(&stage.pod);
        sidecar.signal(Signal::TERM);
        stage.reported(sidecar, "Interrupted", "deleted");
    }
}

/// What the API tells of main counts, in a pod that is deleted as well.
#[test]
fn a_main_that_had_ended_before_its_pod_was_deleted_is_known() {
    for exit_code in [0, 7] {
        let mut stage = Stage::set();
        stage.pod.is_being_deleted();
        stage.main_ends(exit_code, "Error");
        let sidecar = Running::start(stage.command().arg("--watcher=kube-api"));
        match exit_code {
            0 => drop(stage.committed(sidecar)),
            _ => drop(stage.reported(sidecar, "MainFailed", "exited with code 7")),
        }
    }
}

//! SIGTERM while the API lags behind, or says nothing at all.

use copilot_tests::kube::Mood;
use rustix::process::Signal;

use crate::stage::Stage;

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

/// Nobody can see main then: the signal's word is all there is, as for the watcher `signal`.
#[test]
fn where_the_api_says_nothing_sigterm_says_that_main_is_over() {
    for mood in [Mood::Refuses(503), Mood::Silent] {
        let mut stage = Stage::set();
        let sidecar = stage.watched(&["--term-wait=3s", "--request-timeout=1s"]);
        stage.main_runs();
        sidecar.says("main started");
        // An open connection whose other end is gone: nothing tells of it.
        stage.api.be(mood);
        sidecar.signal(Signal::TERM);
        let log = stage.committed(sidecar);
        assert!(log.contains("nobody can see main any more"), "{log}");
    }
}

#[test]
fn a_pod_that_the_api_knows_no_more_cannot_be_seen() {
    let mut stage = Stage::set();
    let mut sidecar = stage.watched(&["--term-wait=1s"]);
    stage.main_runs();
    sidecar.says("main started");
    stage.api.delete();
    sidecar.says("knows our pod no more");
    assert!(sidecar.runs());
    sidecar.signal(Signal::TERM);
    stage.committed(sidecar);
}

#[test]
fn a_stop_before_main_is_seen_means_that_it_is_over() {
    let stage = Stage::set();
    let sidecar = stage.watched(&[]);
    sidecar.signal(Signal::TERM);
    stage.committed(sidecar);
}

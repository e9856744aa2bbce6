//! How main ends, as the API reports it.

use copilot_tests::binary::Running;

use super::fixture::{KubeFixture, MAIN, POD, is_recoverable};

#[test]
fn exit_code_signal_and_reason_arrive() {
    for (exit_code, reason, code, words, recoverable) in [
        (7, "Error", "MainFailed", "exited with code 7", true),
        (137, "OOMKilled", "OOMKilled", "out of memory", true),
        (137, "Error", "Interrupted", "signal 9 (SIGKILL)", true),
        (139, "Error", "MainFailed", "signal 11 (SIGSEGV)", true),
        (128, "StartError", "MainNotStarted", "never began", false),
    ] {
        let mut fixture = KubeFixture::start();
        let sidecar = fixture.watched(&[]);
        if reason != "StartError" {
            fixture.main_runs();
            sidecar.says("main started");
        }
        fixture.main_ends(exit_code, reason);
        let outcome = fixture.reported(sidecar, code, words);
        outcome.assert_reported(code, "seen by kube-api");
        assert_eq!(is_recoverable(&outcome), recoverable, "{reason}");
    }
}

#[test]
fn a_main_that_ends_well_is_uploaded() {
    let mut fixture = KubeFixture::start();
    let sidecar = fixture.watched(&[]);
    fixture.main_runs();
    sidecar.says("main started");
    fixture.main_ends(0, "Completed");
    let timeline = fixture.committed(sidecar).timeline;
    assert_eq!(timeline["watcher"], "kube-api");
    assert_eq!(timeline["status"], "exited with code 0");
    assert_eq!(timeline["main"], serde_json::json!([MAIN]));
    let found = timeline["main_found"].as_str().unwrap_or_default();
    assert!(found.contains("as Flyte names"), "{timeline}");
    let asked = fixture.api.asked();
    assert!(
        asked.iter().all(|asked| asked.watch) ^ !asked[0].watch,
        "{asked:?}"
    );
}

/// Also with the reference's two flags.
#[test]
fn a_main_that_had_ended_before_the_watch_began_is_known() {
    for flags in [
        &["--watcher=kube-api"][..],
        &[
            "--start-watcher-type=kube-api",
            "--exit-watcher-type=kube-api",
        ],
    ] {
        let mut fixture = KubeFixture::start();
        fixture.main_ends(7, "Error");
        let sidecar = Running::start(fixture.command().args(flags));
        fixture.reported(sidecar, "MainFailed", "exited with code 7");
    }
}

#[test]
fn a_main_that_never_starts_is_reported() {
    let mut fixture = KubeFixture::start();
    let sidecar = fixture.watched(&["--main-start-timeout=8s"]);
    fixture.pod.waits(POD, "ImagePullBackOff");
    fixture.api.put(&fixture.pod);
    sidecar.says("ImagePullBackOff");
    fixture.reported(sidecar, "MainNotStarted", "istio-proxy");
}

#[test]
fn main_may_be_named_and_others_are_not_waited_for() {
    let mut fixture = KubeFixture::start();
    fixture.pod = fixture.pod.clone().container("trainer", false, &[]);
    fixture.api.put(&fixture.pod);
    let sidecar = fixture.watched(&["--main-container=trainer"]);
    fixture.main_runs();
    fixture.pod.ends("trainer", &"a".repeat(64), 3, "Error");
    fixture.api.put(&fixture.pod);
    fixture.reported(sidecar, "MainFailed", "exited with code 3");
}

#[test]
fn without_an_interface_it_also_waits_for_mains_end() {
    let mut fixture = KubeFixture::start();
    let mut command = copilot_tests::binary::command();
    command
        .args(fixture.task.site.server.flags("data"))
        .args(["sidecar", "--watcher=kube-api", "--logger.level=4"])
        .args(fixture.api.flags(POD));
    let mut sidecar = Running::start(&mut command);
    sidecar.watches();
    fixture.main_runs();
    sidecar.says("main started");
    assert!(sidecar.runs());
    fixture.main_ends(0, "Completed");
    assert_eq!(sidecar.ended().code(), 0);
    assert_eq!(fixture.task.outputs(), None);
}

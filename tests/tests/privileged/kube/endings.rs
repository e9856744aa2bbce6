//! How main ends, as the API tells it.

use copilot_tests::binary::Running;

use super::stage::{MAIN, POD, Stage, is_recoverable};

#[test]
fn exit_code_signal_and_reason_arrive() {
    for (exit_code, reason, code, words, recoverable) in [
        (7, "Error", "MainFailed", "exited with code 7", true),
        (137, "OOMKilled", "OOMKilled", "out of memory", true),
        (137, "Error", "Interrupted", "signal 9 (SIGKILL)", true),
        (139, "Error", "MainFailed", "signal 11 (SIGSEGV)", true),
        (128, "StartError", "MainNotStarted", "never began", false),
    ] {
        let mut stage = Stage::set();
        let sidecar = stage.watched(&[]);
        if reason != "StartError" {
            stage.main_runs();
            sidecar.says("main started");
        }
        stage.main_ends(exit_code, reason);
        let document = stage.reported(sidecar, code, words);
        assert!(document.message.contains("seen by kube-api"));
        assert_eq!(is_recoverable(&document), recoverable, "{reason}");
    }
}

#[test]
fn a_main_that_ends_well_is_uploaded() {
    let mut stage = Stage::set();
    let sidecar = stage.watched(&[]);
    stage.main_runs();
    sidecar.says("main started");
    stage.main_ends(0, "Completed");
    stage.committed(sidecar);
    let timeline = stage.timeline();
    assert_eq!(timeline["watcher"], "kube-api");
    assert_eq!(timeline["status"], "exited with code 0");
    assert_eq!(timeline["main"], serde_json::json!([MAIN]));
    let found = timeline["main_found"].as_str().unwrap_or_default();
    assert!(found.contains("as Flyte names"), "{timeline}");
    let asked = stage.api.asked();
    assert!(
        asked.iter().all(|asked| asked.watch) ^ !asked[0].watch,
        "{asked:?}"
    );
}

/// By the reference's two flags as well.
#[test]
fn a_main_that_had_ended_before_the_watch_began_is_known() {
    for flags in [
        &["--watcher=kube-api"][..],
        &[
            "--start-watcher-type=kube-api",
            "--exit-watcher-type=kube-api",
        ],
    ] {
        let mut stage = Stage::set();
        stage.main_ends(7, "Error");
        let sidecar = Running::start(stage.command().args(flags));
        stage.reported(sidecar, "MainFailed", "exited with code 7");
    }
}

#[test]
fn a_main_that_never_starts_is_reported() {
    let mut stage = Stage::set();
    let sidecar = stage.watched(&["--main-start-timeout=2s"]);
    stage.pod.waits(POD, "ImagePullBackOff");
    stage.api.put(&stage.pod);
    sidecar.says("ImagePullBackOff");
    stage.reported(sidecar, "MainNotStarted", "istio-proxy");
}

#[test]
fn main_may_be_named_and_others_are_not_waited_for() {
    let mut stage = Stage::set();
    stage.pod = stage.pod.clone().container("trainer", false, &[]);
    stage.api.put(&stage.pod);
    let sidecar = stage.watched(&["--main-container=trainer"]);
    stage.main_runs();
    stage.pod.ends("trainer", &"a".repeat(64), 3, "Error");
    stage.api.put(&stage.pod);
    stage.reported(sidecar, "MainFailed", "exited with code 3");
}

#[test]
fn without_an_interface_it_waits_for_mains_end_all_the_same() {
    let mut stage = Stage::set();
    let mut command = copilot_tests::binary::command();
    command
        .args(stage.task.site.server.flags("data"))
        .args(["sidecar", "--watcher=kube-api", "--logger.level=4"])
        .args(stage.api.flags(POD));
    let mut sidecar = Running::start(&mut command);
    sidecar.watches();
    stage.main_runs();
    sidecar.says("main started");
    assert!(sidecar.runs());
    stage.main_ends(0, "Completed");
    assert_eq!(sidecar.ended().code(), 0);
    assert_eq!(stage.task.outputs(), None);
}

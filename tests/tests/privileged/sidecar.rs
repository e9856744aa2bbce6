//! The sidecar and a main process, from attaching the watcher to the result in the store: how main ends,
//! how the pod is stopped, and what follows.

use std::fs;

use copilot::idl::{SimpleType, container_error::Kind, execution_error::ErrorKind};
use copilot_tests::binary::{self, Running};
use copilot_tests::fixture::{CgroupFixture, SidecarFixture, enter};
use copilot_tests::pod::Pod;
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{Task, interface, simple};
use rustix::process::Signal;
use serde_json::Value;

/// Ends when the test has written the file `go`.
const UNTIL_GO: &str = "while [ ! -e $out/go ]; do sleep 0.02; done";

#[test]
fn a_main_that_ends_well_is_uploaded() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for watcher in ["auto", "ebpf", "proc"] {
        let fixture = SidecarFixture::start(&["--watcher", watcher]);
        let main = fixture.main(&format!("{UNTIL_GO}; echo well > $out/word"));
        fixture.sidecar.says("main started");
        fixture.task.write_output("go", "");
        let _ = main.ended();
        let outcome = fixture.outcome();
        outcome.assert_committed("well");
        let seen = if watcher == "auto" { "ebpf" } else { watcher };
        assert_eq!(outcome.timeline["watcher"], seen);
        for point in [
            "attached",
            "started",
            "exited",
            "settled",
            "uploaded",
            "committed",
        ] {
            assert!(
                outcome.timeline["since_start_ms"][point].is_f64(),
                "{watcher}: {point}"
            );
        }
    }
}

#[test]
fn a_main_that_fails_is_reported_and_its_outputs_are_not_uploaded() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for (script, code, origin, words) in [
        (
            "exit 7",
            "MainFailed",
            ErrorKind::User,
            "exited with code 7",
        ),
        (
            "kill -9 $$",
            "Interrupted",
            ErrorKind::System,
            "killed by signal 9 (SIGKILL)",
        ),
        (
            "kill -SEGV $$",
            "MainFailed",
            ErrorKind::User,
            "killed by signal 11 (SIGSEGV)",
        ),
    ] {
        let fixture = SidecarFixture::start(&["--watcher", "ebpf"]);
        let main = fixture.main(&format!("echo half > $out/word; {script}"));
        let _ = main.ended();
        let (outcome, task) = fixture.ended();
        let document = outcome.assert_reported_as(code, Kind::Recoverable, origin);
        assert!(document.message.contains(words), "{}", document.message);
        assert!(
            outcome.ended.message().contains(words),
            "{}",
            outcome.ended.stderr
        );
        assert!(task.objects("task/raw").is_empty());
    }
}

#[test]
fn a_failed_main_is_uploaded_if_asked_for() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&["--watcher", "ebpf", "--on-main-failure", "upload"]);
    let _ = fixture
        .main("echo all the same > $out/word; exit 7")
        .ended();
    let outcome = fixture.outcome();
    outcome.assert_committed("all the same");
    assert_eq!(outcome.status(), "exited with code 7");
}

#[test]
fn the_error_of_a_failed_main_takes_precedence() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&["--watcher", "ebpf"]);
    let _ = fixture
        .main("echo 'no such table' > $out/_ERROR; exit 1")
        .ended();
    let outcome = fixture.outcome();
    let document =
        outcome.assert_reported_as("OutputUploadFailed", Kind::Recoverable, ErrorKind::User);
    assert_eq!(document.message, "User Error: no such table\n");
}

#[test]
fn the_end_of_a_failed_mains_standard_error_is_quoted() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&["--watcher", "ebpf"]);
    let _ = fixture
        .main("exec 2> $out/_STDERR; echo loading >&2; printf 'ValueError: \\033[2Jno column x\\n' >&2; exit 3")
        .ended();
    let outcome = fixture.outcome();
    let end = r"Main's standard error ends: loading | ValueError: \u{1b}[2Jno column x";
    let document = outcome.assert_reported("MainFailed", "exited with code 3");
    assert!(document.message.ends_with(end), "{}", document.message);
    assert!(
        outcome.ended.message().ends_with(end),
        "{}",
        outcome.ended.stderr
    );
}

#[test]
fn a_main_of_a_millisecond_is_never_missed() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let pod = Pod::create().expect("a pod can be made");
    let site = Task::start().expect("a task can be made").site;
    for round in 0..200 {
        let timeline = site.work(&format!("{round}.json"));
        let mut command = enter(&pod, "sidecar", binary::path());
        command
            .args(["sidecar", "--watcher", "ebpf", "--timeline"])
            .arg(&timeline);
        let mut sidecar = Running::start(&mut command);
        sidecar.watches();
        let name = format!("main-{round}");
        let _ = Running::start(&mut enter(&pod, &name, "/bin/true".into())).ended();
        let ended = sidecar.ended();
        assert_eq!(ended.code(), 0, "round {round}: {}", ended.stderr);
        let text = fs::read(&timeline).expect("a timeline is left");
        let timeline: Value = serde_json::from_slice(&text).expect("a timeline is JSON");
        assert_eq!(timeline["status"], "exited with code 0", "round {round}");
        assert_eq!(timeline["main"][0], name.as_str(), "round {round}");
    }
}

#[test]
fn a_child_that_outlives_main_may_still_write() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&["--watcher", "ebpf", "--settle", "1m"]);
    let _ = fixture
        .main("(sleep 0.7; echo late > $out/word) & exit 0")
        .ended();
    fixture.outcome().assert_committed("late");
}

#[test]
fn a_child_that_never_ends_delays_nothing() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&["--watcher", "ebpf", "--settle", "300ms"]);
    let _ = fixture.main("sleep 300 & echo early > $out/word").ended();
    fixture.outcome().assert_committed("early");
}

#[test]
fn a_stop_while_main_runs_waits_for_its_end() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for watcher in ["ebpf", "proc"] {
        let fixture = SidecarFixture::start(&["--watcher", watcher, "--term-wait", "2m"]);
        let main = fixture.main(
            "trap 'echo stopped > $out/word; exit 0' TERM; touch $out/ready; while :; do sleep 0.05; done",
        );
        binary::wait_until("main traps SIGTERM", || {
            fixture.task.outputs_dir().join("ready").exists()
        });
        fixture.sidecar.says("main started");
        fixture.sidecar.signal(Signal::TERM);
        fixture.sidecar.signal(Signal::TERM);
        fixture.sidecar.signal(Signal::INT);
        main.signal(Signal::TERM);
        let _ = main.ended();
        fixture.outcome().assert_committed("stopped");
    }
}

#[test]
fn a_main_that_ignores_the_stop_is_not_uploaded_half_written() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for watcher in ["ebpf", "proc"] {
        let fixture = SidecarFixture::start(&["--watcher", watcher, "--term-wait", "300ms"]);
        let main = fixture.main("echo half > $out/word; touch $out/ready; exec sleep 300");
        binary::wait_until("main writes", || {
            fixture.task.outputs_dir().join("ready").exists()
        });
        fixture.sidecar.says("main started");
        fixture.sidecar.signal(Signal::TERM);
        let outcome = fixture.outcome();
        let document =
            outcome.assert_reported_as("Interrupted", Kind::Recoverable, ErrorKind::System);
        assert!(
            document.message.contains("still running"),
            "{}",
            document.message
        );
        drop(main);
    }
}

#[test]
fn a_stop_before_main_is_seen_means_that_it_is_over() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for watcher in ["ebpf", "proc", "signal"] {
        let fixture = SidecarFixture::start(&["--watcher", watcher]);
        fixture.task.write_output("word", "there already");
        fixture.sidecar.signal(Signal::TERM);
        fixture.outcome().assert_committed("there already");
    }
}

#[test]
fn a_main_that_never_starts_is_reported() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for watcher in ["ebpf", "proc"] {
        let fixture = SidecarFixture::start(&[
            "--watcher",
            watcher,
            "--main-start-timeout",
            "300ms",
            "--main-container",
            "nobody",
        ]);
        let other = fixture.main("exec sleep 300");
        let outcome = fixture.outcome();
        let document =
            outcome.assert_reported_as("MainNotStarted", Kind::NonRecoverable, ErrorKind::User);
        assert!(
            document.message.contains("--main-container"),
            "{}",
            document.message
        );
        assert!(document.message.contains("main"), "{}", document.message);
        drop(other);
    }
}

#[test]
fn without_outputs_it_also_waits_for_mains_end() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let mut fixture = SidecarFixture::start_for(&interface([]), &["--watcher", "ebpf"]);
    let main = fixture.main(&format!("{UNTIL_GO}; exit 3"));
    fixture.sidecar.says("main started");
    assert!(fixture.sidecar.runs());
    fixture.task.write_output("go", "");
    let _ = main.ended();
    let (outcome, task) = fixture.ended();
    assert_eq!(outcome.ended.code(), 0, "{}", outcome.ended.stderr);
    assert!(outcome.timeline["since_start_ms"]["exited"].is_f64());
    assert!(task.objects("task").is_empty());
}

#[test]
fn a_killed_sidecar_that_starts_again_ends_right() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&["--watcher", "ebpf"]);
    let main = fixture.main(&format!("{UNTIL_GO}; echo again > $out/word; exit 0"));
    fixture.sidecar.says("main started");
    let fixture = fixture.kill().start(&[]);
    fixture.task.write_output("go", "");
    let _ = main.ended();
    let outcome = fixture.outcome();
    outcome.assert_committed("again");
    assert_eq!(outcome.status(), "exited with code 0");
}

#[test]
fn a_private_cgroup_namespace_hides_nothing_from_the_kernel() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    // Like the sandbox, it shows which ancestor is the pod's cgroup.
    let pause = Running::start(enter(&fixture.pod, "pause", "/bin/sleep".into()).arg("300"));
    let outputs = interface([("word", simple(SimpleType::String))]);
    let command = fixture.sidecar_through(
        &["/usr/bin/unshare", "--cgroup"],
        &outputs,
        &["--watcher", "ebpf", "--main-container", "main"],
    );
    let fixture = fixture.run(command);
    let _ = fixture.main("echo hidden > $out/word; exit 0").ended();
    let outcome = fixture.outcome();
    outcome.assert_committed("hidden");
    assert_eq!(outcome.status(), "exited with code 0");
    drop(pause);
}

//! What each watcher makes of a main that ends, that is killed, that says itself that it is over, or
//! that was gone before anybody watched; alone and side by side.

use std::fs;

use copilot::idl::{SimpleType, container_error::Kind, execution_error::ErrorKind};
use copilot_tests::binary::{self, Running};
use copilot_tests::requirement::Requirement;
use copilot_tests::stage::{Scene, Stage, enter};
use copilot_tests::task::{interface, simple};
use rustix::process::Signal;

/// Ends when the test has made the file `go`.
const UNTIL_GO: &str = "while [ ! -e $out/go ]; do sleep 0.02; done";

#[test]
fn a_main_that_says_it_is_over_is_uploaded_while_it_runs_and_waited_for() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for options in [
        &["--watcher", "marker"][..],
        &["--watcher", "marker,pidfd"],
        &[
            "--start-watcher-type",
            "file",
            "--exit-watcher-type",
            "file",
        ],
        &[
            "--start-watcher-type",
            "shared-process-ns",
            "--exit-watcher-type",
            "file",
        ],
    ] {
        let mut stage = Stage::set(options);
        let script = "touch $out/_START; echo told > $out/word; touch $out/_SUCCESS";
        let main = stage.main(&format!("{script}; {UNTIL_GO}"));
        stage.sidecar.says("outputs are committed");
        assert!(
            stage.sidecar.runs(),
            "kubelet would start it again: {options:?}"
        );
        stage.task.write_output("go", "");
        let _ = main.ended();
        let outcome = stage.ended();
        outcome.committed("told");
        assert!(
            outcome.ended.stderr.contains("_SUCCESS"),
            "{}",
            outcome.ended.stderr
        );
    }
}

#[test]
fn a_marker_that_is_moved_in_counts() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let stage = Stage::set(&["--watcher", "marker"]);
    let main = stage.main(
        "echo moved > $out/word; touch $out/x; sleep 0.2; mv $out/x $out/_SUCCESS; exec sleep 300",
    );
    stage.sidecar.says("outputs are committed");
    main.signal(Signal::KILL);
    let _ = main.ended();
    stage.ended().committed("moved");
}

#[test]
fn what_went_wrong_is_read_when_it_has_been_written() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let stage = Stage::set(&["--watcher", "marker"]);
    let _main = stage.main("exec 3> $out/_ERROR; sleep 0.3; echo no such table >&3; exec 3>&-");
    let outcome = stage.ended();
    let document = outcome.reported("OutputUploadFailed", Kind::Recoverable, ErrorKind::User);
    assert_eq!(document.message, "User Error: no such table\n");
}

/// The reference waits for ever: a killed main writes no marker any more.
#[test]
fn a_killed_main_does_not_hang_those_who_wait_for_its_marker() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let stage = Stage::set(&["--watcher", "marker"]);
    let main = stage.main("touch $out/_START; echo half > $out/word; exec sleep 300");
    stage.sidecar.says("main found");
    binary::wait_until("main writes", || {
        fs::read(stage.task.outputs_dir().join("word")).is_ok_and(|word| word == b"half\n")
    });
    main.signal(Signal::KILL);
    let _ = main.ended();
    let outcome = stage.ended();
    let document = outcome.reported("Interrupted", Kind::Recoverable, ErrorKind::System);
    assert!(document.message.contains("SIGKILL"), "{}", document.message);
    assert_eq!(outcome.timeline["watcher"], "marker,ebpf");
}

#[test]
fn a_watcher_that_cannot_work_is_refused_with_the_nearest_that_does() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let scene = Scene::set();
    fs::remove_dir_all(scene.task.outputs_dir()).expect("the directory can be removed");
    let outputs = interface([]);
    let mut command = scene.sidecar(&outputs, &["--watcher", "marker"]);
    let ended = Running::start(&mut command).ended();
    assert_eq!(ended.code(), 2, "{}", ended.stderr);
    for words in ["--watcher marker does not work here", "must exist", "pidfd"] {
        assert!(ended.message().contains(words), "{}", ended.stderr);
    }
}

#[test]
fn without_the_right_to_ask_the_kernel_a_descriptor_tells() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let scene = Scene::set();
    let outputs = interface([("word", simple(SimpleType::String))]);
    let mut command = enter(&scene.pod, "sidecar", "/usr/bin/setpriv".into());
    command
        .args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"])
        .arg(binary::path())
        .args(scene.task.site.server.flags("data"))
        .args(scene.task.sidecar_arguments(&outputs))
        .arg("--timeline")
        .arg(scene.task.site.work("timeline.json"));
    let stage = scene.run(command);
    let _ = stage.main("sleep 0.3; exit 7").ended();
    let outcome = stage.ended();
    assert_eq!(outcome.timeline["watcher"], "pidfd");
    let reason = outcome.timeline["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("ebpf does not work here"), "{reason}");
    assert!(reason.contains("CAP_BPF"), "{reason}");
}

/// It ended before the sidecar began: only what it left says that it was there.
#[test]
fn a_main_that_was_gone_before_anybody_watched_is_uploaded() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let is_uploaded = |watcher: &str, file: &str| {
        let scene = Scene::set();
        let script = format!("touch $out/{file}; echo early > $out/word");
        let _ = scene.main(&script).ended();
        let outcome = scene.attach(&["--watcher", watcher]).ended();
        outcome.committed("early");
        let said = outcome.ended.stderr;
        assert!(said.contains("been and gone"), "{said}");
    };
    // Each waits for a while to be sure that nobody is there.
    std::thread::scope(|scope| {
        for (watcher, file) in [("ebpf", "word"), ("pidfd", "_SUCCESS"), ("proc", "word")] {
            scope.spawn(move || is_uploaded(watcher, file));
        }
    });
}

/// Its image may still be pulled.
#[test]
fn an_empty_pod_is_no_sign_that_main_is_over() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let stage = Stage::set(&["--watcher", "pidfd", "--main-start-timeout", "12s"]);
    let outcome = stage.ended();
    let document = outcome.reported("MainNotStarted", Kind::NonRecoverable, ErrorKind::User);
    assert!(
        document.message.contains("no other container"),
        "{}",
        document.message
    );
}

#[test]
fn a_failed_main_leaves_its_files_if_asked_for() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let stage = Stage::set(&["--watcher", "ebpf", "--on-main-failure", "salvage"]);
    let script = "mkdir -p $out/logs; echo half > $out/word; echo why > $out/logs/a%b; exit 7";
    let _ = stage.main(script).ended();
    let outcome = stage.ended();
    let document = outcome.reported("MainFailed", Kind::Recoverable, ErrorKind::User);
    for words in ["exited with code 7", "2 files", "are saved below"] {
        assert!(document.message.contains(words), "{}", document.message);
    }
    let saved = outcome.task.objects("task/raw");
    let names: Vec<&str> = saved.keys().map(String::as_str).collect();
    assert_eq!(names, ["logs/a%b", "word"]);
}

#[test]
fn a_main_that_does_not_stop_is_salvaged_at_most() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let stage = Stage::set(&[
        "--watcher",
        "pidfd",
        "--term-wait",
        "200ms",
        "--on-main-failure",
        "salvage",
    ]);
    let main = stage.main("echo half > $out/word; touch $out/ready; exec sleep 300");
    binary::wait_until("main writes", || {
        stage.task.outputs_dir().join("ready").exists()
    });
    stage.sidecar.says("main started");
    stage.sidecar.signal(Signal::TERM);
    let outcome = stage.ended();
    let document = outcome.reported("Interrupted", Kind::Recoverable, ErrorKind::System);
    assert!(
        document.message.contains("saved below"),
        "{}",
        document.message
    );
    drop(main);
}

#[test]
fn whoever_waits_for_the_start_only_does_not_wait_for_the_end() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let stage = Stage::set(&[
        "--start-watcher-type",
        "shared-process-ns",
        "--exit-watcher-type",
        "noop",
    ]);
    stage.task.write_output("word", "there");
    let main = stage.main("exec sleep 300");
    stage.ended().committed("there");
    drop(main);
}

#[test]
fn a_name_that_nobody_bears_is_said_while_waiting() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let stage = Stage::set(&["--watcher", "ebpf", "--main-container", "mian"]);
    let main = stage.main("exec sleep 300");
    stage
        .sidecar
        .says("none of the containers seen so far is main");
    stage.sidecar.signal(Signal::TERM);
    let outcome = stage.ended();
    assert!(outcome.ended.stderr.contains("--main-container"));
    drop(main);
}

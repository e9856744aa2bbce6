//! Pods without Flyte: the real tracker decides whether `manifest.json` or `failure.json` is written.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use copilot_tests::binary::{self, Ended, Running, wait_until};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::fixture::{CgroupFixture, enter};
use copilot_tests::requirement::Requirement;
use copilot_tests::task::Task;
use rustix::process::Signal;
use serde_json::{Value, json};

/// Ends when the test has written the file `go`.
const UNTIL_GO: &str = "while [ ! -e $out/go ]; do sleep 0.02; done; rm $out/go";

/// A sidecar in the pod that uploads the whole output directory.
fn command(fixture: &CgroupFixture, more: &[&str]) -> Command {
    let mut command = enter(&fixture.pod, "sidecar", binary::path());
    command
        .args(fixture.task.site.server.flags("data"))
        .args(["sidecar", "--to", "s3://data/run", "--from-local-dir"])
        .arg(fixture.task.outputs_dir())
        .args(["--logger.level=4"])
        .args(more);
    command
}

/// Starts it, and waits until it watches.
fn start(fixture: &CgroupFixture, more: &[&str]) -> Running {
    let mut sidecar = Running::start(&mut command(fixture, more));
    sidecar.watches();
    sidecar
}

/// Runs a main beside a new sidecar, to the end of both.
fn run(fixture: &CgroupFixture, script: &str, more: &[&str]) -> Ended {
    let sidecar = start(fixture, more);
    let _ = fixture.main(script).ended();
    sidecar.ended()
}

/// The names below the prefix.
fn names(task: &Task) -> Vec<String> {
    task.objects("run").into_keys().collect()
}

fn document(task: &Task, name: &str) -> Value {
    let objects = task.objects("run");
    let text = objects
        .get(name)
        .unwrap_or_else(|| panic!("{name}: {:?}", objects.keys()));
    serde_json::from_slice(text).unwrap()
}

#[test]
fn a_main_that_ends_well_is_committed_with_its_end() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let ended = run(
        &fixture,
        "mkdir $out/d; echo well > $out/d/word",
        &["--watcher=ebpf"],
    );
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(names(&fixture.task), ["d/word", "manifest.json"]);
    let manifest = document(&fixture.task, "manifest.json");
    assert_eq!(
        manifest["main"],
        json!({"end": "exited with code 0", "exit_code": 0, "watcher": "ebpf", "containers": ["main"]})
    );
    assert_eq!(manifest["total"], json!({"files": 1, "bytes": 5}));
}

#[test]
fn a_bad_end_commits_nothing_and_says_how_main_ended() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for (script, code, exit_code, words) in [
        ("exit 7", "MainFailed", 7, "exited with code 7"),
        (
            "kill -9 $$",
            "Interrupted",
            137,
            "killed by signal 9 (SIGKILL)",
        ),
        (
            "echo 'no table' > $out/_ERROR; exit 1",
            "OutputUploadFailed",
            1,
            "no table",
        ),
    ] {
        let fixture = CgroupFixture::create();
        // An earlier run has succeeded here.
        let ended = run(&fixture, "echo 1 > $out/word", &["--watcher=ebpf"]);
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let script = format!("echo 2 > $out/word; {script}");
        let ended = run(&fixture, &script, &["--watcher=ebpf"]);
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        assert!(ended.message().contains(words), "{}", ended.stderr);
        assert!(
            !ended.message().contains("--on-main-failure"),
            "{}",
            ended.stderr
        );
        assert_eq!(names(&fixture.task), ["failure.json", "word"], "{script}");
        assert_eq!(fixture.task.objects("run")["word"], b"1\n", "{script}");
        let failure = document(&fixture.task, "failure.json");
        assert_eq!(failure["error"]["code"], code);
        assert_eq!(failure["main"]["exit_code"], exit_code);
        assert_eq!(failure["main"]["containers"], json!(["main"]));
    }
}

#[test]
fn a_stop_while_main_runs_commits_nothing() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let sidecar = start(&fixture, &["--watcher=ebpf", "--term-wait=300ms"]);
    let _main = fixture.main("echo half > $out/word; exec sleep 300");
    sidecar.says("main started");
    sidecar.signal(Signal::TERM);
    let ended = sidecar.ended();
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert_eq!(names(&fixture.task), ["failure.json"]);
    let failure = document(&fixture.task, "failure.json");
    assert_eq!(failure["error"]["code"], "Interrupted");
    assert_eq!(
        failure["main"]["end"],
        "still running when the pod was stopped"
    );
}

#[test]
fn a_sidecar_that_is_killed_while_it_waits_starts_again() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let first = start(&fixture, &["--watcher=ebpf"]);
    let main = fixture.main(&format!("{UNTIL_GO}; echo well > $out/word"));
    first.says("main started");
    first.signal(Signal::KILL);
    assert_eq!(first.ended().status.code(), None);
    let second = start(&fixture, &["--watcher=ebpf"]);
    second.says("main started");
    fixture.task.write_output("go", "");
    let _ = main.ended();
    let ended = second.ended();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(names(&fixture.task), ["manifest.json", "word"]);
}

/// The next life sees nothing of main, and knows of its good end by the note of the first one.
#[test]
fn a_sidecar_that_is_killed_while_it_uploads_starts_again() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let open = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&open);
    let proxy = FaultProxy::start(fixture.task.site.server.address(), move |seen| {
        if seen.line.starts_with("PUT") && !is_open.load(Ordering::Relaxed) {
            Fault::Answer(503, "Retry-After: 1\r\n")
        } else {
            Fault::None
        }
    })
    .unwrap();
    let endpoint = format!("endpoint={}", proxy.endpoint());
    let options = ["--watcher=ebpf", "--storage.stow.config", &endpoint];
    let first = start(&fixture, &options);
    let _ = fixture.main("echo well > $out/word").ended();
    wait_until("an upload begins", || {
        proxy.seen().iter().any(|seen| seen.line.starts_with("PUT"))
    });
    first.signal(Signal::KILL);
    assert_eq!(first.ended().status.code(), None);
    assert!(names(&fixture.task).is_empty());
    open.store(true, Ordering::Relaxed);

    let again = || {
        let sidecar = start(&fixture, &options);
        sidecar.signal(Signal::TERM);
        let ended = sidecar.ended();
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        ended
    };
    again();
    assert_eq!(names(&fixture.task), ["manifest.json", "word"]);
    let manifest = fixture.task.objects("run")["manifest.json"].clone();
    // And a third life has nothing to do.
    again().assert_logged(&["nothing is left to do"]);
    assert_eq!(fixture.task.objects("run")["manifest.json"], manifest);
}

/// A life that begins after main's end, without such a note, does not guess.
#[test]
fn a_sidecar_that_saw_nothing_commits_nothing() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let _ = fixture.main("echo well > $out/word").ended();
    let sidecar = start(&fixture, &["--watcher=ebpf"]);
    sidecar.signal(Signal::TERM);
    let ended = sidecar.ended();
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert_eq!(names(&fixture.task), ["failure.json"]);
    // The failure stands, whatever the next life sees.
    let sidecar = start(&fixture, &["--watcher=ebpf"]);
    sidecar.signal(Signal::TERM);
    let ended = sidecar.ended();
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
}

/// `proc` sees that main ends, and not how.
#[test]
fn an_unknown_exit_status_needs_the_programs_word() {
    if !Requirement::Cgroups.is_met() {
        return;
    }
    let words = format!("{UNTIL_GO}; echo well > $out/word");
    for (script, code, expected) in [
        (words.clone(), 1, &["failure.json"][..]),
        (
            format!("{words}; > $out/_SUCCESS"),
            0,
            &["_SUCCESS", "manifest.json", "word"],
        ),
    ] {
        let fixture = CgroupFixture::create();
        let sidecar = start(&fixture, &["--watcher=proc"]);
        let main = fixture.main(&script);
        sidecar.says("main started");
        fixture.task.write_output("go", "");
        let _ = main.ended();
        let ended = sidecar.ended();
        assert_eq!(ended.code(), code, "{}", ended.stderr);
        assert_eq!(names(&fixture.task), expected, "{}", ended.stderr);
    }
}

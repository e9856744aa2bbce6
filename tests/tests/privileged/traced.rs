//! A main under a debugger (ptrace): a tracer stops it at each system call, and learns of its end before its parent
//! does.

use std::fs;
use std::path::Path;

use copilot_tests::binary::{self, Running};
use copilot_tests::fixture::{SidecarFixture, enter};
use copilot_tests::requirement::Requirement;
use rustix::process::Signal;

const TRACER: &str = env!("CARGO_BIN_EXE_tracer");

/// Waits for the file `go`.
const UNTIL_GO: &str = "while [ ! -e $out/go ]; do sleep 0.02; done";

/// The watchers, and whether each learns how main ended.
const WATCHERS: [(&str, bool); 3] = [("ebpf", true), ("pidfd", true), ("proc", false)];

/// A main that runs under `strace` from the start.
fn traced(fixture: &SidecarFixture, script: &str) -> Running {
    let mut main = enter(&fixture.pod, "main", TRACER.into());
    main.env("out", fixture.task.outputs_dir());
    Running::start(main.args(["/bin/sh", "-c", script]))
}

#[test]
fn a_main_that_is_traced_from_the_start_is_seen_to_start_and_to_end() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for (watcher, knows) in WATCHERS {
        for (end, status) in [
            ("exit 0", "exited with code 0"),
            ("exit 7", "exited with code 7"),
            ("kill -9 $$", "killed by signal 9 (SIGKILL)"),
            ("exec /bin/false", "exited with code 1"),
        ] {
            let fixture = SidecarFixture::start(&["--watcher", watcher]);
            let main = traced(&fixture, &format!("echo x > $out/word; {UNTIL_GO}; {end}"));
            fixture.sidecar.says("main started");
            fixture.task.write_output("go", "");
            let _ = main.ended();
            let outcome = fixture.outcome();
            if !knows {
                outcome.assert_committed("x");
                outcome.assert_watched(watcher, "ended (how is not known)");
                continue;
            }
            outcome.assert_watched(watcher, status);
            if end == "exit 0" {
                outcome.assert_committed("x");
            } else {
                assert_eq!(outcome.ended.code(), 1, "{end}: {outcome:?}");
                assert!(outcome.outputs.is_none(), "{end}: {outcome:?}");
            }
        }
    }
}

/// The pid of the process that traces another one; 0 if none does.
fn tracer_of(pid: u32) -> u32 {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    let status = status.unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"));
    line.and_then(|pid| pid.trim().parse().ok()).unwrap_or(0)
}

/// As `kubectl exec` or `kubectl debug` may do it.
#[test]
fn a_tracer_that_comes_later_changes_nothing() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for (watcher, knows) in WATCHERS {
        let fixture = SidecarFixture::start(&["--watcher", watcher]);
        let main = fixture.main(&format!("echo x > $out/word; {UNTIL_GO}; exit 7"));
        fixture.sidecar.says("main started");
        let mut tracer = enter(&fixture.pod, "main", TRACER.into());
        let tracer = Running::start(tracer.args(["--attach", &main.id().to_string()]));
        binary::wait_until("main is traced", || tracer_of(main.id()) == tracer.id());
        fixture.task.write_output("go", "");
        let _ = main.ended();
        assert_eq!(tracer.ended().code(), 0);
        let outcome = fixture.outcome();
        if knows {
            outcome.assert_watched(watcher, "exited with code 7");
            outcome.assert_reported("MainFailed", "exited with code 7");
        } else {
            outcome.assert_watched(watcher, "ended (how is not known)");
        }
    }
}

/// The tracer has stopped main for good, and the pod is deleted.
#[test]
fn a_main_that_its_tracer_has_stopped_still_runs() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for (watcher, _) in WATCHERS {
        let fixture = SidecarFixture::start(&["--watcher", watcher, "--term-wait", "300ms"]);
        let main = fixture.main("echo half > $out/word; while :; do sleep 0.02; done");
        fixture.sidecar.says("main started");
        let mut tracer = enter(&fixture.pod, "main", TRACER.into());
        let tracer = Running::start(tracer.args(["--attach", &main.id().to_string()]));
        binary::wait_until("main is traced", || tracer_of(main.id()) == tracer.id());
        // The next stop of main lasts.
        tracer.signal(Signal::STOP);
        fixture.sidecar.signal(Signal::TERM);
        let outcome = fixture.outcome();
        outcome.assert_reported("Interrupted", "still running");
        drop((tracer, main));
    }
}

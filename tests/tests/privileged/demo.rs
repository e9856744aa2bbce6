//! The demo works and reports what its documentation promises, for root and for an unprivileged user.

#![cfg(test)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use copilot_tests::binary;
use copilot_tests::requirement::{NOBODY, Requirement, pidfds_tell_exit_codes};
use serde_json::Value;

/// The resolution of start times in `/proc`.
const TICK_MS: f64 = 10.0;

/// Runs the demo, which leaves its files in `directory`, and returns its result.
fn tell(demo: &mut Command, directory: &Path) -> Value {
    let output = demo.arg("--json").env("TMPDIR", directory).output();
    let output = output.expect("the demo can be run");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {log}", output.status);
    serde_json::from_slice(&output.stdout).expect("the demo prints one object")
}

#[track_caller]
fn assert_told(story: &Value, watcher: &str) {
    assert_eq!(story["watcher"], watcher, "{story:#}");
    assert_eq!(story["exit_code"], 0, "{story:#}");
    let at = |point: &str| story["timeline"][point].as_f64().unwrap_or(f64::NAN);
    // `/proc` counts starts in clock ticks.
    assert!(at("attached") <= at("started") + TICK_MS, "{story:#}");
    // The demo's main runs for a second or more: its start and its end were both seen, not assumed.
    assert!(at("exited") - at("started") > 200.0, "{story:#}");
    let ends = ["exited", "settled", "uploaded", "committed"].map(at);
    assert!(ends.is_sorted(), "{story:#}");
    let outputs = &story["outputs"];
    assert_eq!(outputs["total"], 70, "{story:#}");
    let report = "Hello, there are 3 documents";
    assert_eq!(outputs["report"], report, "{story:#}");
    for (name, place) in [
        ("scaled", "s3://flyte/demo/raw/"),
        ("letters", "s3://flyte/demo/raw/"),
    ] {
        let uri = outputs[name].as_str().unwrap_or_default();
        assert!(uri.starts_with(place), "{story:#}");
    }
}

#[test]
fn root_sees_main_through_the_kernel() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    demo.arg("--copilot").arg(binary::path());
    let story = tell(&mut demo, directory.path());
    assert_told(&story, "ebpf");
    assert_eq!(story["main"]["exit_code"], 0, "{story:#}");
}

#[test]
fn an_unprivileged_user_sees_main_with_pidfd() {
    if !Requirement::Nobody.is_met() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let open = |mode| fs::Permissions::from_mode(mode);
    fs::set_permissions(directory.path(), open(0o1777)).unwrap();
    // Other users may not be able to read the folder of the build.
    let place = |from: &Path, name: &str| {
        let path = directory.path().join(name);
        binary::place(from, &path).unwrap();
        path
    };
    let demo = place(Path::new(env!("CARGO_BIN_EXE_demo")), "demo");
    let copilot = place(&binary::path(), "copilot");
    let mut command = Command::new("setpriv");
    command.args(NOBODY).arg(demo).arg("--copilot").arg(copilot);
    let story = tell(command.current_dir("/"), directory.path());
    assert_told(&story, "pidfd");
    let exit_code = &story["main"]["exit_code"];
    if pidfds_tell_exit_codes() {
        assert_eq!(*exit_code, 0, "{story:#}");
    } else {
        assert!(exit_code.is_null(), "{story:#}");
    }
    let reason = story["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("ebpf does not work here"), "{story:#}");
}

//! How the command ends, and what becomes of its outputs.

use std::fs;

use copilot_tests::binary::{Running, wait_until};
use rustix::process::Signal;

use super::{Desk, content, json};

#[test]
fn the_exit_code_is_the_commands() {
    let desk = Desk::new();
    for (script, code, says) in [
        ("exit 0", 0, "the command exited with code 0"),
        ("exit 7", 7, "the command exited with code 7"),
        ("kill -9 $$", 137, "killed by signal 9 (SIGKILL)"),
    ] {
        let ended = desk.script(&[], script);
        assert_eq!(ended.code(), code, "{script}: {}", ended.stderr);
        assert!(ended.stdout.contains(says), "{script}: {}", ended.stdout);
        let ended = desk.script(&["--json"], script);
        assert_eq!(ended.code(), code, "{script}: {}", ended.stderr);
        assert_eq!(json(&ended)["exit_code"], code, "{script}");
    }
    assert_eq!(desk.left(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn each_wrong_output_is_named_and_fails_the_run() {
    let desk = Desk::new();
    let outputs = [
        "--output",
        "y:integer",
        "--output",
        "z:file",
        "--output",
        "ok:string",
    ];
    let script = "echo abc > /var/outputs/y; echo fine > /var/outputs/ok";
    let ended = desk.script(&outputs, script);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert!(ended.stdout.contains("wrong\n"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("\"abc\" is not a valid integer"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("output \"z\": file not found"),
        "{}",
        ended.stdout
    );
    assert!(ended.message().contains("(and 1 more)"), "{}", ended.stderr);
    // What it wrote is still there.
    let [kept] = desk.left().try_into().unwrap();
    assert_eq!(content(&kept.join("outputs/ok")), "fine\n");
    assert!(
        ended.stdout.contains(&kept.display().to_string()),
        "{}",
        ended.stdout
    );
}

#[test]
fn the_programs_own_words_count() {
    let desk = Desk::new();
    for (script, code) in [
        ("echo 'no data today' > /var/outputs/_ERROR", 1),
        ("echo 'no data today' > /var/outputs/_ERROR; exit 4", 4),
    ] {
        let ended = desk.script(&["--output", "y:integer"], script);
        assert_eq!(ended.code(), code, "{}", ended.stderr);
        assert!(ended.stdout.contains("no data today"), "{}", ended.stdout);
    }
}

#[test]
fn data_is_kept_and_values_alone_are_not() {
    let desk = Desk::new();
    let script =
        "echo 1,2 > /var/outputs/report.csv; mkdir /var/outputs/tree; echo a > /var/outputs/tree/a
        echo b > /var/outputs/other";
    let words = [
        "--output",
        "report:file[csv]",
        "--output",
        "tree:dir",
        "--json",
    ];
    let ended = desk.script(&words, script);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let result = json(&ended);
    let [kept] = desk.left().try_into().unwrap();
    assert_eq!(result["work_dir"], *kept.display().to_string());
    let report = result["outputs"]["values"]["report"].as_str().unwrap();
    assert_eq!(content(report.as_ref()), "1,2\n");
    assert_eq!(
        result["data"],
        serde_json::json!([
            {"output": "report", "path": "report.csv", "files": 1, "bytes": 4},
            {"output": "tree", "path": "tree", "files": 1, "bytes": 2},
        ])
    );
    assert_eq!(result["undeclared"], serde_json::json!(["other"]));

    fs::remove_dir_all(kept).unwrap();
    let ended = desk.script(&["--keep", "--output", "y:int"], "echo 1 > /var/outputs/y");
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(desk.left().len(), 1);
}

#[test]
fn a_named_directory_stays_and_its_old_outputs_are_not_taken_for_new_ones() {
    let desk = Desk::new();
    let words = ["--work-dir", "work", "--output", "y:int"];
    let ended = desk.script(&words, "echo 1 > /var/outputs/y");
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(content(&desk.path("work/outputs/y")), "1\n");
    assert!(desk.path("work/inputs/inputs.json").is_file());
    let ended = desk.script(&words, "true");
    assert_eq!(ended.code(), 1);
    assert!(ended.message().contains("is not empty"), "{}", ended.stderr);
    assert_eq!(content(&desk.path("work/outputs/y")), "1\n");
}

#[test]
fn the_commands_standard_output_stays_apart_from_json() {
    let desk = Desk::new();
    let ended = desk.script(&["--json"], "echo to-stdout; echo to-stderr >&2");
    assert_eq!(json(&ended)["exit_code"], 0);
    assert_eq!(ended.stderr, "to-stdout\nto-stderr\n");
    let ended = desk.script(&[], "echo to-stdout; echo to-stderr >&2");
    assert!(ended.stdout.starts_with("to-stdout\n"), "{}", ended.stdout);
    assert_eq!(ended.stderr, "to-stderr\n");
}

#[test]
fn a_signal_is_passed_on_and_the_command_may_end_in_its_own_way() {
    let desk = Desk::new();
    let script = "trap 'echo stopped > /var/outputs/y; exit 5' TERM; echo ready >&2
        sleep 1000 & wait";
    let mut command = desk.copilot();
    command.args(["run", "--output", "y:string", "--", "sh", "-c", script]);
    for signal in [Signal::TERM, Signal::INT] {
        let running = Running::start(&mut command);
        running.says("ready");
        running.signal(signal);
        let ended = running.ended();
        assert_eq!(ended.code(), 5, "{}", ended.stderr);
        let [kept] = desk.left().try_into().unwrap();
        assert_eq!(content(&kept.join("outputs/y")), "stopped\n");
        fs::remove_dir_all(kept).unwrap();
    }
}

#[test]
fn a_command_that_does_not_stop_is_killed() {
    let desk = Desk::new();
    let script = "trap '' TERM; echo ready >&2; while :; do sleep 0.1; done";
    let mut command = desk.copilot();
    command.args(["run", "--term-wait", "200ms", "--", "sh", "-c", script]);
    let running = Running::start(&mut command);
    running.says("ready");
    running.signal(Signal::TERM);
    let ended = running.ended();
    assert_eq!(ended.code(), 137, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("did not end after SIGTERM"),
        "{}",
        ended.stdout
    );
}

#[test]
fn what_the_command_leaves_running_is_ended() {
    let desk = Desk::new();
    let script = "sleep 1000 & echo $! > /var/outputs/pid";
    let ended = desk.script(&["--output", "pid:int", "--json"], script);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let pid = json(&ended)["outputs"]["values"]["pid"].as_i64().unwrap();
    let state = move || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.chars().next());
        state.filter(|state| *state != 'Z')
    };
    wait_until("the process is gone", || state().is_none());
}

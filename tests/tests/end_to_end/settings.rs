//! Our own settings from a file and from variables, where no flag gives them.

use std::fs;

use copilot_tests::binary;
use copilot_tests::task::Task;
use serde_json::Value;

const FILE: &str = "copilot:\n  exit-code: 0\n  err-output-name: own.pb\n  max-connections: 3\n";

/// A task without inputs, so that its download fails, and its file of settings.
fn failing() -> Task {
    let task = Task::start().unwrap();
    fs::write(task.site.work("own.yaml"), FILE).unwrap();
    task
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_a_file() {
    for (variable, flag, code) in [
        (None, None, 0),
        (Some("1"), None, 1),
        (Some("1"), Some("--exit-code=0"), 0),
        (None, Some("--exit-code=1"), 1),
        (Some(""), None, 0),
        // It decides the same, and is a flag.
        (Some("1"), Some("--exit-zero-on-error"), 0),
    ] {
        let task = failing();
        let mut command = task.download();
        command.arg("--config").arg(task.site.work("own.yaml"));
        command.args(flag);
        command.envs(variable.map(|value| ("COPILOT_EXIT_CODE", value)));
        let ended = binary::run(&mut command);
        let about = format!("{variable:?} {flag:?}: {}", ended.stderr);
        assert_eq!(ended.code(), code, "{about}");
        assert!(task.document("own.pb").is_some(), "{about}");
    }
}

#[test]
fn doctor_shows_each_setting_with_its_source() {
    let task = failing();
    let mut command = binary::command();
    command
        .args(["doctor", "--json", "--settle=3s", "--config"])
        .arg(task.site.work("own.yaml"))
        .env("COPILOT_MAX_CONNECTIONS", "5");
    let ended = binary::run(&mut command);
    let diagnosis: Value = serde_json::from_str(&ended.stdout).expect(&ended.stderr);
    let found = |subject: &str| {
        let mut findings = diagnosis["findings"].as_array().unwrap().iter();
        let finding = findings.find(|finding| finding["subject"] == subject);
        finding.unwrap_or_else(|| panic!("{subject}: {diagnosis:#}"))["found"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let file = task.site.work("own.yaml");
    let file = file.display();
    for (subject, expected) in [
        (
            "copilot.max-connections",
            "5 (from environment variable COPILOT_MAX_CONNECTIONS)".to_owned(),
        ),
        ("copilot.exit-code", format!("0 (from file {file}, line 2)")),
        ("copilot.settle", "3s (from its flag)".to_owned()),
    ] {
        assert_eq!(found(subject), expected);
    }
}

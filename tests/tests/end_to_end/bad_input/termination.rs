//! The message that Kubernetes shows of a failed container, and the last line of the log.

use std::fs;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use copilot::idl::SimpleType;
use copilot_tests::binary;
use copilot_tests::task::{Task, interface, simple};

#[test]
fn a_long_message_is_cut_to_what_kubernetes_keeps() {
    let task = Task::start().unwrap();
    let story = "è una lunga storia. ".repeat(5_000);
    task.write_output("_ERROR", &story);
    let log = task.site.work("termination-log");
    fs::write(&log, "from an earlier run").unwrap();
    let mut command = task.sidecar(&interface([("n", simple(SimpleType::Integer))]));
    let ended = binary::run(command.arg("--termination-log").arg(&log));
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let shown = fs::read_to_string(&log).unwrap();
    assert!(shown.len() <= 4096 && shown.len() > 4000, "{}", shown.len());
    let begin = "OutputUploadFailed (recoverable, user): User Error: è una lunga storia. ";
    assert!(shown.starts_with(begin), "{shown}");
    // The end of the log contains as much of it as Kubernetes would read from there.
    let words = ended.message().trim_end_matches('…');
    assert!(
        words.len() > 2000 && format!("Error: {shown}").starts_with(words),
        "{words}"
    );
    // The document contains all of it.
    let document = task.document("error.pb").unwrap();
    assert_eq!(document.message, format!("User Error: {story}"));
}

#[test]
fn the_file_is_never_created_and_contains_errors_in_settings_too() {
    let task = Task::start().unwrap();
    let log = task.site.work("termination-log");
    let mut command = task.download();
    let ended = binary::run(command.arg("--termination-log").arg(&log));
    assert_eq!(ended.code(), 1);
    assert!(!log.exists());

    fs::write(&log, "").unwrap();
    let mut command = task.download();
    command.args(["--storage.container="]);
    let ended = binary::run(command.arg("--termination-log").arg(&log));
    assert_eq!(ended.code(), 2, "{}", ended.stderr);
    let shown = fs::read_to_string(&log).unwrap();
    assert!(shown.contains("storage.container is empty"), "{shown}");
    assert_eq!(ended.message(), format!("Error: {shown}"));
}

/// At the most verbose level: no line follows the message.
#[test]
fn the_message_is_the_last_line_at_every_level() {
    let task = Task::start().unwrap();
    for level in 0..=5 {
        let mut command = task.download();
        let ended = binary::run(command.arg(format!("--logger.level={level}")));
        assert_eq!(ended.code(), 1);
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("Error: InputDownloadFailed "),
            "{}",
            ended.stderr
        );
    }
}

/// The reader of the log is gone: the exit code stays the same.
#[test]
fn a_closed_log_does_not_change_the_exit_code() {
    let task = Task::start().unwrap();
    let broken = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(OwnedFd::from(writer))
    };
    let mut command = task.download();
    command
        .arg("--logger.level=5")
        .stdout(broken())
        .stderr(broken());
    assert_eq!(command.status().unwrap().code(), Some(1));
    assert!(task.document("error.pb").is_some());
    for arguments in [&["--help"][..], &["--version"]] {
        let mut command = binary::command();
        command.args(arguments).stdout(broken()).stderr(broken());
        assert_eq!(command.status().unwrap().code(), Some(0), "{arguments:?}");
    }
}

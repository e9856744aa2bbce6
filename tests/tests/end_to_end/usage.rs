//! Where wrong usage is told: the table in `docs/tracking.md`, "When kubelet restarts the sidecar".

use std::fs;
use std::process::Command;

use copilot::idl::SimpleType;
use copilot::idl::container_error::Kind::NonRecoverable;
use copilot_tests::binary;
use copilot_tests::task::{Task, interface, simple};

/// A sidecar for an integer that main has written, with these words as well.
fn sidecar(task: &Task, words: &[&str]) -> Command {
    task.write_output("n", "1");
    let mut command = task.sidecar(&interface([("n", simple(SimpleType::Integer))]));
    command.args(words);
    command
}

#[test]
fn the_last_line_tells_it_always_and_the_rest_as_the_document_says() {
    for (words, has_message, has_document) in [
        (&["--fromat", "JSON"][..], false, false),
        (&["--timeout", "5"], false, false),
        (&["--watcher", "ebfp"], true, true),
        (&["--from-local-dir", ""], true, true),
        (&["--storage.container="], true, false),
        (
            &["--watcher=marker", "--from-local-dir=/nowhere"],
            true,
            false,
        ),
    ] {
        let task = Task::start().unwrap();
        let log = task.site.work("termination-log");
        fs::write(&log, "").unwrap();
        let mut command = sidecar(&task, words);
        let ended = binary::run(command.arg("--termination-log").arg(&log));
        assert_eq!(ended.code(), 2, "{words:?}: {}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("Error: "), "{words:?}: {last}");
        let message = fs::read_to_string(&log).unwrap();
        assert_eq!(!message.is_empty(), has_message, "{words:?}: {message}");
        assert!(last.ends_with(&message), "{words:?}: {message} {last}");
        let kind = task.document("error.pb").map(|document| document.kind());
        assert_eq!(kind, has_document.then_some(NonRecoverable), "{words:?}");
    }
}

#[test]
fn an_exit_code_of_0_counts_where_the_document_tells_it() {
    for (words, code) in [
        (&["--exit-code=0", "--watcher=ebfp"][..], 0),
        (&["--exit-code=0", "--fromat=JSON"], 2),
        (&["--exit-code=0", "--storage.container="], 2),
    ] {
        let task = Task::start().unwrap();
        let ended = binary::run(&mut sidecar(&task, words));
        assert_eq!(ended.code(), code, "{words:?}: {}", ended.stderr);
    }
}

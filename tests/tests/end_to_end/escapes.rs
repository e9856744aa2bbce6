//! Names and messages from outside are data: one event is one line, and nothing in it acts on a terminal.

use std::fs;
use std::process::Command;

use copilot::idl::SimpleType;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::binary::{self, Ended};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::task::{Task, blob, interface, simple};
use copilot_tests::values::map_of;
use serde_json::Value;

/// A name that ends a line, forges the next one, commands a terminal, and turns and hides what follows.
const NAME: &str =
    "a\n{\"level\":\"info\"}\r\x1b]0;x\x07\u{9b}31m\u{202e}b\u{200b}\u{2028}\u{feff}\t";

/// What it leaves in a line of text: no character of it acts.
const SHOWN: [&str; 2] = ["\\n{", "\\u{202e}b"];

const FORMS: [&str; 3] = ["json", "text", "gcp"];

/// Runs a command in each form of the log, with a termination log, and checks that every event is one harmless
/// line. Returns each run and its termination message.
fn in_each_form(mut command: impl FnMut() -> Command, task: &Task) -> Vec<(Ended, String)> {
    let runs = FORMS.map(|form| {
        let log = task.site.work("termination-log");
        fs::write(&log, "").unwrap();
        let mut command = command();
        command.args(["--logger.formatter.type", form, "--logger.level", "5"]);
        let ended = binary::run(command.arg("--termination-log").arg(&log));
        assert_harmless(&ended.stderr);
        let mut lines: Vec<&str> = ended.stderr.lines().collect();
        let last = lines.pop().unwrap_or_default();
        if ended.code() != 0 {
            assert!(last.starts_with("Error: "), "{}", ended.stderr);
        }
        for line in lines {
            let is_json = serde_json::from_str::<Value>(line).is_ok();
            let is_text = line.starts_with("20");
            assert!(
                if form == "text" { is_text } else { is_json },
                "{form}: {line}"
            );
        }
        let message = fs::read_to_string(log).unwrap();
        assert_harmless(&format!("{message}\n"));
        assert!(message.lines().count() <= 1, "{message:?}");
        (ended, message)
    });
    runs.into()
}

/// Only ends of lines act.
#[track_caller]
fn assert_harmless(text: &str) {
    let acts = |character: char| {
        character.is_control() && character != '\n'
            || ['\u{202e}', '\u{200b}', '\u{2028}', '\u{feff}'].contains(&character)
    };
    assert!(!text.contains(acts), "{text:?}");
}

#[track_caller]
fn assert_shown(text: &str) {
    for part in SHOWN {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_key_in_the_error_of_a_download() {
    let task = Task::start().unwrap();
    let uri = format!("s3://data/{NAME}");
    task.put_inputs([("x", blob(&uri, Single))]);
    for (ended, message) in in_each_form(|| task.download(), &task) {
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        let document = task.document("error.pb").unwrap();
        assert_harmless(&document.message);
        // References show some of these characters as a URL does.
        for text in [&message, ended.message(), &document.message] {
            assert!(text.contains("\\u{202e}b"), "{text}");
        }
    }
}

#[test]
fn a_name_of_an_input() {
    let task = Task::start().unwrap();
    task.put_inputs([(NAME, blob("s3://data/nothing-here", Multipart))]);
    for (ended, _) in in_each_form(|| task.download(), &task) {
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
    }
}

#[test]
fn a_file_name_of_main() {
    let task = Task::start().unwrap();
    task.write_output(&format!("m/{NAME}"), "no number");
    let outputs = interface([("m", map_of(simple(SimpleType::Integer)))]);
    for (ended, message) in in_each_form(|| task.sidecar(&outputs), &task) {
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        assert_shown(&message);
        let document = task.document("error.pb").unwrap();
        assert_harmless(&document.message);
    }
}

/// The document has main's own words as they are, as in the reference; nothing else does.
#[test]
fn an_error_file_of_main() {
    let task = Task::start().unwrap();
    task.write_output("_ERROR", NAME);
    let outputs = interface([("n", simple(SimpleType::Integer))]);
    for (ended, message) in in_each_form(|| task.sidecar(&outputs), &task) {
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        assert_shown(&message);
        let document = task.document("error.pb").unwrap();
        assert_eq!(document.message, format!("User Error: {NAME}"));
    }
}

#[test]
fn an_answer_of_a_server() {
    let task = Task::start().unwrap();
    let said =
        "<Error><Code>Odd\u{1b}[2J</Code><Message>a\n{}\r\u{9b}31m\u{202e}b</Message></Error>";
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        if seen.line.contains("inputs.pb") {
            return Fault::Say(403, said);
        }
        Fault::None
    })
    .unwrap();
    let endpoint = format!("endpoint={}", proxy.endpoint());
    let command = || {
        let mut command = task.download();
        command.args(["--storage.stow.config", &endpoint]);
        command
    };
    for (ended, message) in in_each_form(command, &task) {
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        assert!(message.contains("403"), "{message}");
    }
}

#[test]
fn an_argument() {
    let task = Task::start().unwrap();
    let flag = format!("--{NAME}");
    let command = || {
        let mut command = task.download();
        command.arg(&flag);
        command
    };
    for (ended, _) in in_each_form(command, &task) {
        assert_eq!(ended.code(), 2, "{}", ended.stderr);
    }
    let outputs = interface([("n", simple(SimpleType::Integer))]);
    for option in ["--main-container", "--watcher"] {
        task.write_output("n", "1");
        let command = || {
            let mut command = task.sidecar(&outputs);
            command.args([option, NAME]);
            command
        };
        in_each_form(command, &task);
    }
}

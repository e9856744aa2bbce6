//! What is checked of each failed run.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use copilot::idl::ContainerError;
use copilot::idl::container_error::Kind;
use copilot::idl::execution_error::ErrorKind as Origin;
use copilot_tests::binary::{self, Ended};
use copilot_tests::task::{DOCUMENTS, Task, files};

/// Within this a failure is told, its retries included: some seconds for the inputs, and as long for
/// each document. No measure of speed: what hangs takes for ever.
const SOON: Duration = Duration::from_mins(1);

/// Kind and origin of a failure.
pub type Class = (Kind, Origin);

/// The task is the cause; another try may help.
pub const PASSING: Class = (Kind::Recoverable, Origin::Unknown);
/// The same, but another try cannot help.
pub const LASTING: Class = (Kind::NonRecoverable, Origin::Unknown);
/// The platform is the cause, and another try may help.
pub const PLATFORM_PASSING: Class = (Kind::Recoverable, Origin::System);
/// The platform is the cause, and something must be changed before another try.
pub const PLATFORM_LASTING: Class = (Kind::NonRecoverable, Origin::System);

/// Checks a run that failed and reported it in the documents.
pub fn reported(task: &Task, command: &mut Command, class: Class, says: &[&str]) {
    let (ended, shown) = run(task, command);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let [first, second] = DOCUMENTS.map(|name| task.document(name).unwrap());
    assert_eq!(first, second);
    check(&ended, &shown, class, says);
    assert_eq!(class_of(&first), class, "{first:?}");
    assert!(shown.ends_with(&first.message), "{shown}\n{first:?}");
    nothing_left(task);
}

/// Checks a run that failed and could not write its documents.
pub fn unreported(task: &Task, command: &mut Command, class: Class, says: &[&str]) {
    let (ended, shown) = run(task, command);
    assert_eq!(ended.code(), 3, "{}", ended.stderr);
    assert!(
        shown.contains("; the error document could not be written: "),
        "{shown}"
    );
    for name in DOCUMENTS {
        assert_eq!(task.document(name), None, "{name}");
    }
    check(&ended, &shown, class, says);
    nothing_left(task);
}

fn run(task: &Task, command: &mut Command) -> (Ended, String) {
    let log = task.site.work("termination-log");
    fs::write(&log, "").unwrap();
    let begun = Instant::now();
    let ended = binary::run(command.arg("--termination-log").arg(&log));
    let took = begun.elapsed();
    assert!(took < SOON, "told after {took:?}: {}", ended.stderr);
    (ended, fs::read_to_string(log).unwrap())
}

fn check(ended: &Ended, shown: &str, class: Class, says: &[&str]) {
    let kind = match class.0 {
        Kind::Recoverable => "recoverable",
        Kind::NonRecoverable => "not recoverable",
    };
    let origin = match class.1 {
        Origin::Unknown => "",
        Origin::User => ", user",
        Origin::System => ", system",
    };
    let head = format!(" ({kind}{origin}): ");
    assert!(shown.contains(&head), "{head:?} is not in {shown}");
    assert!(ended.message().ends_with(shown), "{}", ended.message());
    for word in says {
        assert!(shown.contains(word), "{word:?} is not in {shown}");
    }
    assert!(!shown.contains("test-secret-key"), "{shown}");
}

fn class_of(error: &ContainerError) -> Class {
    (error.kind(), error.origin())
}

/// Checks that there are no unfinished files, no metadata without data, no results and no uploads.
fn nothing_left(task: &Task) {
    for name in files(&task.site.work("")).keys() {
        let unfinished = name.contains(".copilot-partial") || name.starts_with("inputs/inputs.");
        assert!(!unfinished, "{name} was left on disk");
    }
    for name in task.objects("task/out").keys() {
        assert!(DOCUMENTS.contains(&name.as_str()), "{name} was left");
    }
    let uploads = task.site.server.unfinished_uploads().unwrap();
    assert!(uploads.is_empty(), "{uploads:?}");
}

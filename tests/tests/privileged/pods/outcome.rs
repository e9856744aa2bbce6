//! What a scenario may expect of its outcome.

use copilot::idl::{literal, primitive, scalar};
use copilot_tests::task_pod::{OUTPUT, Outcome};

pub const FLYTE_NAMING: &str = "as Flyte names";
pub const OUTPUT_VOLUME: &str = "mounts the output directory";
pub const NAMED: &str = "named by --main-container";
pub const ELIMINATION: &str = "elimination";

/// The text that main left is committed, and there is no error document.
#[track_caller]
pub fn assert_uploaded(outcome: &Outcome, text: &str) {
    assert_eq!(outcome.sidecar.status.code(), Some(0), "{outcome:?}");
    assert!(outcome.error.is_none(), "{outcome:?}");
    let outputs = outcome.outputs.as_ref().expect("outputs.pb is written");
    let found = outputs.literals.get(OUTPUT);
    let Some(literal::Value::Scalar(scalar)) = found.and_then(|literal| literal.value.as_ref())
    else {
        panic!("a text is a scalar: {outcome:?}");
    };
    let Some(scalar::Value::Primitive(primitive)) = &scalar.value else {
        panic!("a text is a primitive: {outcome:?}");
    };
    let expected = primitive::Value::StringValue(text.to_owned());
    assert_eq!(primitive.value, Some(expected), "{outcome:?}");
}

/// The error document says `code` and, among other words, `words`; nothing is committed.
#[track_caller]
pub fn assert_reported(outcome: &Outcome, code: &str, words: &str) {
    assert_eq!(outcome.sidecar.status.code(), Some(1), "{outcome:?}");
    let error = outcome.error.as_ref().expect("a document is written");
    assert_eq!(error.code, code, "{outcome:?}");
    assert!(error.message.contains(words), "{outcome:?}");
    assert!(outcome.outputs.is_none(), "{outcome:?}");
}

/// `watcher` saw main begin and end, and main was found by the rule that says `found`.
#[track_caller]
pub fn assert_seen(outcome: &Outcome, watcher: &str, found: &str) {
    let timeline = &outcome.timeline;
    assert_eq!(timeline["watcher"], watcher, "{outcome:?}");
    let rule = timeline["main_found"].as_str().unwrap_or_default();
    assert!(rule.contains(found), "{outcome:?}");
    let at = |point: &str| timeline["timeline"][point].as_f64();
    let (attached, started, exited) = (at("attached"), at("started"), at("exited"));
    assert!(
        started.is_some() && attached <= exited && started <= exited,
        "{outcome:?}"
    );
}

/// How main ended, in the words of a watcher that can tell; the others say that they cannot.
#[track_caller]
pub fn assert_status(outcome: &Outcome, watcher: &str, words: &str) {
    let words = if tells_status(watcher) {
        words
    } else {
        "ended (how is not known)"
    };
    assert_eq!(outcome.timeline["status"], words, "{outcome:?}");
}

/// Whether a watcher learns how a process ended.
pub fn tells_status(watcher: &str) -> bool {
    watcher != "proc"
}

/// Lines of the sidecar's log that warn.
pub fn warnings(outcome: &Outcome) -> Vec<&str> {
    let lines = outcome.sidecar.log.lines();
    lines.filter(|line| line.contains("\"warning\"")).collect()
}

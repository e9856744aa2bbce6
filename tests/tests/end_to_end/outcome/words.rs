//! A failure that main reports in its own words, and its kind.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot::idl::{ContainerError, SimpleType, container_error::Kind, execution_error::ErrorKind};
use copilot_tests::binary::{self, Ended};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::task::{DOCUMENTS, Task, blob, interface, simple};

/// Runs a sidecar whose main wrote this to `_ERROR`; returns its result, the document under both names,
/// and the termination message.
fn told(content: &[u8]) -> (Ended, ContainerError, String) {
    let task = Task::start().unwrap();
    task.write_output("_ERROR", content);
    // It exists, but it is ignored.
    task.write_output("n", "1");
    let log = task.site.work("termination-log");
    fs::write(&log, "").unwrap();
    let mut command = task.sidecar(&interface([("n", simple(SimpleType::Integer))]));
    let ended = binary::run(command.arg("--termination-log").arg(&log));
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert_eq!(task.outputs(), None);
    let [first, second] = DOCUMENTS.map(|name| task.document(name).unwrap());
    assert_eq!(first, second);
    (ended, first, fs::read_to_string(log).unwrap())
}

#[test]
fn json_says_code_kind_and_origin() {
    let content = br#"{"code": "BadInput", "message": "no column \"x\"",
        "kind": "non-recoverable", "origin": "system"}"#;
    let (ended, document, shown) = told(content);
    assert_eq!(
        (document.code.as_str(), document.message.as_str()),
        ("BadInput", "no column \"x\"")
    );
    assert_eq!(
        (document.kind(), document.origin()),
        (Kind::NonRecoverable, ErrorKind::System)
    );
    let expected = "BadInput (not recoverable, system): no column \"x\"";
    assert_eq!(shown, expected);
    assert_eq!(ended.message(), format!("Error: {expected}"));
}

#[test]
fn fields_missing_in_json_are_as_with_text() {
    let (_, document, _) = told(br#"{"message": "it broke"}"#);
    assert_eq!(
        (document.code.as_str(), document.message.as_str()),
        ("OutputUploadFailed", "it broke")
    );
    assert_eq!(
        (document.kind(), document.origin()),
        (Kind::Recoverable, ErrorKind::User)
    );
}

#[test]
fn json_without_the_documented_form_is_text_and_the_log_says_why() {
    for (content, reason) in [
        (
            r#"{"message": "x", "kind": "fatal"}"#,
            "unknown variant `fatal`",
        ),
        (
            r#"{"message": "x", "origin": "cluster"}"#,
            "unknown variant `cluster`",
        ),
        (r#"{"error": "x"}"#, "unknown field `error`"),
        ("{ not JSON\n", "key must be a string"),
    ] {
        let (ended, document, _) = told(content.as_bytes());
        assert_eq!(document.message, format!("User Error: {content}"));
        assert_eq!(
            (document.code.as_str(), document.kind(), document.origin()),
            ("OutputUploadFailed", Kind::Recoverable, ErrorKind::User)
        );
        assert!(ended.stderr.contains(reason), "{}", ended.stderr);
    }
}

#[test]
fn a_document_says_when_and_where() {
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let (_, document, _) = told(b"it broke\n");
    let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seconds = document.timestamp.unwrap().seconds;
    let between =
        i64::try_from(before.as_secs()).unwrap()..=i64::try_from(after.as_secs()).unwrap();
    assert!(between.contains(&seconds), "{seconds}");
    let host = rustix::system::uname();
    assert_eq!(document.worker, host.nodename().to_str().unwrap());
}

/// The platform reads 2 MiB; each byte that is not UTF-8 becomes three.
#[test]
fn a_document_is_never_larger_than_the_platform_reads() {
    let (_, document, shown) = told(&vec![0xff; 1 << 20]);
    assert!(document.message.len() < 2 << 20);
    assert!(document.message.starts_with("User Error: \u{fffd}"));
    assert!(document.message.ends_with(" bytes left out)"));
    assert!(shown.len() <= 4096);
    // A smaller one is complete.
    let story = "è".repeat(1 << 19);
    let (_, document, _) = told(story.as_bytes());
    assert_eq!(document.message, format!("User Error: {story}"));
}

/// Without a termination message Kubernetes uses 2 KiB or 80 lines of the log.
#[test]
fn the_end_of_the_log_says_the_most_important() {
    for story in ["x".repeat(100_000), "x\n".repeat(1_000)] {
        let (ended, _, _) = told(story.as_bytes());
        let words = ended.message();
        assert!(words.len() < 2048 && words.lines().count() <= 80, "{words}");
        assert!(words.starts_with("Error: OutputUploadFailed (recoverable, user): User Error: x"));
        assert!(ended.stderr.trim_end().ends_with(words));
    }
}

/// A web address is the task's choice: the kind of its failure is the same as in the reference.
#[test]
fn the_store_is_not_blamed_for_the_web() {
    let task = Task::start().unwrap();
    let web = FaultProxy::start(task.site.server.address(), |_| Fault::Answer(403, "")).unwrap();
    let address = format!("{}/file", web.endpoint());
    task.put_inputs([("x", blob(&address, Single))]);
    let ended = binary::run(&mut task.download());
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let document = task.document("error.pb").unwrap();
    assert!(document.message.contains("403"), "{}", document.message);
    assert_eq!(
        (document.kind(), document.origin()),
        (Kind::Recoverable, ErrorKind::Unknown)
    );
}

/// Failures that only the store can cause are not the user's, and are not retried in vain.
#[test]
fn the_store_is_blamed_for_what_is_its_own() {
    let task = Task::start().unwrap();
    let proxy = FaultProxy::start(task.site.server.address(), |seen| {
        if seen.line == "GET /data/task/in/x" {
            return Fault::Answer(403, "");
        }
        Fault::None
    })
    .unwrap();
    task.put("task/in/x", "content");
    task.put_inputs([("x", blob("s3://data/task/in/x", Single))]);
    let mut command = task.download();
    let endpoint = format!("endpoint={}", proxy.endpoint());
    let ended = binary::run(command.args(["--storage.stow.config", &endpoint]));
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let document = task.document("error.pb").unwrap();
    assert_eq!(
        (document.kind(), document.origin()),
        (Kind::NonRecoverable, ErrorKind::System)
    );
    for part in ["input \"x\"", "s3://data/task/in/x", "access denied"] {
        assert!(document.message.contains(part), "{}", document.message);
    }
}

//! How a run is told at its end: one line for people, an object for machines, and a page; and the forms of the log.

use std::fs;

use copilot::idl::{SimpleType, primitive};
use copilot_tests::binary;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::task::{Task, blob_type, interface, simple};
use rustix::process::Signal;
use serde_json::Value;

/// A task whose download and sidecar succeed.
fn task() -> Task {
    let task = Task::start().unwrap();
    task.put_inputs([("n", primitive::Value::Integer(1).into())]);
    task.write_output("n", "1");
    task
}

/// The last line of a log of JSON.
#[track_caller]
fn last(log: &str) -> Value {
    let line = log.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {log}"))
}

#[test]
fn every_run_ends_with_one_line_and_an_object() {
    let task = task();
    let ended = binary::run(&mut task.download());
    let line = last(&ended.stderr);
    let message = line["msg"].as_str().unwrap();
    assert!(message.ends_with(" · committed"), "{message}");
    let told = &line["json"]["timeline"];
    assert_eq!(told["command"], "download", "{line}");
    assert!(told["since_start_ms"]["committed"].is_f64(), "{line}");
    assert!(told["transfer_ms"].is_f64(), "{line}");

    let declared = interface([("n", simple(SimpleType::Integer))]);
    let ended = binary::run(&mut task.sidecar(&declared));
    let message = last(&ended.stderr)["msg"].as_str().unwrap().to_owned();
    assert!(message.starts_with("attached "), "{message}");
    assert!(message.ends_with(" · committed"), "{message}");
    // The last line of a failure is its message; this one is before it.
    let ended = binary::run(
        task.sidecar(&declared)
            .args(["--from-local-dir", "/nowhere"]),
    );
    assert_eq!(ended.code(), 1);
    ended.assert_logged(&["· failed: OutputUploadFailed"]);
}

#[test]
fn a_directory_or_a_prefix_gets_the_object_and_a_page() {
    let task = task();
    let place = task.site.work("times");
    fs::create_dir(&place).unwrap();
    let prefix = "s3://data/task/times";
    for to in [place.to_str().unwrap(), prefix] {
        let ended = binary::run(task.download().args(["--timeline", to]));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        assert!(!ended.stderr.contains("cannot write"), "{}", ended.stderr);
    }
    let mut left = task.objects("task/times");
    for name in ["timeline.json", "timeline.html"] {
        let stored = left
            .remove(name)
            .unwrap_or_else(|| panic!("{name} is not in the store"));
        for text in [fs::read(place.join(name)).unwrap(), stored] {
            let text = String::from_utf8(text).unwrap();
            match name {
                "timeline.json" => {
                    let told: Value = serde_json::from_str(&text).unwrap();
                    assert_eq!(told["copilot_exit_code"], 0, "{told}");
                }
                _ => assert!(text.starts_with("<!doctype html>") && text.contains("committed")),
            }
        }
    }
    // A place that cannot be written costs a warning.
    let ended = binary::run(task.download().args(["--timeline", "s3://elsewhere/x"]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    ended.assert_logged(&["cannot write the timeline"]);
}

/// The log says the reason in its last line, and not twice; the files have no such line.
#[test]
fn the_page_begins_with_the_failure() {
    let task = task();
    let place = task.site.work("times");
    fs::create_dir(&place).unwrap();
    let declared = interface([("missing", simple(SimpleType::Integer))]);
    let ended = binary::run(
        task.sidecar(&declared)
            .args(["--timeline", place.to_str().unwrap()]),
    );
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let page = fs::read_to_string(place.join("timeline.html")).unwrap();
    let (head, _) = page.split_once("</header>").unwrap();
    assert!(head.contains("Failed: OutputUploadFailed"), "{head}");
    assert!(head.contains("missing"), "{head}");
    let told = fs::read(place.join("timeline.json")).unwrap();
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert!(told["failure_message"].is_string(), "{told}");
    assert!(told["began_at"].is_string(), "{told}");
    assert!(
        !ended.stderr.contains("failure_message"),
        "{}",
        ended.stderr
    );
}

/// The binary under test has no spans. Those of a build that has them: `copilot/tests/otlp`.
#[test]
fn who_asks_for_spans_that_are_not_built_in_is_told() {
    let task = task();
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "no address"),
    ] {
        let ended = binary::run(task.download().env(variable, value));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let said = ended.stderr.matches("spans are not sent").count();
        assert_eq!(said, 1, "{}", ended.stderr);
        ended.assert_logged(&[variable, "without the feature otlp"]);
    }
}

#[test]
fn the_log_has_the_form_that_is_asked_for() {
    let task = task();
    let run = |arguments: &[&str]| {
        let ended = binary::run(task.download().args(arguments));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        ended.stderr
    };
    // Not a terminal.
    assert_eq!(last(&run(&[]))["level"], "info");
    let line = last(&run(&["--log-format", "gcp"]));
    assert_eq!(line["severity"], "INFO", "{line}");
    assert!(line["data"]["timeline"].is_object(), "{line}");
    let log = run(&["--logger.formatter.type=json", "--log-format=text"]);
    let line = log.lines().last().unwrap();
    assert!(
        line.contains("Z  INFO ") && line.ends_with(" · committed"),
        "{line}"
    );
    assert!(!log.contains("since_start_ms"), "{log}");
    let committed = log
        .lines()
        .find(|line| line.contains("inputs are in place"));
    assert!(committed.unwrap().contains(" objects=0"), "{log}");
}

/// Kubelet kills some time after SIGTERM: the upload ends before, so the document is still written.
#[test]
fn after_sigterm_the_upload_ends_before_kubelet_kills() {
    let task = Task::start().unwrap();
    task.write_output("f", "data");
    let proxy = FaultProxy::start(task.site.server.address(), |seen| {
        // Data never arrives; error documents do.
        if seen.line.contains("/raw/") {
            Fault::StallAfter(0)
        } else {
            Fault::None
        }
    })
    .unwrap();
    let declared = interface([(
        "f",
        blob_type(copilot::idl::blob_type::BlobDimensionality::Single),
    )]);
    let endpoint = format!("endpoint={}", proxy.endpoint());
    let mut command = binary::command();
    command
        .args(task.site.server.flags("data"))
        .args(task.sidecar_arguments(&declared))
        .args(["--storage.stow.config", &endpoint])
        .args(["--watcher=signal", "--timeout=4s"]);
    let mut sidecar = binary::Running::start(&mut command);
    sidecar.watches();
    sidecar.signal(Signal::TERM);
    let ended = sidecar.ended();
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let message = task.document("error.pb").unwrap().message;
    assert!(
        message.contains("kubelet stops this container"),
        "{message}"
    );
    assert_eq!(task.outputs(), None);
}

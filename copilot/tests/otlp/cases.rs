//! Runs that end well and badly, with collectors that do.

use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use crate::collector::{Collector, Export, Reply};
use crate::run::{Ended, Task};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

#[track_caller]
fn named<'a>(export: &'a Export, name: &str) -> &'a Span {
    let found = export.spans.iter().find(|span| span.name == name);
    found.unwrap_or_else(|| panic!("{name}: {:?}", export.spans))
}

fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_nanos()).unwrap()
}

#[test]
fn a_download_is_a_trace() {
    let collector = Collector::start(|_| Reply::taken());
    let before = nanoseconds(SystemTime::now());
    let ended = Task::new().download(&[
        (ENDPOINT, &collector.endpoint()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a%20secret%20key"),
        ("OTEL_SERVICE_NAME", "inputs"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
        (
            "TRACEPARENT",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ]);
    let after = nanoseconds(SystemTime::now());
    ended.assert(0, "committed");
    assert!(!ended.log.contains("spans"), "{}", ended.log);

    let export = collector.only();
    assert_eq!(export.line, "POST /v1/traces HTTP/1.1");
    assert_eq!(
        export.header("content-type"),
        Some("application/x-protobuf")
    );
    assert_eq!(export.header("x-team"), Some("a secret key"));
    assert_eq!(export.attribute("service.name"), Some("inputs"));
    assert_eq!(export.attribute("deployment.environment"), Some("test"));
    assert!(export.attribute("host.name").is_some());

    let root = named(&export, "copilot download");
    assert_eq!(
        root.trace_id,
        0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes()
    );
    assert_eq!(root.parent_span_id, 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
    // Two clocks are read one after the other.
    let slack = 5_000_000;
    assert!(root.start_time_unix_nano + slack >= before, "{root:?}");
    assert!(root.end_time_unix_nano <= after + slack, "{root:?}");
    for name in ["inputs", "transfer", "commit"] {
        let span = named(&export, name);
        assert_eq!(span.parent_span_id, root.span_id, "{name}");
        assert_eq!(span.trace_id, root.trace_id, "{name}");
        assert!(
            span.start_time_unix_nano >= root.start_time_unix_nano,
            "{name}"
        );
        assert!(
            span.end_time_unix_nano >= span.start_time_unix_nano,
            "{name}"
        );
        assert!(span.end_time_unix_nano <= root.end_time_unix_nano, "{name}");
    }
    let keys = |span: &Span| -> Vec<String> {
        let keys = span.attributes.iter();
        keys.map(|pair| pair.key.clone()).collect()
    };
    assert!(keys(named(&export, "transfer")).contains(&"copilot.bytes".to_owned()));
    assert!(keys(root).contains(&"copilot.peak_rss_bytes".to_owned()));
}

#[test]
fn a_failure_is_the_status_of_the_run_and_of_its_part() {
    let collector = Collector::start(|_| Reply::taken());
    let endpoint = format!("{}/spans", collector.endpoint());
    let ended = Task::new().sidecar(&[
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint),
        (ENDPOINT, "http://127.0.0.1:9"),
    ]);
    ended.assert(1, "OutputUploadFailed");
    let export = collector.only();
    assert_eq!(export.line, "POST /spans HTTP/1.1");
    assert_eq!(export.attribute("service.name"), Some("copilot"));
    for name in ["copilot sidecar", "upload"] {
        let status = named(&export, name).status.clone().unwrap();
        assert_eq!(status.code(), StatusCode::Error, "{name}");
        assert!(
            status.message.starts_with("OutputUploadFailed: "),
            "{name}: {status:?}"
        );
    }
    let attach = named(&export, "attach");
    assert!(
        attach
            .status
            .as_ref()
            .is_none_or(|status| status.code() == StatusCode::Unset)
    );
}

/// Whatever the collector does, the run ends as without it. A warning says why.
#[test]
fn a_collector_that_fails_costs_one_warning() {
    type Answer = fn(usize) -> Reply;
    for (answer, limit, words) in [
        (
            (|_| Reply::new(401, b"you sent a-secret-team-key")) as Answer,
            "9000",
            "HTTP 401",
        ),
        (
            |_| Reply::silence(),
            "400",
            "did not take them within 400 ms",
        ),
        (|_| Reply::hangup(), "9000", "3 attempts"),
        (
            |_| Reply::refusing(3, "a full disk"),
            "9000",
            "refuses 3 of them: a full disk",
        ),
    ] {
        let collector = Collector::start(answer);
        let variables = [
            (ENDPOINT, &*collector.endpoint()),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a-secret-team-key"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", limit),
        ];
        let task = Task::new();
        for (ended, code, last) in [
            (task.download(&variables), 0, "spans are not sent"),
            (task.sidecar(&variables), 1, "Error: OutputUploadFailed"),
        ] {
            ended.assert(code, last);
            assert!(ended.warning().contains(words), "{words}: {}", ended.log);
            assert!(!ended.log.contains("a-secret-team-key"), "{}", ended.log);
        }
    }
    let ended = Task::new().download(&[(ENDPOINT, "http://127.0.0.1:9")]);
    ended.assert(0, "spans are not sent");
}

#[test]
fn a_collector_that_is_busy_is_asked_again() {
    let collector = Collector::start(|index| match index {
        0 => Reply::new(503, b""),
        _ => Reply::taken(),
    });
    let ended = Task::new().download(&[(ENDPOINT, &collector.endpoint())]);
    ended.assert(0, "committed");
    assert_eq!(collector.exports().len(), 2);
}

#[test]
fn a_setting_that_cannot_be_used_is_named() {
    for (variable, value, words) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf only"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2s", "milliseconds"),
        (
            ENDPOINT,
            "collector:4318",
            "write for example http://collector:4318",
        ),
    ] {
        let mut variables = vec![(variable, value)];
        if variable != ENDPOINT {
            variables.push((ENDPOINT, "http://127.0.0.1:9"));
        }
        let ended = Task::new().download(&variables);
        ended.assert(0, "spans are not sent");
        let warning = ended.warning();
        assert!(
            warning.contains(variable) && warning.contains(words),
            "{warning}"
        );
    }
}

#[test]
fn nobody_asks_for_spans() {
    let collector = Collector::start(|_| Reply::taken());
    for more in [
        [("OTEL_SDK_DISABLED", "true")],
        [("OTEL_TRACES_EXPORTER", "none")],
        [("OTEL_TRACES_SAMPLER", "always_off")],
    ] {
        let endpoint = collector.endpoint();
        let variables = [&more[..], &[(ENDPOINT, &*endpoint)]].concat();
        let ended: Ended = Task::new().download(&variables);
        ended.assert(0, "committed");
    }
    assert_eq!(collector.exports().len(), 0);
}

/// Kubelet stops the container while the collector is silent.
#[test]
fn sigterm_ends_the_wait_for_a_collector() {
    let collector = Collector::start(|_| Reply::silence());
    let task = Task::new();
    let running = task.start_download(&[(ENDPOINT, &collector.endpoint())]);
    collector.wait_for_a_request();
    let asked = std::time::Instant::now();
    running.terminate();
    let ended = running.ended();
    ended.assert(0, "spans are not sent");
    // Far more than the second that the export has left.
    assert!(asked.elapsed() < Duration::from_mins(1));
}

use serde_json::json;

use super::*;
use crate::report::{Failure, Timeline};
use crate::track::Timestamp;

const BEGAN: Duration = Duration::from_secs(1_700_000_000);

fn timeline(points: &[(&str, u64)], facts: &[(&str, Value)]) -> Timeline {
    let mut timeline = Timeline::begin(Timestamp(0));
    for (name, milliseconds) in points {
        timeline.mark_at(name, Timestamp(milliseconds * 1_000_000));
    }
    for (name, value) in facts {
        timeline.note(name, value.clone());
    }
    timeline
}

fn sidecar() -> Timeline {
    timeline(
        &[
            ("attached", 10),
            ("started", 40),
            ("exited", 90),
            ("settled", 91),
            ("uploaded", 95),
            ("committed", 99),
            ("ended", 100),
        ],
        &[
            ("command", json!("sidecar")),
            ("began_at", json!("2026-11-30T14:03:22Z")),
            ("watcher", json!("ebpf")),
            ("main", json!(["primary"])),
            ("exit_code", json!(0)),
            ("bytes", json!(1024)),
            ("transfer_ms", json!(3.5)),
            ("peak_rss_bytes", json!(2048)),
        ],
    )
}

fn made(timeline: &Timeline, environment: &[(&str, &str)]) -> Vec<SpanData> {
    let pairs = environment.iter();
    let environment: Environment = pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    spans(
        timeline,
        SystemTime::UNIX_EPOCH + BEGAN,
        &parent(&environment),
    )
}

#[track_caller]
fn named<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    let found = spans.iter().find(|span| span.name == name);
    found.unwrap_or_else(|| panic!("{name}: {spans:?}"))
}

/// Milliseconds from the beginning of the run to the beginning and to the end of a span.
fn times(span: &SpanData) -> (u128, u128) {
    let since = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH + BEGAN).unwrap();
    (
        since(span.start_time).as_millis(),
        since(span.end_time).as_millis(),
    )
}

fn attributes(span: &SpanData) -> Vec<String> {
    let pairs = span.attributes.iter();
    let mut pairs: Vec<String> = pairs
        .map(|pair| format!("{}={}", pair.key, pair.value))
        .collect();
    pairs.sort();
    pairs
}

#[test]
fn a_run_is_one_span_with_its_parts_beneath_it() {
    let spans = made(&sidecar(), &[]);
    let root = named(&spans, "copilot sidecar");
    assert_eq!(root.parent_span_id, SpanId::INVALID);
    assert_eq!(times(root), (0, 100));
    for (name, expected) in [
        ("attach", (0, 10)),
        ("wait", (10, 40)),
        ("main", (40, 90)),
        ("settle", (90, 91)),
        ("upload", (91, 95)),
        ("commit", (95, 99)),
    ] {
        let span = named(&spans, name);
        assert_eq!(times(span), expected, "{name}");
        assert_eq!(span.parent_span_id, root.span_context.span_id(), "{name}");
        assert_eq!(span.span_context.trace_id(), root.span_context.trace_id());
        assert_eq!(span.status, Status::Unset, "{name}");
    }
    assert_eq!(spans.len(), 7);
}

#[test]
fn facts_stand_where_they_belong_and_have_their_units() {
    let spans = made(&sidecar(), &[]);
    assert_eq!(
        attributes(named(&spans, "copilot sidecar")),
        ["copilot.peak_rss_bytes=2048", "copilot.watcher=ebpf"]
    );
    assert_eq!(
        attributes(named(&spans, "upload")),
        ["copilot.bytes=1024", "copilot.transfer_ms=3.5"]
    );
    assert_eq!(
        attributes(named(&spans, "main")),
        ["copilot.exit_code=0", "copilot.main=[\"primary\"]"]
    );
}

#[test]
fn a_failed_main_sets_the_status() {
    let mut timeline = timeline(
        &[
            ("attached", 10),
            ("started", 40),
            ("exited", 90),
            ("settled", 91),
            ("ended", 95),
        ],
        &[("command", json!("sidecar")), ("exit_code", json!(3))],
    );
    timeline.note_failure(&Failure {
        code: "MainFailed".into(),
        ..Failure::from_upload("main exited with code 3")
    });
    let spans = made(&timeline, &[]);
    let status = Status::error("MainFailed: main exited with code 3");
    for name in ["copilot sidecar", "main"] {
        let span = named(&spans, name);
        assert_eq!(span.status, status, "{name}");
        assert!(
            attributes(span).contains(&"error.type=MainFailed".to_owned()),
            "{name}: {span:?}"
        );
    }
    assert_eq!(named(&spans, "attach").status, Status::Unset);
    assert_eq!(times(named(&spans, "report")), (91, 95));
}

#[test]
fn a_run_is_a_part_of_the_one_that_traceparent_names() {
    const OURS: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let spans = made(&sidecar(), &[("TRACEPARENT", OURS)]);
    let root = named(&spans, "copilot sidecar");
    let trace = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap();
    assert_eq!(root.span_context.trace_id(), trace);
    assert_eq!(
        root.parent_span_id,
        SpanId::from_hex("b7ad6b7169203331").unwrap()
    );
    let main = named(&spans, "main");
    assert_eq!(main.parent_span_id, root.span_context.span_id());
    // The sampler of the parent decided against it.
    let unsampled = OURS.replace("-01", "-00");
    assert_eq!(made(&sidecar(), &[("TRACEPARENT", &unsampled)]), []);
    // What is not one begins a trace of its own (W3C Trace Context, 2.3).
    let spans = made(&sidecar(), &[("TRACEPARENT", "00-nonsense")]);
    assert_eq!(
        named(&spans, "copilot sidecar").parent_span_id,
        SpanId::INVALID
    );
}

#[test]
fn a_download_has_its_own_parts() {
    let timeline = timeline(
        &[
            ("inputs", 5),
            ("transferred", 50),
            ("committed", 52),
            ("ended", 53),
        ],
        &[("command", json!("download")), ("objects", json!(4))],
    );
    let spans = made(&timeline, &[]);
    assert_eq!(times(named(&spans, "copilot download")), (0, 53));
    assert_eq!(attributes(named(&spans, "transfer")), ["copilot.objects=4"]);
    assert_eq!(times(named(&spans, "inputs")), (0, 5));
}

//! From a timeline to spans: one for the run, and beneath it one for each of its parts. Pure, apart from random ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    SpanBuilder, SpanId, SpanKind, Status, TraceContextExt as _, TraceId, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{IdGenerator, SdkTracerProvider, Span, SpanData, SpanProcessor};
use serde_json::Value;

use crate::report::{Phase, Timeline, phases};
use crate::store::Environment;

/// Facts that belong to a part of the run, with its name. All others belong to the run.
const PLACES: [(&str, &[&str]); 8] = [
    ("status", &["main", "wait"]),
    ("exit_code", &["main", "wait"]),
    ("main", &["main"]),
    ("main_found", &["main"]),
    ("objects", &["upload", "transfer"]),
    ("bytes", &["upload", "transfer"]),
    ("retries", &["upload", "transfer"]),
    ("transfer_ms", &["upload", "transfer"]),
];

/// Facts that a span has a field of its own for.
const ELSEWHERE: [&str; 4] = ["command", "began_at", "failure", "failure_message"];

/// The run that this one is a part of, if `TRACEPARENT` names one (W3C Trace Context; OpenTelemetry specification,
/// "Environment Variables as Context Propagation Carriers").
pub(super) fn parent(environment: &Environment) -> Context {
    let names = [("traceparent", "TRACEPARENT"), ("tracestate", "TRACESTATE")];
    let carrier: HashMap<String, String> = names
        .into_iter()
        .filter_map(|(key, name)| Some((key.to_owned(), environment.get(name)?.to_owned())))
        .collect();
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
}

/// Who sends: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, else `copilot`.
pub(super) fn resource() -> Resource {
    const SERVICE: &str = "service.name";
    let named = Resource::builder().build();
    let name = named.get(&SERVICE.into()).map(|name| name.to_string());
    let is_unnamed = name.is_none_or(|name| name.starts_with("unknown_service"));
    let name = rustix::system::uname();
    let host = name.nodename().to_string_lossy().into_owned();
    let ours = [
        is_unnamed.then(|| KeyValue::new(SERVICE, "copilot")),
        missing(&named, "service.version", env!("CARGO_PKG_VERSION")),
        // In a pod, its name.
        missing(&named, "host.name", &host),
    ];
    Resource::builder()
        .with_attributes(ours.into_iter().flatten())
        .build()
}

fn missing(resource: &Resource, key: &'static str, value: &str) -> Option<KeyValue> {
    let is_missing = resource.get(&key.into()).is_none();
    is_missing.then(|| KeyValue::new(key, value.to_owned()))
}

/// The spans of a run that began at this time by the clock. None if the sampler (`OTEL_TRACES_SAMPLER`) or the parent
/// wants none.
pub(super) fn spans(timeline: &Timeline, began_at: SystemTime, parent: &Context) -> Vec<SpanData> {
    let collected = Collected::default();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(collected.clone())
        .with_id_generator(Ids)
        .build();
    let scope = InstrumentationScope::builder("copilot").with_version(env!("CARGO_PKG_VERSION"));
    let tracer = provider.tracer_with_scope(scope.build());
    let run = Run {
        timeline,
        began_at,
        phases: phases(timeline),
    };
    let root = tracer.build_with_context(run.root(), parent);
    let root = parent.with_span(root);
    for phase in &run.phases {
        let mut span = tracer.build_with_context(run.part(phase), &root);
        if phase.is_failed {
            opentelemetry::trace::Span::set_status(&mut span, run.failure());
        }
        opentelemetry::trace::Span::end_with_timestamp(&mut span, run.at(phase.end_ms));
    }
    if timeline.facts().contains_key("failure") {
        root.span().set_status(run.failure());
    }
    root.span().end_with_timestamp(run.at(run.end_ms()));
    drop(root);
    collected.take()
}

struct Run<'a> {
    timeline: &'a Timeline,
    began_at: SystemTime,
    phases: Vec<Phase>,
}

impl Run<'_> {
    fn root(&self) -> SpanBuilder {
        let command = self.text("command").unwrap_or("run");
        let is_failed = self.text("failure").is_some();
        let attributes = self.attributes(None, is_failed);
        self.span(format!("copilot {command}"), 0.0, attributes)
    }

    fn part(&self, phase: &Phase) -> SpanBuilder {
        let attributes = self.attributes(Some(phase.name), phase.is_failed);
        self.span(phase.name.to_owned(), phase.begin_ms, attributes)
    }

    /// The facts that belong to a part of the run, or to the run itself.
    fn attributes(&self, part: Option<&str>, is_failed: bool) -> Vec<KeyValue> {
        let facts = self.timeline.facts().iter();
        let mine = facts
            .filter(|(name, _)| !ELSEWHERE.contains(&name.as_str()) && self.place(name) == part);
        let attributes = mine.filter_map(|(name, value)| attribute(name, value));
        let code = self.text("failure").filter(|_| is_failed);
        let code = code.map(|code| KeyValue::new("error.type", code.to_owned()));
        attributes.chain(code).collect()
    }

    fn span(&self, name: String, begin_ms: f64, attributes: Vec<KeyValue>) -> SpanBuilder {
        SpanBuilder::from_name(name)
            .with_kind(SpanKind::Internal)
            .with_start_time(self.at(begin_ms))
            .with_attributes(attributes)
    }

    /// The part that a fact belongs to, if the run has it.
    fn place(&self, fact: &str) -> Option<&'static str> {
        let (_, places) = PLACES.iter().find(|(name, _)| *name == fact)?;
        let mut places = places.iter().copied();
        places.find(|place| self.phases.iter().any(|phase| phase.name == *place))
    }

    fn text(&self, fact: &str) -> Option<&str> {
        self.timeline.facts().get(fact)?.as_str()
    }

    fn failure(&self) -> Status {
        let code = self.text("failure").unwrap_or_default();
        let message = self.text("failure_message").unwrap_or_default();
        Status::error(format!("{code}: {message}"))
    }

    /// When the run ended, in milliseconds since its beginning.
    fn end_ms(&self) -> f64 {
        let ends = self.phases.iter().map(|phase| phase.end_ms);
        ends.chain(self.timeline.at("ended")).fold(0.0, f64::max)
    }

    /// The time by the clock, this number of milliseconds after the beginning.
    fn at(&self, milliseconds: f64) -> SystemTime {
        self.began_at + Duration::from_secs_f64(milliseconds.max(0.0) / 1e3)
    }
}

/// A fact as an attribute. Its name ends in a unit if it has one.
fn attribute(name: &str, value: &Value) -> Option<KeyValue> {
    let key = format!("copilot.{name}");
    let value: opentelemetry::Value = match value {
        Value::String(text) => text.clone().into(),
        Value::Bool(is_true) => (*is_true).into(),
        Value::Number(number) => match number.as_i64() {
            Some(count) => count.into(),
            None => number.as_f64()?.into(),
        },
        Value::Array(items) => {
            let texts = items.iter().map(|item| match item.as_str() {
                Some(text) => text.to_owned().into(),
                None => item.to_string().into(),
            });
            opentelemetry::Value::Array(opentelemetry::Array::String(texts.collect()))
        }
        Value::Null | Value::Object(_) => return None,
    };
    Some(KeyValue::new(key, value))
}

/// Random ids. The library's own generator is another one than ours, and panics if it finds no randomness; ours was set
/// up when the process began.
#[derive(Clone, Copy, Debug)]
struct Ids;

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        rand::random::<u128>().max(1).into()
    }

    fn new_span_id(&self) -> SpanId {
        rand::random::<u64>().max(1).into()
    }
}

/// Keeps the spans that the sampler wants.
#[derive(Clone, Debug, Default)]
struct Collected(Arc<Mutex<Vec<SpanData>>>);

impl Collected {
    fn take(&self) -> Vec<SpanData> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SpanProcessor for Collected {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spans.push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[cfg(test)]
mod tests;

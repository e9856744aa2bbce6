//! The export: one request, in bounded time.

use std::time::Duration;

use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::trace::SpanExporter as _;

use super::collector::Collector;
use super::error::OtlpError;
use super::setting::Target;
use super::spans::{parent, resource, spans};
use crate::report::Timeline;
use crate::store::Environment;

/// The longest time for an export. The run is over, and kubelet may be waiting for us.
const LIMIT: Duration = Duration::from_secs(3);

/// Sends the spans of a run that has ended, if the environment names a collector. Returns how many were sent.
///
/// # Errors
/// Why they were not sent.
pub async fn export(timeline: &Timeline, environment: &Environment) -> Result<usize, OtlpError> {
    let Some(target) = Target::read(environment)? else {
        return Ok(0);
    };
    let batch = spans(timeline, timeline.began_at(), &parent(environment));
    if batch.is_empty() {
        return Ok(0);
    }
    let limit = target.timeout.min(LIMIT);
    let collector = Collector::new(&target, limit);
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(collector.clone())
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(target.endpoint.to_string())
        .with_timeout(limit)
        // The client repeats requests.
        .with_retry_policy(RetryPolicy::disabled())
        .build()?;
    exporter.set_resource(&resource());
    let count = batch.len();
    match tokio::time::timeout(limit, exporter.export(batch)).await {
        Err(_) => Err(OtlpError::Timeout(limit)),
        Ok(Err(error)) => Err(collector.failure().unwrap_or(error.into())),
        Ok(Ok(())) => Ok(count),
    }
}

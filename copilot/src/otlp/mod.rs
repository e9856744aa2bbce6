//! Spans of a run, sent by OTLP over HTTP to the collector that the environment names (`OTEL_EXPORTER_OTLP_ENDPOINT`).
//!
//! `setting` reads the variables. With the cargo feature `otlp`, `spans` turns a timeline into spans, which is pure, and
//! `export` sends them: once, in bounded time, through the HTTP client of the stores (`collector`). Without it, `absent`
//! says that it is not there. Never here: what happens in a run, and what fails it. Called by `command` when a download
//! or a sidecar has ended.

#[cfg(not(feature = "otlp"))]
mod absent;
#[cfg(feature = "otlp")]
mod collector;
mod error;
#[cfg(feature = "otlp")]
mod export;
mod setting;
#[cfg(feature = "otlp")]
mod spans;

#[cfg(not(feature = "otlp"))]
pub use absent::export;
pub use error::OtlpError;
#[cfg(feature = "otlp")]
pub use export::export;
pub use setting::{SettingError, Target};

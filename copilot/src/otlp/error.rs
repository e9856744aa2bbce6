//! Why the spans of a run were not sent.

use thiserror::Error;

#[cfg(feature = "otlp")]
use super::setting::SettingError;
#[cfg(feature = "otlp")]
use crate::store::RequestFailure;

/// Why the spans of a run were not sent.
#[derive(Debug, Error)]
pub enum OtlpError {
    /// A variable asks for them, and this build cannot send them.
    #[cfg(not(feature = "otlp"))]
    #[error("{0} is set, and this copilot was built without the feature otlp")]
    NotBuilt(&'static str),
    /// A variable has a value that cannot be used.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The exporter refuses its settings.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    SetUp(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The collector did not take them.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Request(#[from] RequestFailure),
    /// The answer broke.
    #[cfg(feature = "otlp")]
    #[error("the collector's answer cannot be read: {0}")]
    Answer(#[from] object_store::client::HttpError),
    /// The collector took some of them only.
    #[cfg(feature = "otlp")]
    #[error("the collector refuses {count} of them: {reason}")]
    Rejected {
        /// How many it refuses.
        count: i64,
        /// Its own words.
        reason: String,
    },
    /// The time is over.
    #[cfg(feature = "otlp")]
    #[error("the collector did not take them within {} ms", .0.as_millis())]
    Timeout(std::time::Duration),
    /// The exporter failed otherwise.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Exporter(#[from] opentelemetry_sdk::error::OTelSdkError),
}

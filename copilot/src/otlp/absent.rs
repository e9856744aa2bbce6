//! In a build without the feature `otlp`.

use std::future::{Ready, ready};

use super::error::OtlpError;
use super::setting::Target;
use crate::report::Timeline;
use crate::store::Environment;

/// Sends nothing.
///
/// # Errors
/// The environment names a collector.
pub fn export(_: &Timeline, environment: &Environment) -> Ready<Result<usize, OtlpError>> {
    ready(match Target::read(environment) {
        Ok(None) => Ok(0),
        Ok(Some(target)) => Err(OtlpError::NotBuilt(target.variable)),
        Err(error) => Err(OtlpError::NotBuilt(error.variable)),
    })
}

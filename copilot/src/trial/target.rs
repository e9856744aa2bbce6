//! Where `--to` puts outputs: the same objects as those of a sidecar, below one prefix.

use std::path::absolute;

use super::error::TrialError;
use crate::report::document_names;
use crate::store::Reference;

/// Where `--to` puts outputs.
pub(super) struct Target {
    /// The prefix as references begin.
    pub(super) prefix: String,
    /// Beneath which data goes.
    pub(super) raw: String,
    /// `outputs.pb`.
    pub(super) commit: Reference,
    /// Error documents of earlier runs.
    pub(super) stale: Vec<Reference>,
}

impl Target {
    /// From a reference, or a directory of this machine.
    pub(super) fn new(to: &str) -> Result<Self, TrialError> {
        let prefix = if to.contains("://") {
            to.to_owned()
        } else {
            let path = absolute(to).map_err(|cause| TrialError::Directory {
                path: to.into(),
                rule: "(--to) cannot be used",
                cause,
            })?;
            format!("file://{}", path.display())
        };
        let reference = Reference::data_prefix(&prefix).map_err(TrialError::To)?;
        let join = |name: &str| reference.join(&[name]).map_err(TrialError::To);
        let stale = document_names(None).into_iter().map(join);
        Ok(Self {
            raw: join("raw")?.to_string(),
            commit: join("outputs.pb")?,
            stale: stale.collect::<Result<_, _>>()?,
            prefix: reference.to_string(),
        })
    }
}

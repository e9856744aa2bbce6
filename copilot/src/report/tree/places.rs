//! Where the documents of a run lie.

use super::{FAILURE, MANIFEST};
use crate::store::{Reference, ReferenceError};

/// A prefix of files, and the documents of the run that wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreePlaces {
    /// The prefix.
    pub prefix: Reference,
    /// `manifest.json`.
    pub manifest: Reference,
    /// `failure.json`.
    pub failure: Reference,
}

impl TreePlaces {
    /// The places below a prefix.
    ///
    /// # Errors
    /// The text is not a prefix.
    pub fn below(prefix: &str) -> Result<Self, ReferenceError> {
        let prefix = Reference::prefix(prefix)?;
        Ok(Self {
            manifest: prefix.join(&[MANIFEST])?,
            failure: prefix.join(&[FAILURE])?,
            prefix,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_lie_below_the_prefix() {
        for prefix in ["s3://b/run", "s3://b/run/"] {
            let places = TreePlaces::below(prefix).unwrap();
            assert_eq!(places.manifest.to_string(), "s3://b/run/manifest.json");
            assert_eq!(places.failure.to_string(), "s3://b/run/failure.json");
        }
        assert!(TreePlaces::below("s3://b/run?x").is_err());
    }
}

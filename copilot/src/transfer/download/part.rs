//! One range of an object whose version is known, read beside other ranges of it.

use std::ops::Range;

use super::resume::{Breaks, Drained, Sink, Source, is_interruption};
use crate::store::{Body, SameVersion, Version};
use crate::transfer::error::CopyError;

/// A range that is being read.
pub(super) struct PartRead<'a> {
    pub(super) source: Source<'a>,
    pub(super) range: Range<u64>,
    /// The version that all ranges must be of; it is provable.
    pub(super) version: &'a Version,
    /// The body, if it has been asked for already.
    pub(super) body: Option<Body>,
}

impl PartRead<'_> {
    /// Writes the range to `sink`.
    ///
    /// # Errors
    /// Any of the store's and the sink's. [`CopyError::begins_anew`], if its bytes are not proven to be of the version.
    pub(super) async fn copy_to(mut self, sink: &mut impl Sink) -> Result<(), CopyError> {
        let mut at = self.range.start;
        let mut breaks = Breaks::new(at);
        while at < self.range.end {
            let before = at;
            let failure = match self.open(at).await {
                Ok(body) => match self.source.drain(body, &mut at, sink).await? {
                    // The server may send less than it was asked for, but not nothing.
                    Drained::Ended if at > before => continue,
                    Drained::Ended | Drained::Void => return Err(self.source.unproven(1, None)),
                    Drained::Broke(failure) => failure,
                },
                // `store` has sent this request several times already. But a server that broke a body
                // may be restarting.
                Err(error) if is_interruption(&error) && !breaks.is_unbroken() => error,
                Err(error) => return Err(error),
            };
            self.source.pause(&mut breaks, at, failure).await?;
        }
        Ok(())
    }

    /// The body from `at` on: the one at hand, or a new one of the same version.
    async fn open(&mut self, at: u64) -> Result<Body, CopyError> {
        if let Some(body) = self.body.take() {
            return Ok(body);
        }
        let object = self.source.object;
        // The last range is asked for without an end: a server that names too small a size contradicts
        // itself then.
        let end = match self.version.size() {
            Some(size) if size == self.range.end => u64::MAX,
            _ => self.range.end,
        };
        let body = object.get(Some(at..end), Some(self.version)).await?;
        let is_in_place = body.start == at && body.end.is_some_and(|end| end <= self.range.end);
        match self.version.same_as(&body.version) {
            SameVersion::No => Err(object.changed().into()),
            SameVersion::Yes if is_in_place => Ok(body),
            SameVersion::Yes | SameVersion::Unknown => Err(self.source.unproven(1, None)),
        }
    }
}

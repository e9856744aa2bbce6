//! Going on where a body broke: only with bytes of the same version, which the store must prove.
//!
//! `whole` and `part` decide what to ask for next; here is what they share.

use std::time::Instant;

use futures_util::StreamExt as _;

use crate::store::{Body, Object, Retry, StoreError};
use crate::transfer::error::CopyError;
use crate::transfer::progress::Tally;

/// Bytes after which a broken body counts as having made progress: its failures are counted anew.
const PROGRESS: u64 = 1 << 20;

/// Where the bytes of an object go.
pub(in crate::transfer) trait Sink: Send {
    /// The object begins, or begins anew: what was written before is void. `size` is that of the whole
    /// object in bytes, if the store says it.
    fn begin(&mut self, size: Option<u64>) -> Result<(), CopyError>;

    /// Takes the bytes that begin at this offset of the object, which follows the bytes before.
    fn write(&mut self, bytes: &[u8], at: u64) -> Result<(), CopyError>;
}

/// How one body ended.
pub(super) enum Drained {
    /// All that it announced has arrived.
    Ended,
    /// It broke, for this reason.
    Broke(CopyError),
    /// What arrived cannot be used: more bytes came than were announced, or the object changed meanwhile.
    Void,
}

/// An object that is being read, by one request or several.
#[derive(Clone, Copy, Debug)]
pub(in crate::transfer) struct Source<'a> {
    pub(in crate::transfer) object: &'a Object,
    pub(in crate::transfer) retry: &'a Retry,
    pub(in crate::transfer) tally: &'a Tally,
}

impl Source<'_> {
    /// Writes a body, whose first byte has the offset `at`, and moves `at` along.
    pub(super) async fn drain(
        self,
        body: Body,
        at: &mut u64,
        sink: &mut impl Sink,
    ) -> Result<Drained, CopyError> {
        let end = body.end.unwrap_or(u64::MAX);
        let mut stream = body.stream;
        while let Some(chunk) = stream.next().await {
            match chunk {
                Ok(chunk) if chunk.len() as u64 > end - *at => return Ok(Drained::Void),
                Ok(chunk) => {
                    sink.write(&chunk, *at)?;
                    *at += chunk.len() as u64;
                    self.tally.moved(chunk.len());
                    if end == u64::MAX {
                        // A known size was checked beforehand.
                        self.object.check_size(*at)?;
                    }
                }
                Err(error) if error.is_interruption() => return Ok(Drained::Broke(error.into())),
                Err(StoreError::Changed { .. }) => return Ok(Drained::Void),
                Err(error) => return Err(error.into()),
            }
        }
        if end != u64::MAX && *at < end {
            return Ok(Drained::Broke(CopyError::Incomplete {
                object: self.object.reference().shown(),
                got: *at,
                expected: end,
            }));
        }
        Ok(Drained::Ended)
    }

    /// Counts a failure at the offset `at`, and waits before the next attempt. Returns the failure then.
    ///
    /// # Errors
    /// The failure, if there were too many.
    pub(super) async fn pause(
        self,
        breaks: &mut Breaks,
        at: u64,
        failure: CopyError,
    ) -> Result<CopyError, CopyError> {
        let failed = breaks.count(at);
        if failed >= self.retry.attempts || breaks.since.elapsed() > self.retry.elapsed {
            return Err(failure);
        }
        let object = self.object.reference().shown();
        self.tally.resumed();
        tracing::debug!(object, at, failed, reason = %failure, "a body broke, resuming");
        tokio::time::sleep(self.retry.pause(failed)).await;
        Ok(failure)
    }

    /// The error that bytes of several answers cannot be proven to be of one version.
    pub(super) fn unproven(self, times: u32, cause: Option<CopyError>) -> CopyError {
        CopyError::Unproven {
            object: self.object.reference().shown(),
            times,
            cause: cause.map(Box::new),
        }
    }
}

/// The failures since bytes arrived last.
pub(super) struct Breaks {
    /// The offset that counts as the last progress, and when it was reached.
    at: u64,
    since: Instant,
    failed: u32,
}

impl Breaks {
    pub(super) fn new(at: u64) -> Self {
        Self {
            at,
            since: Instant::now(),
            failed: 0,
        }
    }

    /// Whether nothing has broken yet.
    pub(super) fn is_unbroken(&self) -> bool {
        self.failed == 0
    }

    fn count(&mut self, at: u64) -> u32 {
        if at.saturating_sub(self.at) >= PROGRESS {
            *self = Self::new(at);
        }
        self.failed += 1;
        self.failed
    }
}

/// Whether asking again may help.
pub(super) fn is_interruption(error: &CopyError) -> bool {
    matches!(error, CopyError::Store(error) if error.is_interruption())
}

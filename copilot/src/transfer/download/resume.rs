//! One body to its end: where it breaks, the rest is asked for again, of the same version.

use std::ops::Range;
use std::time::Instant;

use futures_util::StreamExt as _;

use crate::store::{Body, Object, Retry};
use crate::transfer::error::CopyError;
use crate::transfer::progress::Tally;

/// Bytes after which a broken body counts as having made progress: its failures are counted anew.
const PROGRESS: u64 = 1 << 20;

/// Where the bytes of a body go.
pub(in crate::transfer) trait Sink: Send {
    /// Takes the bytes that begin at this offset of the object. The offset follows the bytes before,
    /// or is smaller: the body then begins again.
    fn write(&mut self, bytes: &[u8], at: u64) -> Result<(), CopyError>;
}

/// A range of an object that is being read.
pub(in crate::transfer) struct RangeRead<'a> {
    pub(in crate::transfer) object: &'a Object,
    /// The bytes; to `u64::MAX` where the store does not say how many there are.
    pub(in crate::transfer) range: Range<u64>,
    /// The version, if the store names it.
    pub(in crate::transfer) etag: Option<String>,
    /// The body, if it has been asked for already.
    pub(in crate::transfer) body: Option<Body>,
    pub(in crate::transfer) retry: &'a Retry,
    pub(in crate::transfer) tally: &'a Tally,
}

impl<'a> RangeRead<'a> {
    /// All of the object, whose body has been asked for.
    pub(in crate::transfer) fn whole(
        object: &'a Object,
        body: Body,
        retry: &'a Retry,
        tally: &'a Tally,
    ) -> Self {
        Self {
            object,
            range: 0..body.size.unwrap_or(u64::MAX),
            etag: body.etag.clone(),
            body: Some(body),
            retry,
            tally,
        }
    }

    /// Writes the range to `sink`, and returns the offset of its end.
    pub(in crate::transfer) async fn copy_to(
        mut self,
        sink: &mut impl Sink,
    ) -> Result<u64, CopyError> {
        let mut at = self.range.start;
        let mut progress = (at, Instant::now());
        let mut failed = 0;
        loop {
            let broke = match self.open(at).await {
                Ok(body) => {
                    at = body.start;
                    self.drain(body, &mut at, sink).await?
                }
                // `store` has sent this request several times already. But a server that broke a body
                // may be restarting.
                Err(error) if failed > 0 && is_interruption(&error) => Some(error),
                Err(error) => return Err(error),
            };
            let Some(error) = broke else { return Ok(at) };
            if at.saturating_sub(progress.0) >= PROGRESS {
                progress = (at, Instant::now());
                failed = 0;
            }
            failed += 1;
            if failed >= self.retry.attempts || progress.1.elapsed() > self.retry.elapsed {
                return Err(error);
            }
            let shown = self.object.reference().shown();
            self.tally.resumed();
            tracing::debug!(object = shown, at, failed, reason = %error, "body broke, resuming");
            tokio::time::sleep(self.retry.pause(failed)).await;
        }
    }

    /// The body from `at` on: the one at hand, or a new one of the same version.
    async fn open(&mut self, at: u64) -> Result<Body, CopyError> {
        if let Some(body) = self.body.take() {
            return Ok(body);
        }
        // Without an ETag the bytes that were written may be of another version.
        let from = if self.etag.is_some() {
            at
        } else {
            self.range.start
        };
        let body = self
            .object
            .get(Some(from..self.range.end), self.etag.as_deref())
            .await?;
        if body.start < from {
            // The server sends the object from its first byte, and perhaps a new version of it.
            self.etag.clone_from(&body.etag);
            self.range.end = body.size.unwrap_or(u64::MAX);
        }
        Ok(body)
    }

    /// Writes a body from offset `at` on and moves `at` along. Returns what broke it, if it broke.
    async fn drain(
        &mut self,
        mut body: Body,
        at: &mut u64,
        sink: &mut impl Sink,
    ) -> Result<Option<CopyError>, CopyError> {
        let end = self.range.end;
        while let Some(chunk) = body.stream.next().await {
            match chunk {
                Ok(chunk) => {
                    let room = usize::try_from(end - *at).unwrap_or(usize::MAX);
                    let chunk = &chunk[..chunk.len().min(room)];
                    sink.write(chunk, *at)?;
                    *at += chunk.len() as u64;
                    self.tally.moved(chunk.len());
                }
                Err(error) if error.is_interruption() => return Ok(Some(error.into())),
                Err(error) => return Err(error.into()),
            }
        }
        // Without a known size the body is complete when it ends.
        let short = end != u64::MAX && *at < end;
        Ok(short.then(|| CopyError::Incomplete {
            object: self.object.reference().shown(),
            got: *at,
            expected: end,
        }))
    }
}

fn is_interruption(error: &CopyError) -> bool {
    matches!(error, CopyError::Store(error) if error.is_interruption())
}

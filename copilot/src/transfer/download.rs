//! One object to one file.
//!
//! Small ones come in one request. Large ones come in ranges of one version, several at once, each
//! written in its place. A body that breaks goes on from where it broke.

use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::budget::Budget;
use super::error::CopyError;
use super::limits::Limits;
use super::partial::Partial;
use super::space::Claim;
use super::tally::Tally;
use super::write_back::WriteBack;
use crate::store::{Body, Object, Retry};

/// Memory that a body in transfer is counted with: what the HTTP client reads ahead at most.
const WINDOW: u64 = 512 * 1024;

/// Bytes after which a broken body counts as having made progress: its failures are counted anew.
const PROGRESS: u64 = 1 << 20;

/// What a download may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Download<'a> {
    pub(super) limits: &'a Limits,
    pub(super) budget: &'a Budget,
    pub(super) write_back: &'a WriteBack,
    pub(super) retry: &'a Retry,
    pub(super) tally: &'a Tally,
}

/// A stretch of an object on its way.
struct Stretch {
    range: Range<u64>,
    etag: Option<String>,
    /// The body, if it has been asked for already.
    body: Option<Body>,
}

impl Download<'_> {
    /// Copies `object` to the file `to`; `size` is what a listing said, if there was one, and `claim`
    /// the room for it.
    pub(super) async fn run(
        self,
        object: &Object,
        to: &Path,
        size: Option<u64>,
        mut claim: Claim,
    ) -> Result<(), CopyError> {
        object.check_size(size.unwrap_or_default())?;
        let window = self.budget.take(WINDOW).await;
        let part = self.limits.part_size;
        let in_ranges = object.has_ranges() && size.is_none_or(|size| size > part);
        let body = object.get(in_ranges.then_some(0..part), None).await?;
        if let Some(total) = body.size {
            if size.is_none() {
                self.tally.sized(total);
            }
            claim.expect(to, total)?;
        }
        // Made only now, so that what does not exist leaves no directories behind.
        let file = Partial::create(to, Some(claim))?;
        let total = match body.size {
            Some(total) if in_ranges && total > part => {
                self.large(object, &file, body, total).await?;
                total
            }
            _ => self.small(object, &file, body).await?,
        };
        drop(window);
        file.publish(total)?;
        self.tally.finished();
        Ok(())
    }

    /// One body to its end; gives the size.
    async fn small(self, object: &Object, file: &Partial, body: Body) -> Result<u64, CopyError> {
        let stretch = Stretch {
            range: 0..body.size.unwrap_or(u64::MAX),
            etag: body.etag.clone(),
            body: Some(body),
        };
        self.fetch(object, file, stretch).await
    }

    async fn large(
        self,
        object: &Object,
        file: &Partial,
        first: Body,
        total: u64,
    ) -> Result<(), CopyError> {
        let part = self.limits.part_size;
        let etag = first.etag.clone();
        let rest = (1..total.div_ceil(part)).map(|index| Stretch {
            range: index * part..total.min((index + 1) * part),
            etag: etag.clone(),
            body: None,
        });
        let first = Stretch {
            range: 0..part,
            etag: etag.clone(),
            body: Some(first),
        };
        stream::iter(std::iter::once(first).chain(rest))
            .map(async |stretch| {
                // The first one's window is held already.
                let _window = match stretch.body {
                    Some(_) => None,
                    None => self.budget.take(WINDOW).await,
                };
                self.fetch(object, file, stretch).await
            })
            .buffer_unordered(self.limits.parts)
            .try_for_each(|_| std::future::ready(Ok(())))
            .await
    }

    /// Writes a stretch to its place; gives the offset of its end.
    async fn fetch(
        self,
        object: &Object,
        file: &Partial,
        mut stretch: Stretch,
    ) -> Result<u64, CopyError> {
        let mut at = stretch.range.start;
        let mut progress = (at, Instant::now());
        let mut failed = 0;
        loop {
            let broke = match self.asked(object, &mut stretch, at).await {
                Ok(body) => {
                    at = body.start;
                    self.drain(object, file, body, &mut at, stretch.range.end)
                        .await?
                }
                // Tried again and again below us already; but a server that broke a body may be
                // starting anew.
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
            let shown = object.reference().shown();
            self.tally.resumed();
            tracing::debug!(object = shown, at, failed, reason = %error, "body broke, going on");
            tokio::time::sleep(self.retry.pause(failed)).await;
        }
    }

    /// The body from `at` on: the one at hand, or a new one of the same version.
    async fn asked(
        self,
        object: &Object,
        stretch: &mut Stretch,
        at: u64,
    ) -> Result<Body, CopyError> {
        if let Some(body) = stretch.body.take() {
            return Ok(body);
        }
        // Without something to know the version by, what is already written may be of another.
        let from = if stretch.etag.is_some() {
            at
        } else {
            stretch.range.start
        };
        let body = object
            .get(Some(from..stretch.range.end), stretch.etag.as_deref())
            .await?;
        if body.start < from {
            // A web server begins anew, perhaps with a new version.
            stretch.etag.clone_from(&body.etag);
            stretch.range.end = body.size.unwrap_or(u64::MAX);
        }
        Ok(body)
    }

    /// Writes a body from offset `at` on and moves `at` along. Gives what broke it, if it broke.
    async fn drain(
        self,
        object: &Object,
        file: &Partial,
        mut body: Body,
        at: &mut u64,
        end: u64,
    ) -> Result<Option<CopyError>, CopyError> {
        let mut written = *at;
        while let Some(chunk) = body.stream.next().await {
            match chunk {
                Ok(chunk) => {
                    let room = usize::try_from(end - *at).unwrap_or(usize::MAX);
                    let chunk = &chunk[..chunk.len().min(room)];
                    file.write_at(chunk, *at)?;
                    *at += chunk.len() as u64;
                    written = file.written(self.write_back, written..*at);
                    self.tally.moved(chunk.len());
                }
                Err(error) if error.is_interruption() => return Ok(Some(error.into())),
                Err(error) => return Err(error.into()),
            }
        }
        // A server that does not know the size ends when it ends.
        let short = end != u64::MAX && *at < end;
        Ok(short.then(|| CopyError::Incomplete {
            object: object.reference().shown(),
            got: *at,
            expected: end,
        }))
    }
}

fn is_interruption(error: &CopyError) -> bool {
    matches!(error, CopyError::Store(error) if error.is_interruption())
}

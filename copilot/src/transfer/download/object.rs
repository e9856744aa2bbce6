//! One object to one file.
//!
//! A small object comes in one request. A large one comes in ranges of one version, several at once,
//! each written in its place.

use std::ops::Range;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::part::PartRead;
use super::partial::PartialFile;
use super::resume::{Sink, Source};
use super::whole::WholeRead;
use crate::beneath::Place;
use crate::store::{Body, Object, Retry};
use crate::transfer::error::CopyError;
use crate::transfer::memory::{MemoryBudget, TransferLimits, WriteBack};
use crate::transfer::progress::Tally;
use crate::transfer::space::Claim;

/// A download, and what it may use.
#[derive(Clone, Copy, Debug)]
pub(in crate::transfer) struct ObjectDownload<'a> {
    pub(in crate::transfer) limits: &'a TransferLimits,
    pub(in crate::transfer) budget: &'a MemoryBudget,
    pub(in crate::transfer) write_back: &'a WriteBack,
    pub(in crate::transfer) retry: &'a Retry,
    pub(in crate::transfer) tally: &'a Tally,
}

/// A part of a file that is being written in order.
struct FileSink<'a> {
    file: &'a PartialFile,
    write_back: &'a WriteBack,
    /// Written, and not handed to the disk yet.
    pending: Range<u64>,
}

impl Sink for FileSink<'_> {
    /// The file is written over, and cut at its end.
    fn begin(&mut self, _: Option<u64>) -> Result<(), CopyError> {
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], at: u64) -> Result<(), CopyError> {
        self.file.write_at(bytes, at)?;
        let end = at + bytes.len() as u64;
        let start = if self.pending.end == at {
            self.pending.start
        } else {
            at
        };
        self.pending = self.file.written(self.write_back, start..end)..end;
        Ok(())
    }
}

impl<'a> ObjectDownload<'a> {
    /// Copies `object` to the file `to`. `size` is what a listing says, if there is one, and `claim` is
    /// the room for the file.
    pub(in crate::transfer) async fn run(
        self,
        object: &Object,
        to: &Place,
        size: Option<u64>,
        mut claim: Claim,
    ) -> Result<(), CopyError> {
        object.check_size(size.unwrap_or_default())?;
        let window = self.budget.take(self.limits.window(size)).await;
        let part = self.limits.part_size;
        let in_ranges = object.has_ranges() && size.is_none_or(|size| size > part);
        let body = object.get(in_ranges.then_some(0..part), None).await?;
        let total = body.version.size();
        if let Some(total) = total {
            if size.is_none() {
                self.tally.sized(total);
            }
            claim.expect(&to.shown(), total)?;
        }
        // Only now: an object that does not exist must leave no directories behind.
        let file = PartialFile::create(to, Some(claim))?;
        let total = match total {
            Some(total) if is_beginning(&body) => self.in_parts(object, &file, body, total).await?,
            _ => self.in_one(object, &file, Some(body), 0).await?,
        };
        drop(window);
        file.publish(total)?;
        self.tally.finished();
        Ok(())
    }

    /// Reads the object of `total` bytes in ranges, of which `first` is the first one; in one stream, if
    /// its version cannot be proven or changes. Returns its size.
    async fn in_parts(
        self,
        object: &Object,
        file: &PartialFile,
        first: Body,
        total: u64,
    ) -> Result<u64, CopyError> {
        if !first.version.is_provable() {
            drop(first);
            return self.in_one(object, file, None, 0).await;
        }
        match self.parts(object, file, first, total).await {
            Err(error) if error.begins_anew() => {
                tracing::debug!(
                    object = object.reference().shown(),
                    reason = %error,
                    "reading the object anew, in one stream"
                );
                self.in_one(object, file, None, 1).await
            }
            done => done.map(|()| total),
        }
    }

    /// Reads the object in one stream; it was begun `begun` times before. Returns its size.
    async fn in_one(
        self,
        object: &Object,
        file: &PartialFile,
        first: Option<Body>,
        begun: u32,
    ) -> Result<u64, CopyError> {
        let mut sink = self.sink(file);
        let whole = WholeRead::new(self.source(object), &mut sink, begun);
        whole.copy(first).await
    }

    async fn parts(
        self,
        object: &Object,
        file: &PartialFile,
        first: Body,
        total: u64,
    ) -> Result<(), CopyError> {
        let part = self.limits.part_size;
        let version = first.version.clone();
        let read = |range, body| PartRead {
            source: self.source(object),
            range,
            version: &version,
            body,
        };
        let rest = (1..total.div_ceil(part))
            .map(|index| read(index * part..total.min((index + 1) * part), None));
        stream::iter(std::iter::once(read(0..part, Some(first))).chain(rest))
            .map(async |range| {
                // The first range holds its window already.
                let _window = match range.body {
                    Some(_) => None,
                    None => self.budget.take(self.limits.window(None)).await,
                };
                range.copy_to(&mut self.sink(file)).await
            })
            .buffer_unordered(self.limits.parts)
            .try_for_each(|()| std::future::ready(Ok(())))
            .await
    }

    fn source(self, object: &'a Object) -> Source<'a> {
        Source {
            object,
            retry: self.retry,
            tally: self.tally,
        }
    }

    fn sink(self, file: &'a PartialFile) -> FileSink<'a> {
        FileSink {
            file,
            write_back: self.write_back,
            pending: 0..0,
        }
    }
}

/// Whether a body is the first of several ranges.
fn is_beginning(body: &Body) -> bool {
    body.end.is_some() && body.end < body.version.size()
}

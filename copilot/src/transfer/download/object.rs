//! One object to one file.
//!
//! A small object comes in one request. A large one comes in ranges of one version, several at once,
//! each written in its place.

use std::ops::Range;
use std::path::Path;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::partial::PartialFile;
use super::resume::{RangeRead, Sink};
use crate::store::{Body, Object, Retry};
use crate::transfer::error::CopyError;
use crate::transfer::memory::{MemoryBudget, TransferLimits, WriteBack};
use crate::transfer::progress::Tally;
use crate::transfer::space::Claim;

/// Memory that each body in transfer reserves: the most that the HTTP client reads ahead.
const WINDOW: u64 = 512 * 1024;

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
        // Only now: an object that does not exist must leave no directories behind.
        let file = PartialFile::create(to, Some(claim))?;
        let total = match body.size {
            Some(total) if in_ranges && total > part && !body.whole => {
                self.large(object, &file, body, total).await?;
                total
            }
            _ => {
                let whole = RangeRead::whole(object, body, self.retry, self.tally);
                whole.copy_to(&mut self.sink(&file)).await?
            }
        };
        drop(window);
        file.publish(total)?;
        self.tally.finished();
        Ok(())
    }

    async fn large(
        self,
        object: &Object,
        file: &PartialFile,
        first: Body,
        total: u64,
    ) -> Result<(), CopyError> {
        let part = self.limits.part_size;
        let etag = first.etag.clone();
        let read = |range, body| RangeRead {
            object,
            range,
            etag: etag.clone(),
            body,
            retry: self.retry,
            tally: self.tally,
        };
        let rest = (1..total.div_ceil(part))
            .map(|index| read(index * part..total.min((index + 1) * part), None));
        stream::iter(std::iter::once(read(0..part, Some(first))).chain(rest))
            .map(async |range| {
                // The first range holds its window already.
                let _window = match range.body {
                    Some(_) => None,
                    None => self.budget.take(WINDOW).await,
                };
                range.copy_to(&mut self.sink(file)).await
            })
            .buffer_unordered(self.limits.parts)
            .try_for_each(|_| std::future::ready(Ok(())))
            .await
    }

    fn sink(self, file: &'a PartialFile) -> FileSink<'a> {
        FileSink {
            file,
            write_back: self.write_back,
            pending: 0..0,
        }
    }
}

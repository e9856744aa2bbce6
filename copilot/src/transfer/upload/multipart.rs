//! One object in the making: a multipart upload, the parts that were sent, and how it ends.
//!
//! The file may grow or change between two calls. So a digest is kept of each part where the caller
//! asks for it. Before the object is completed every digested part is read again, and a part that has
//! changed is sent again under the same number.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use super::digest::{self, Digests};
use super::notes::UploadNotes;
use super::source::OpenFile;
use super::{CLEAN_UP, FileUpload};
use crate::store::{Object, Part, Reference, Upload};
use crate::transfer::error::CopyError;
use crate::transfer::memory::MAX_PARTS;

/// Time for parts in flight to arrive after the run was stopped: parts whose last byte the store has.
const SETTLE: Duration = Duration::from_millis(500);

/// A multipart upload that has begun. The object becomes visible when the upload completes; an upload
/// that does not complete must be aborted, or its parts stay in the store.
#[derive(Debug)]
pub struct MultipartUpload {
    object: Object,
    upload: Upload,
    /// Bytes of each part but the last.
    part_size: u64,
    /// The parts that were sent, from the file's beginning.
    sent: Vec<SentPart>,
    notes: Option<Arc<dyn UploadNotes>>,
}

/// A part that the store has.
#[derive(Debug)]
struct SentPart {
    part: Part,
    /// Of its bytes, if a digest was asked for.
    digest: Option<u128>,
}

impl MultipartUpload {
    /// The object that it becomes.
    #[must_use]
    pub fn to(&self) -> &Reference {
        self.object.reference()
    }

    pub(in crate::transfer) fn object(&self) -> &Object {
        &self.object
    }

    /// The store's id of the upload, with which a later process can
    /// [abort](crate::transfer::FileUploads::abort) it; none where the store has no ids.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.upload.id()
    }

    /// Bytes that were sent, from the file's beginning.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.len() as u64 * self.part_size
    }

    /// Whether the upload can become a file of `size` bytes: the file has all parts that were sent, and
    /// needs no more parts than a store allows.
    #[must_use]
    pub fn fits(&self, size: u64) -> bool {
        size >= self.sent() && size > 0 && size.div_ceil(self.part_size) <= MAX_PARTS
    }

    /// Aborts the upload. If the store may keep parts of it, a warning says so.
    pub async fn abort(self) {
        let id = self.id().map(str::to_owned);
        let aborted = tokio::time::timeout(CLEAN_UP, self.upload.abort()).await;
        let reason = match aborted {
            Ok(Ok(())) => return ended(self.notes.as_ref(), id.as_deref()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => no_answer(),
        };
        may_remain(self.object.reference(), &reason);
    }

    /// Begins a multipart upload for a file of at least `file.size` bytes. When stopped it waits a
    /// little for the answer: nobody can abort an upload whose id was lost.
    pub(super) async fn begin(
        by: FileUpload<'_>,
        file: &OpenFile,
        object: &Object,
    ) -> Result<Self, CopyError> {
        let part_size = by.limits.part_size_for(file.size);
        if part_size > by.limits.memory {
            return Err(CopyError::TooLargeForParts {
                name: file.name.clone(),
                size: file.size,
                memory: by.limits.memory,
                part: part_size,
            });
        }
        if let Some(notes) = &file.notes {
            notes.begins()?;
        }
        let started = |upload| Self {
            object: object.clone(),
            upload,
            part_size,
            sent: Vec::new(),
            notes: file.notes.clone(),
        };
        let mut begin = std::pin::pin!(object.begin());
        match by.stop.race(begin.as_mut()).await {
            Ok(Ok(upload)) => started(upload).noted().await,
            // The request failed, and `store` aborts what it may have begun.
            Ok(Err(error)) => {
                ended(file.notes.as_ref(), None);
                Err(error.into())
            }
            Err(stopped) => {
                match tokio::time::timeout(CLEAN_UP, begin).await {
                    Ok(Ok(upload)) => started(upload).abort().await,
                    Ok(Err(_)) => ended(file.notes.as_ref(), None),
                    Err(_) => may_remain(object.reference(), &no_answer()),
                }
                Err(stopped.into())
            }
        }
    }

    /// Notes that the upload has begun, or aborts it.
    async fn noted(self) -> Result<Self, CopyError> {
        let noted = match (&self.notes, self.id()) {
            (Some(notes), Some(id)) => notes.begun(id),
            _ => Ok(()),
        };
        match noted {
            Ok(()) => Ok(self),
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    /// Sends the whole parts within the first `until` bytes that were not sent before. On failure the
    /// upload keeps what was sent, up to the first part that was not.
    pub(super) async fn send_until(
        &mut self,
        by: FileUpload<'_>,
        file: &OpenFile,
        until: u64,
    ) -> Result<(), CopyError> {
        let (first, end) = (self.sent.len() as u64, until / self.part_size);
        by.tally.sized(end.saturating_sub(first) * self.part_size);
        let parts = (first..end).map(|index| (index, self.part_size));
        let (sent, outcome) = self.send_parts(by, file, parts).await;
        self.sent.extend(sent.into_iter().flatten());
        outcome
    }

    /// Makes the object of the file: compares the parts that were sent before, sends those that have
    /// changed or are missing, and completes the upload. If the store has lost the upload, or wants its parts
    /// in another form, all of it is sent once more. On failure the upload is aborted.
    pub(super) async fn finish(
        mut self,
        by: FileUpload<'_>,
        file: &OpenFile,
    ) -> Result<Digests, CopyError> {
        let mut outcome = self.complete(by, file).await;
        if let Err(CopyError::Store(reason)) = &outcome
            && reason.wants_new_upload()
        {
            let shown = self.object.reference().shown();
            tracing::warn!(object = shown, %reason, "the multipart upload begins anew");
            let object = self.object.clone();
            self.abort().await;
            self = Self::begin(by, file, &object).await?;
            outcome = self.complete(by, file).await;
        }
        if outcome.is_err() {
            self.abort().await;
        } else {
            ended(self.notes.as_ref(), self.id());
        }
        outcome
    }

    async fn complete(
        &mut self,
        by: FileUpload<'_>,
        file: &OpenFile,
    ) -> Result<Digests, CopyError> {
        if !self.fits(file.size) {
            return Err(CopyError::SourceChanged {
                name: file.name.clone(),
                before: self.sent(),
                after: file.size,
            });
        }
        let (size, part_size) = (file.size, self.part_size);
        by.tally.sized(size - self.sent());
        let length = |index: u64| part_size.min(size - index * part_size);
        let parts = (0..size.div_ceil(part_size)).map(|index| (index, length(index)));
        let (fresh, outcome) = self.send_parts(by, file, parts).await;
        outcome?;
        file.check()?;
        let mut known = std::mem::take(&mut self.sent).into_iter();
        let parts = fresh.into_iter().filter_map(|fresh| {
            let known = known.next();
            fresh.or(known)
        });
        let (parts, digests): (Vec<_>, Vec<_>) = parts.map(|sent| (sent.part, sent.digest)).unzip();
        let completed = by.stop.race(self.upload.complete(parts, size)).await;
        completed??;
        Ok(Digests::new(size, part_size, digests))
    }

    /// Sends parts (number and length), several at once, and returns them in order: `None` for a part
    /// that was sent before and has not changed.
    ///
    /// After the first failure, or when stopped, no further part begins, and those in flight get a
    /// little time to arrive: a part that arrives after the upload is aborted may stay in the store.
    async fn send_parts(
        &self,
        by: FileUpload<'_>,
        file: &OpenFile,
        parts: impl Iterator<Item = (u64, u64)> + Send,
    ) -> (Vec<Option<SentPart>>, Result<(), CopyError>) {
        let more = AtomicBool::new(true);
        let sending = stream::iter(parts)
            .take_while(|_| std::future::ready(more.load(Ordering::Relaxed)))
            .map(|(index, length)| self.send_part(by, file, index, length))
            .buffered(by.limits.parts);
        let mut sending = std::pin::pin!(sending);
        let mut sent = Vec::new();
        let (error, patience) = loop {
            match by.stop.race(sending.next()).await {
                Ok(Some(Ok(part))) => sent.push(part),
                Ok(Some(Err(error))) => break (error, CLEAN_UP),
                Ok(None) => return (sent, Ok(())),
                Err(stopped) => break (stopped.into(), SETTLE),
            }
        };
        more.store(false, Ordering::Relaxed);
        let rest = sending.for_each(|_| std::future::ready(()));
        // Requests that are still in flight then are cut; a store drops parts that are incomplete.
        let _ = tokio::time::timeout(patience, rest).await;
        (sent, Err(error))
    }

    async fn send_part(
        &self,
        by: FileUpload<'_>,
        file: &OpenFile,
        index: u64,
        length: u64,
    ) -> Result<Option<SentPart>, CopyError> {
        let offset = index * self.part_size;
        let number = usize::try_from(index).unwrap_or(usize::MAX);
        if let Some(before) = self.sent.get(number) {
            // Reading a cached file runs at the speed of memory, and main's watcher needs its turn.
            tokio::task::yield_now().await;
            let now = digest::of_range(&file.file, offset, length)
                .map_err(|error| file.unreadable(error))?;
            if now.is_some() && now == before.digest && length == self.part_size {
                return Ok(None);
            }
            by.tally.sized(length);
        }
        let data = file.read(by.budget, offset, length).await?;
        let count = data.len();
        let digest = by.digests.then(|| digest::of(&data));
        let part = self.upload.part(number, offset, data).await?;
        by.tally.moved(count);
        Ok(Some(SentPart { part, digest }))
    }
}

/// Notes that an upload has ended.
fn ended(notes: Option<&Arc<dyn UploadNotes>>, id: Option<&str>) {
    if let Some(notes) = notes {
        notes.ended(id);
    }
}

pub(super) fn no_answer() -> String {
    format!("no answer within {} s", CLEAN_UP.as_secs())
}

pub(super) fn may_remain(object: &Reference, reason: &str) {
    tracing::warn!(
        object = %object.shown(),
        reason,
        "an unfinished multipart upload may remain in the store"
    );
}

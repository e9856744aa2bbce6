//! An upload in parts to a bucket.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{PutMultipartOptions, PutPayload};

use super::ambiguous::AmbiguousStart;
use super::completed::{self, Expected, Incomplete};
use super::{Bucket, Dialect, Library, answer, parts};
use crate::store::backend::{Backend as _, ObjectAddress, Part, PartsUpload};
use crate::store::error::StoreError;
use crate::store::http::{AmbiguousAttempts, FailureKind, RequestFailure};

/// What the last request of an upload does, for messages.
const COMPLETING: &str = "completing an upload";

/// An upload that the store knows by an id.
#[derive(Debug)]
struct BucketUpload {
    bucket: Arc<Bucket>,
    target: ObjectAddress,
    path: Path,
    id: String,
    /// Whether its parts carry checksums because the bucket asked for them.
    checked: bool,
    /// The size of its largest part, in bytes: that of all but the last.
    part_size: AtomicU64,
    /// Other uploads that may have begun beside it.
    start: AmbiguousStart,
}

/// Begins an upload.
pub(super) async fn begin(
    bucket: Arc<Bucket>,
    target: ObjectAddress,
) -> Result<Box<dyn PartsUpload>, StoreError> {
    let path = bucket.path(&target)?;
    let attempts = AmbiguousAttempts::default();
    let mut options = PutMultipartOptions::default();
    options.extensions.insert(attempts.clone());
    let mut start = AmbiguousStart::now();
    let checked = bucket.checks_uploads();
    let library = bucket.uploads(checked);
    let begun = library.create_multipart_opts(&path, options).await;
    start.attempts = attempts.count();
    match begun {
        Ok(id) => Ok(Box::new(BucketUpload {
            bucket,
            target,
            path,
            id,
            checked,
            part_size: AtomicU64::new(0),
            start,
        })),
        Err(error) => {
            start.abort_others(&bucket, &target, None).await;
            Err(bucket.error(error, &target, "beginning an upload"))
        }
    }
}

#[async_trait]
impl PartsUpload for BucketUpload {
    fn id(&self) -> Option<&str> {
        Some(&self.id)
    }

    async fn part(&self, index: usize, _: u64, data: Bytes) -> Result<Part, StoreError> {
        self.part_size
            .fetch_max(data.len() as u64, Ordering::Relaxed);
        let payload = PutPayload::from_bytes(data);
        let store = self.library();
        let done = store.put_part(&self.path, &self.id, index, payload).await;
        let part = done.map_err(|error| {
            // The caller begins a new upload, whose parts then have one.
            self.bucket.can_check(&error, self.checked);
            self.error(error, "uploading a part")
        })?;
        Ok(Part(Some(part)))
    }

    async fn complete(&self, parts: Vec<Part>, size: u64) -> Result<(), StoreError> {
        let parts = self.named(parts).await?;
        let count = parts.len();
        let digests = match self.bucket.dialect {
            Dialect::S3 => completed::digests_of(&parts),
            // We name the blocks ourselves.
            Dialect::Azure => None,
        };
        let store = self.library();
        let ended = store.complete_multipart(&self.path, &self.id, parts).await;
        let expected = Expected {
            size,
            part_size: self.part_size.load(Ordering::Relaxed),
            parts: count,
            digests,
            age: self.start.age(),
        };
        let look = || completed::look(&self.bucket, &self.target, &expected);
        match ended {
            Ok(done) if answer::is_named(&done) => {}
            Ok(_) => {
                let proven = look().await;
                proven.map_err(|reason| self.bucket.unproven(&self.target, &reason))?;
            }
            Err(error) if may_be_complete(&error) => {
                if let Err(reason) = look().await {
                    return Err(self.incomplete(error, &reason));
                }
            }
            Err(error) => return Err(self.error(error, COMPLETING)),
        }
        self.abort_others().await;
        Ok(())
    }

    async fn abort(&self) -> Result<(), StoreError> {
        let store = self.library();
        let done = store.abort_multipart(&self.path, &self.id).await;
        self.abort_others().await;
        done.map_err(|error| self.error(error, "aborting an upload"))
    }
}

impl BucketUpload {
    fn error(&self, error: object_store::Error, action: &'static str) -> StoreError {
        self.bucket.error(error, &self.target, action)
    }

    /// The parts with their tags: those that came without one have it from the store's list.
    async fn named(&self, parts: Vec<Part>) -> Result<Vec<PartId>, StoreError> {
        let mut parts: Vec<PartId> = parts.into_iter().filter_map(|part| part.0).collect();
        if !parts
            .iter()
            .any(|part| answer::is_unnamed(&part.content_id))
        {
            return Ok(parts);
        }
        let tags = parts::tags(&self.bucket, &self.target, &self.id).await?;
        for (index, part) in parts.iter_mut().enumerate() {
            if answer::is_unnamed(&part.content_id) {
                let number = index + 1;
                let tag = tags.get(&number).ok_or_else(|| StoreError::Foreign {
                    location: self.bucket.location(&self.target.reference),
                    cause: format!(
                        "neither the answer to part {number} nor the list of parts has an ETag, \
                         which the completion of an upload names"
                    )
                    .into(),
                })?;
                part.content_id = answer::renamed(&part.content_id, tag);
            }
        }
        Ok(parts)
    }

    fn library(&self) -> &dyn Library {
        self.bucket.uploads(self.checked)
    }

    /// The error of a completion whose object is not there, as a look at it says.
    fn incomplete(&self, error: object_store::Error, reason: &Incomplete) -> StoreError {
        match RequestFailure::within(&error) {
            Some(failure) => {
                let mut failure = failure.clone();
                let _ = write!(failure.message, "; {reason}");
                self.bucket.failed(failure, &self.target, COMPLETING)
            }
            None => self.error(error, COMPLETING),
        }
    }

    async fn abort_others(&self) {
        let own = Some(self.id.as_str());
        self.start
            .abort_others(&self.bucket, &self.target, own)
            .await;
    }
}

/// Whether a completion may have had its effect although it failed: it was not answered, or its answer is
/// not one that the library reads, or it was refused only when it was sent again.
fn may_be_complete(error: &object_store::Error) -> bool {
    RequestFailure::within(error).is_none_or(|failure| {
        failure.is_ambiguous()
            || failure.kind == FailureKind::Foreign
            || failure.tried.is_some_and(|(attempts, _)| attempts > 1)
    })
}

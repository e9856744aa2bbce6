//! An upload in parts to a bucket.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{PutMultipartOptions, PutPayload};

use super::ambiguous::AmbiguousStart;
use super::{Bucket, answer, look, parts};
use crate::store::backend::{Backend as _, ObjectAddress, Part, PartsUpload};
use crate::store::error::StoreError;
use crate::store::http::{AmbiguousAttempts, FailureKind, RequestFailure};

/// An upload that the store knows by an id.
#[derive(Debug)]
struct BucketUpload {
    bucket: Arc<Bucket>,
    target: ObjectAddress,
    path: Path,
    id: String,
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
    let begun = bucket.store.create_multipart_opts(&path, options).await;
    start.attempts = attempts.count();
    match begun {
        Ok(id) => Ok(Box::new(BucketUpload {
            bucket,
            target,
            path,
            id,
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
        let payload = PutPayload::from_bytes(data);
        let store = &self.bucket.store;
        let done = store.put_part(&self.path, &self.id, index, payload).await;
        let part = done.map_err(|error| self.error(error, "uploading a part"))?;
        Ok(Part(Some(part)))
    }

    async fn complete(&self, parts: Vec<Part>, size: u64) -> Result<(), StoreError> {
        let parts = self.named(parts).await?;
        let store = &self.bucket.store;
        let completed = store.complete_multipart(&self.path, &self.id, parts).await;
        match completed {
            Ok(done) => look::check_written(&self.bucket, &self.target, &done, size).await?,
            // The answer to an earlier attempt was lost, and now the upload does not exist any more; or
            // the answer cannot be read. It was completed, if the object is there.
            Err(error) => {
                let is_unclear = repeated_and_refused(&error) || is_unreadable(&error);
                if !is_unclear || self.size().await != Some(size) {
                    return Err(self.error(error, "completing an upload"));
                }
            }
        }
        self.abort_others().await;
        Ok(())
    }

    async fn abort(&self) -> Result<(), StoreError> {
        let store = &self.bucket.store;
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

    /// The size of the object, if it exists.
    async fn size(&self) -> Option<u64> {
        look::size(&self.bucket, &self.target).await.ok().flatten()
    }

    async fn abort_others(&self) {
        let own = Some(self.id.as_str());
        self.start
            .abort_others(&self.bucket, &self.target, own)
            .await;
    }
}

/// Whether a request was refused only when it was sent again.
fn repeated_and_refused(error: &object_store::Error) -> bool {
    RequestFailure::within(error).is_some_and(|failure| {
        let repeated = failure.tried.is_some_and(|(attempts, _)| attempts > 1);
        repeated && !failure.is_transient() && failure.kind == FailureKind::Status
    })
}

/// Whether the store answered, and not as stores do.
fn is_unreadable(error: &object_store::Error) -> bool {
    RequestFailure::within(error).is_some_and(|failure| failure.kind == FailureKind::Foreign)
}

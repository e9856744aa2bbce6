//! One object or prefix in an opened store, and all that can be done with it.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use object_store::multipart::PartId;

use super::bucket::{Begun, Bucket};
use super::direct;
use super::error::{Place, StoreError};
use super::listing::Listing;
use super::reference::Reference;
use super::web::Web;

/// A store that was opened for one container.
#[derive(Clone, Debug)]
pub(super) enum Backend {
    Bucket(Arc<Bucket>),
    Direct(Arc<dyn direct::Container>),
    Web(Web),
}

/// A reference with the store behind it; cheap to clone.
#[derive(Clone, Debug)]
pub struct Object {
    pub(super) backend: Backend,
    pub(super) key: String,
    pub(super) reference: Reference,
    /// Largest object that may be read, in MiB; 0 for any.
    pub(super) limit_mib: u64,
}

/// The bytes of an object, from some offset on.
pub struct Body {
    /// Size of the whole object in bytes, if the store knows it beforehand.
    pub size: Option<u64>,
    /// What identifies the version being read, if the store has such a thing.
    pub etag: Option<String>,
    /// Offset of the first byte that `stream` gives. It may be less than what was asked for: a web
    /// server that does not do ranges begins at 0, and so does a store that unpacks an object.
    pub start: u64,
    /// Whether `stream` goes on to the end of the object, whatever range was asked for.
    pub whole: bool,
    /// The bytes. An error after some of them may be an
    /// [interruption](StoreError::is_interruption).
    pub stream: BoxStream<'static, Result<Bytes, StoreError>>,
}

impl Object {
    /// The reference.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The key in the container.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The object `key` of the same container.
    #[must_use]
    pub fn at_key(&self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            reference: self.reference.at_key(key),
            ..self.clone()
        }
    }

    /// Whether parts of the object can be read out of order.
    #[must_use]
    pub fn has_ranges(&self) -> bool {
        !matches!(self.backend, Backend::Web(_))
    }

    /// Reads the object or a range of it. With `etag`, only that version.
    ///
    /// A range that reaches past the end gives what is there; of an empty object that is nothing.
    ///
    /// # Errors
    /// Any [`StoreError`]; [`StoreError::TooLarge`] by the size of the whole object, before its
    /// bytes are read (never for web addresses, as the reference).
    pub async fn get(
        &self,
        range: Option<Range<u64>>,
        etag: Option<&str>,
    ) -> Result<Body, StoreError> {
        let body =
            match &self.backend {
                Backend::Bucket(bucket) => {
                    let reading = bucket.get(&self.key, range, etag, &self.place()).await?;
                    let place = self.place();
                    Body {
                        size: Some(reading.size),
                        etag: reading.etag,
                        start: reading.start,
                        whole: reading.whole,
                        stream: Box::pin(reading.stream.map_err(move |error| {
                            StoreError::of_library(&error, place.clone(), "reading")
                        })),
                    }
                }
                Backend::Direct(container) => {
                    let start = range.as_ref().map_or(0, |range| range.start);
                    let length = range.map(|range| range.end - range.start);
                    let place = self.place();
                    let reading = container
                        .get(&self.key, start, length)
                        .map_err(|error| StoreError::of_io(&error, self.place(), "reading"))?;
                    if etag.is_some_and(|etag| etag != reading.etag) {
                        return Err(StoreError::Changed { place });
                    }
                    Body {
                        size: Some(reading.size),
                        etag: Some(reading.etag),
                        start,
                        whole: length.is_none(),
                        stream: Box::pin(reading.stream.map_err(move |error| {
                            StoreError::of_io(&error, place.clone(), "reading")
                        })),
                    }
                }
                Backend::Web(web) => {
                    let start = range.map_or(0, |range| range.start);
                    return self.get_web(web, start, etag).await;
                }
            };
        self.check_size(body.size.unwrap_or_default())?;
        Ok(body)
    }

    async fn get_web(&self, web: &Web, start: u64, etag: Option<&str>) -> Result<Body, StoreError> {
        let place = self.place();
        let reading = web.get(&self.reference.to_string(), start, etag).await;
        let reading =
            reading.map_err(|failure| StoreError::of_failure(&failure, self.place(), "reading"))?;
        Ok(Body {
            size: reading.size,
            etag: reading.etag,
            start: reading.start,
            whole: true,
            stream: Box::pin(
                reading.stream.map_err(move |error| {
                    StoreError::of_transport(&error, place.clone(), "reading")
                }),
            ),
        })
    }

    /// Refuses an object of `size` bytes if reads are limited to less (`maxDownloadMBs`).
    ///
    /// # Errors
    /// [`StoreError::TooLarge`].
    pub fn check_size(&self, size: u64) -> Result<(), StoreError> {
        let limited = self.limit_mib > 0 && !matches!(self.backend, Backend::Web(_));
        let limit = self.limit_mib.saturating_mul(1 << 20);
        if limited && size > limit {
            return Err(StoreError::TooLarge {
                place: self.place(),
                size,
                limit,
                remedy: "You can increase the limit by setting maxDownloadMBs \
                         (--storage.limits.maxDownloadMBs, 0 for no limit)",
            });
        }
        Ok(())
    }

    /// The error of an object of `size` bytes that is read into memory, where `limit` bytes are allowed.
    #[must_use]
    pub fn exceeds(&self, size: u64, limit: u64) -> StoreError {
        StoreError::TooLarge {
            place: self.place(),
            size,
            limit,
            remedy: "The limit for messages is fixed: store large values as files",
        }
    }

    /// Writes the whole object. It appears at once or not at all.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn put(&self, data: Bytes) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Bucket(bucket) => bucket.put(&self.key, data, &self.place()).await,
            Backend::Direct(container) => container
                .put(&self.key, &data)
                .map_err(|error| StoreError::of_io_write(&error, self.place())),
            Backend::Web(_) => Err(self.web_is_read_only()),
        }
    }

    /// Whether there is such an object, by the right to read it alone.
    ///
    /// # Errors
    /// Any [`StoreError`]; stores that would not tell a stranger what is missing answer
    /// [`StoreError::Denied`].
    pub async fn exists(&self) -> Result<bool, StoreError> {
        let found = match &self.backend {
            Backend::Bucket(bucket) => bucket.look(&self.key, &self.place()).await,
            Backend::Direct(container) => container
                .look(&self.key)
                .map_err(|error| StoreError::of_io(&error, self.place(), "looking")),
            Backend::Web(_) => Err(self.web_is_read_only()),
        };
        match found {
            Ok(()) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes the object. That there was none is no error: stores do not tell.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn delete(&self) -> Result<(), StoreError> {
        let deleted = match &self.backend {
            Backend::Bucket(bucket) => bucket.delete(&self.key, &self.place()).await,
            Backend::Direct(container) => container
                .delete(&self.key)
                .map_err(|error| StoreError::of_io(&error, self.place(), "deleting")),
            Backend::Web(_) => Err(self.web_is_read_only()),
        };
        match deleted {
            Err(StoreError::NotFound { .. }) => Ok(()),
            deleted => deleted,
        }
    }

    /// Begins an upload in parts.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn begin(&self) -> Result<Upload, StoreError> {
        let parts = match &self.backend {
            Backend::Bucket(bucket) => Parts::Bucket {
                bucket: Arc::clone(bucket),
                begun: bucket.begin(&self.key, &self.place()).await?,
            },
            Backend::Direct(container) => Parts::Direct(
                container
                    .begin(&self.key)
                    .map_err(|error| StoreError::of_io_write(&error, self.place()))?,
            ),
            Backend::Web(_) => return Err(self.web_is_read_only()),
        };
        Ok(Upload {
            object: self.clone(),
            parts,
        })
    }

    /// Aborts a multipart upload to this object that another process has begun, by its
    /// [id](Upload::id). That it has ended is not an error.
    ///
    /// # Errors
    /// Any [`StoreError`]; the parts may then remain in the store.
    pub async fn abort_upload(&self, id: &str) -> Result<(), StoreError> {
        let aborted = match &self.backend {
            Backend::Bucket(bucket) => bucket.abort_id(&self.key, id, &self.place()).await,
            // Their uploads have no ids.
            Backend::Direct(_) | Backend::Web(_) => Ok(()),
        };
        match aborted {
            Err(StoreError::NotFound { .. }) => Ok(()),
            aborted => aborted,
        }
    }

    /// Lists what lies beneath this prefix, page by page: the keys that begin with it and a `/`.
    ///
    /// # Errors
    /// Web addresses have no listing.
    pub fn list(&self) -> Result<Listing, StoreError> {
        match &self.backend {
            Backend::Web(_) => Err(StoreError::Unsupported {
                object: self.reference.shown(),
                what: "listing a web address".to_owned(),
                instead: "Name a single file, or a prefix in an object store",
            }),
            _ => Ok(Listing::new(self.clone())),
        }
    }

    /// Whether there is an object of exactly this key, by the right to list alone.
    ///
    /// # Errors
    /// Any [`StoreError`]. Of web addresses it cannot be told, and the answer is no.
    pub async fn is_there(&self) -> Result<bool, StoreError> {
        match &self.backend {
            // In order, so the key itself comes before those that it begins.
            Backend::Bucket(bucket) if !self.key.is_empty() => {
                let page = bucket.list(&self.key, None, &self.place()).await?;
                Ok(page.objects.iter().any(|object| object.key == self.key))
            }
            Backend::Direct(container) => Ok(container.has(&self.key)),
            Backend::Bucket(_) | Backend::Web(_) => Ok(false),
        }
    }

    pub(super) fn place(&self) -> Place {
        let store = match &self.backend {
            Backend::Bucket(bucket) => bucket.endpoint().to_owned(),
            Backend::Direct(container) => container.shown(),
            Backend::Web(_) => self.reference.container().to_owned(),
        };
        let place = Place::new(&self.reference, store);
        match &self.backend {
            Backend::Bucket(bucket) => place.known_by(bucket.identity()),
            Backend::Direct(_) | Backend::Web(_) => place,
        }
    }

    fn web_is_read_only(&self) -> StoreError {
        StoreError::Unsupported {
            object: self.reference.shown(),
            what: "writing to a web address".to_owned(),
            instead: "Name an object store, e.g. s3://BUCKET/PREFIX",
        }
    }
}

/// An object that is being written in parts. Nothing is visible until it is complete.
#[derive(Debug)]
pub struct Upload {
    object: Object,
    parts: Parts,
}

#[derive(Debug)]
enum Parts {
    Bucket { bucket: Arc<Bucket>, begun: Begun },
    Direct(Box<dyn direct::Unfinished>),
}

/// A part that arrived.
#[derive(Debug)]
pub struct Part(Option<PartId>);

impl Upload {
    /// The store's id of the upload; none where the store has no ids.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match &self.parts {
            Parts::Bucket { begun, .. } => Some(begun.id()),
            Parts::Direct(_) => None,
        }
    }

    /// Writes the part `index` (from 0), which begins at `offset`. All but the last have one size.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn part(&self, index: usize, offset: u64, data: Bytes) -> Result<Part, StoreError> {
        let place = self.object.place();
        match &self.parts {
            Parts::Bucket { bucket, begun } => {
                let part = bucket
                    .part(&self.object.key, begun, index, data, &place)
                    .await?;
                Ok(Part(Some(part)))
            }
            Parts::Direct(file) => {
                let written = file.write_at(&data, offset);
                written.map_err(|error| StoreError::of_io_write(&error, place))?;
                Ok(Part(None))
            }
        }
    }

    /// Makes the object of its parts, in order; `size` is that of all of them, in bytes.
    ///
    /// On failure the upload is still there, to be [aborted](Self::abort).
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn complete(&mut self, parts: Vec<Part>, size: u64) -> Result<(), StoreError> {
        let place = self.object.place();
        match &mut self.parts {
            Parts::Bucket { bucket, begun } => {
                let key = &self.object.key;
                let parts = parts.into_iter().filter_map(|part| part.0).collect();
                bucket.complete(key, begun, parts, size, &place).await
            }
            Parts::Direct(file) => {
                let done = file.finish();
                done.map_err(|error| StoreError::of_io_write(&error, place))
            }
        }
    }

    /// Drops what was uploaded.
    ///
    /// # Errors
    /// Any [`StoreError`]; the parts may then remain in the store.
    pub async fn abort(self) -> Result<(), StoreError> {
        match &self.parts {
            Parts::Bucket { bucket, begun } => {
                bucket
                    .abort(&self.object.key, begun, &self.object.place())
                    .await
            }
            Parts::Direct(_) => Ok(()),
        }
    }
}

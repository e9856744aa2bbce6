//! One object or prefix in an opened store, and everything that callers can do with it.
//!
//! A reference may stand for two keys ([`Reference::url_key`]). A reader asks for the key as it stands, and
//! for the other one only if the first does not exist; the answer counts for all clones of the object. What
//! is written has one key.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::backend::{Backend, Body, ObjectAddress, Part, PartsUpload};
use super::error::{Location, StoreError};
use super::listing::Listing;
use super::reference::Reference;
use super::version::Version;

/// A reference with the store behind it; cheap to clone.
#[derive(Clone, Debug)]
pub struct Object {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) target: ObjectAddress,
    /// The second key of the reference, if it has one.
    pub(super) second: Option<Arc<SecondKey>>,
    /// Largest object that may be read, in MiB; 0 for any.
    pub(super) limit_mib: u64,
}

/// The key that a URL reader finds in a reference.
#[derive(Debug)]
pub(super) struct SecondKey {
    target: ObjectAddress,
    /// Whether the object was found there, and not at the first key; not set before it is found.
    holds: OnceLock<bool>,
}

impl SecondKey {
    pub(super) fn new(target: ObjectAddress) -> Self {
        Self {
            target,
            holds: OnceLock::new(),
        }
    }
}

impl Object {
    /// The reference.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.target.reference
    }

    /// The key in the container: of two, the one where the object was found, or else the first.
    #[must_use]
    pub fn key(&self) -> &str {
        match &self.second {
            Some(second) if second.holds.get() == Some(&true) => &second.target.key,
            _ => &self.target.key,
        }
    }

    /// Asks for the object at its key; of two keys, at the second one if nothing is at the first.
    async fn ask<'a, T>(
        &'a self,
        question: impl Fn(&'a ObjectAddress) -> BoxFuture<'a, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let Some(second) = self.second.as_deref() else {
            return question(&self.target).await;
        };
        match second.holds.get() {
            Some(true) => return question(&second.target).await,
            Some(false) => return question(&self.target).await,
            None => {}
        }
        // If two clones ask at once, either answer is right: both asked for the same keys.
        let first = match question(&self.target).await {
            Err(error) if error.is_absence() => error,
            found => {
                if found.is_ok() {
                    let _ = second.holds.set(false);
                }
                return found;
            }
        };
        match question(&second.target).await {
            Ok(found) => {
                let _ = second.holds.set(true);
                Ok(found)
            }
            Err(last) => Err(last.after(first, [&self.target.key, &second.target.key])),
        }
    }

    /// The object `key` of the same container.
    #[must_use]
    pub fn at_key(&self, key: &str) -> Self {
        let target = ObjectAddress {
            key: key.to_owned(),
            reference: self.reference().at_key(key),
        };
        Self {
            target,
            backend: Arc::clone(&self.backend),
            second: None,
            limit_mib: self.limit_mib,
        }
    }

    /// Whether parts of the object can be read out of order.
    #[must_use]
    pub fn has_ranges(&self) -> bool {
        self.backend.has_ranges()
    }

    /// Reads the object or a range of it, to `u64::MAX` for all that follows.
    ///
    /// The store is asked for `version` only, if that can be asked. Not every store heeds it, so the
    /// caller compares the [version](Body::version) of what it gets, and looks where the bytes
    /// [begin](Body::start) and end. A range that reaches past the end gives the bytes that exist; an
    /// empty object gives nothing.
    ///
    /// # Errors
    /// Any [`StoreError`]; [`StoreError::TooLarge`] by the size of the whole object, before its
    /// bytes are read (never for web addresses, like the reference).
    pub async fn get(
        &self,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> Result<Body, StoreError> {
        let asked = self.ask(|target| self.backend.get(target, range.clone(), version));
        let body = asked.await?;
        self.check_size(body.version.size().unwrap_or_default())?;
        Ok(body)
    }

    /// Refuses an object of `size` bytes if reads are limited to less (`maxDownloadMBs`).
    ///
    /// # Errors
    /// [`StoreError::TooLarge`].
    pub fn check_size(&self, size: u64) -> Result<(), StoreError> {
        let limit = self.limit_mib.saturating_mul(1 << 20);
        if self.limit_mib > 0 && size > limit {
            return Err(StoreError::TooLarge {
                location: self.location(),
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
            location: self.location(),
            size,
            limit,
            remedy: "The limit for messages is fixed: store large values as files",
        }
    }

    /// The error that the object changed after its reading began.
    #[must_use]
    pub fn changed(&self) -> StoreError {
        StoreError::Changed {
            location: self.location(),
        }
    }

    /// Writes the whole object. It appears at once or not at all.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn put(&self, data: Bytes) -> Result<(), StoreError> {
        self.backend.put(&self.target, data).await
    }

    /// Whether the object exists. Needs the right to read it, and no other.
    ///
    /// # Errors
    /// Any [`StoreError`]. A store that hides missing objects from callers who may not list answers
    /// [`StoreError::Denied`].
    pub async fn exists(&self) -> Result<bool, StoreError> {
        match self.ask(|target| self.backend.head(target)).await {
            Ok(()) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Seconds by which this machine's clock is ahead of the store's, negative if it is behind; `None` where the
    /// store has no clock of its own, or does not tell. Needs no rights.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn clock_ahead(&self) -> Result<Option<i64>, StoreError> {
        self.backend.clock_ahead(&self.target).await
    }

    /// Deletes the object. Succeeds if it does not exist, since some stores do not tell.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn delete(&self) -> Result<(), StoreError> {
        match self.backend.delete(&self.target).await {
            Err(StoreError::NotFound { .. }) => Ok(()),
            deleted => deleted,
        }
    }

    /// Begins an upload in parts.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn begin(&self) -> Result<Upload, StoreError> {
        let backend = Arc::clone(&self.backend);
        Ok(Upload(backend.begin(self.target.clone()).await?))
    }

    /// Aborts an upload to this object that another process began, by its [id](Upload::id). Succeeds if
    /// the upload has ended already.
    ///
    /// # Errors
    /// Any [`StoreError`]; the parts may then remain in the store.
    pub async fn abort_upload(&self, id: &str) -> Result<(), StoreError> {
        match self.backend.abort(&self.target, id).await {
            Err(StoreError::NotFound { .. } | StoreError::UploadLost { .. }) => Ok(()),
            aborted => aborted,
        }
    }

    /// Aborts the uploads to this object that other processes began within the last `age` and that are
    /// unfinished: their ids are not known. Returns their number.
    ///
    /// # Errors
    /// Any [`StoreError`]; also that more uploads began than one process can have begun.
    pub async fn abort_recent_uploads(&self, age: Duration) -> Result<usize, StoreError> {
        self.backend.abort_recent(&self.target, age).await
    }

    /// Lists the objects beneath this prefix, page by page: the keys that begin with it and a `/`. Of two
    /// keys, the second one counts if nothing is beneath the first.
    ///
    /// # Errors
    /// Web addresses have no listing.
    pub fn list(&self) -> Result<Listing, StoreError> {
        let beneath = |target: &ObjectAddress| -> Result<_, StoreError> {
            let pages = Arc::clone(&self.backend).list(target.clone())?;
            Ok((target.prefix(), pages))
        };
        let second = self.second.as_deref();
        let second = second.map(|second| beneath(&second.target)).transpose()?;
        let (prefix, pages) = beneath(&self.target)?;
        Ok(Listing::new(prefix, pages, second))
    }

    /// Whether an object of exactly this key exists. Needs the right to list, and no other.
    ///
    /// # Errors
    /// Any [`StoreError`]. For a web address, which has no listing, it returns `false`.
    pub async fn is_there(&self) -> Result<bool, StoreError> {
        let second = self.second.as_deref();
        let first = match self.backend.is_listed(&self.target).await {
            Ok(false) => None,
            Err(error) if second.is_some() && error.is_absence() => Some(error),
            found => return found,
        };
        let Some(second) = second else {
            return Ok(false);
        };
        let found = self.backend.is_listed(&second.target).await;
        let found = found.map_err(|last| match first {
            Some(first) => last.after(first, [&self.target.key, &second.target.key]),
            None => last,
        })?;
        if found {
            let _ = second.holds.set(true);
        }
        Ok(found)
    }

    /// Where the object is: its reference and its store.
    #[must_use]
    pub fn location(&self) -> Location {
        self.backend.location(self.reference())
    }
}

/// An object that is being written in parts. Nothing of it is visible until it is complete.
#[derive(Debug)]
pub struct Upload(Box<dyn PartsUpload>);

impl Upload {
    /// The store's id of the upload; none if the store has no ids.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.id()
    }

    /// Writes the part `index` (from 0), which begins at `offset`. All but the last have one size.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn part(&self, index: usize, offset: u64, data: Bytes) -> Result<Part, StoreError> {
        self.0.part(index, offset, data).await
    }

    /// Makes the object of its parts, in order; `size` is that of all of them, in bytes.
    ///
    /// After a failure the upload can still be [aborted](Self::abort).
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn complete(&mut self, parts: Vec<Part>, size: u64) -> Result<(), StoreError> {
        self.0.complete(parts, size).await
    }

    /// Drops the parts that the store has. Succeeds if it has none any more.
    ///
    /// # Errors
    /// Any [`StoreError`]; the parts may then remain in the store.
    pub async fn abort(self) -> Result<(), StoreError> {
        match self.0.abort().await {
            Err(StoreError::UploadLost { .. }) => Ok(()),
            aborted => aborted,
        }
    }
}

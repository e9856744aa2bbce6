//! What every store can do: one trait, and one kind of body, whatever carries the bytes.
//!
//! A [`Backend`] is one container: a bucket over HTTP (`bucket`), a directory (`directory`), a map in
//! memory (`memory`) or the web (`web`). Each turns its own errors into a [`StoreError`] that names the
//! object. Never here: routing, credentials, limits on the size of a read. Callers: `object` and
//! `listing`; `stores` opens backends.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use object_store::multipart::PartId;

use super::error::{Location, StoreError};
use super::reference::Reference;
use super::version::Version;

/// An object, or a prefix of objects, in the container of a backend.
#[derive(Clone, Debug)]
pub(super) struct ObjectAddress {
    /// The key in the container.
    pub(super) key: String,
    /// What a message names, and what the web is asked for.
    pub(super) reference: Reference,
}

impl ObjectAddress {
    /// What the keys beneath this prefix begin with: `p` and `p/` hold `p/…` and never `p2/…` (spec §8.16).
    pub(super) fn prefix(&self) -> String {
        match self.key.as_str() {
            key if key.is_empty() || key.ends_with('/') => key.to_owned(),
            key => format!("{key}/"),
        }
    }
}

/// The bytes of an object, from some offset on.
pub struct Body {
    /// The version that is read, with the size of the whole object, as far as the store tells.
    pub version: Version,
    /// Offset of the first byte that `stream` gives: that of the range that was asked for; or 0, if the
    /// store sends the object as a whole, since it has no ranges or unpacks the object on the way.
    pub start: u64,
    /// Offset after the last byte that `stream` gives, if the store says it beforehand. It may be less than
    /// what was asked for.
    pub end: Option<u64>,
    /// Whether only the end of the connection marks the end of the bytes, so that a broken answer looks
    /// like a whole one.
    pub ends_by_close: bool,
    /// The bytes. An error after some of them may be an
    /// [interruption](StoreError::is_interruption).
    pub stream: BoxStream<'static, Result<Bytes, StoreError>>,
}

/// An entry of a listing: an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// The whole key.
    pub key: String,
    /// Size in bytes, if the listing gives one.
    pub size: Option<u64>,
}

/// The pages of a listing, each fetched when it is asked for. A page may be empty although more follow.
pub(super) type Pages = BoxStream<'static, Result<Vec<ListEntry>, StoreError>>;

/// A part that the store has.
#[derive(Debug)]
pub struct Part(pub(super) Option<PartId>);

/// One container of a store.
#[async_trait]
pub(super) trait Backend: Debug + Send + Sync {
    /// Where an object of this container is, for messages.
    fn location(&self, reference: &Reference) -> Location;

    /// Whether parts of an object can be read out of order.
    fn has_ranges(&self) -> bool {
        true
    }

    /// Reads the object or a range of it, to `u64::MAX` for all that follows. The store is asked for
    /// `version` if it understands that; what it sends may be of another one all the same.
    async fn get(
        &self,
        target: &ObjectAddress,
        range: Option<Range<u64>>,
        version: Option<&Version>,
    ) -> Result<Body, StoreError>;

    /// Writes the whole object, which appears at once or not at all.
    async fn put(&self, target: &ObjectAddress, data: Bytes) -> Result<(), StoreError>;

    /// Succeeds if the object exists. Needs the right to read it.
    async fn head(&self, target: &ObjectAddress) -> Result<(), StoreError>;

    /// Seconds by which our clock is ahead of the store's; `None` where the store has no clock or does not tell.
    async fn clock_ahead(&self, _: &ObjectAddress) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    /// Deletes the object.
    async fn delete(&self, target: &ObjectAddress) -> Result<(), StoreError>;

    /// Whether a listing has an object of exactly this key. Needs the right to list.
    async fn is_listed(&self, target: &ObjectAddress) -> Result<bool, StoreError>;

    /// Lists the objects beneath the prefix.
    fn list(self: Arc<Self>, prefix: ObjectAddress) -> Result<Pages, StoreError>;

    /// Begins an upload in parts.
    async fn begin(
        self: Arc<Self>,
        target: ObjectAddress,
    ) -> Result<Box<dyn PartsUpload>, StoreError>;

    /// Aborts an upload that another process began; without effect where uploads have no ids.
    async fn abort(&self, _: &ObjectAddress, _id: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// Aborts the uploads to exactly this object that began within the last `age`, and returns their number;
    /// without effect where uploads have no ids. Needs the right to list uploads.
    async fn abort_recent(&self, _: &ObjectAddress, _age: Duration) -> Result<usize, StoreError> {
        Ok(0)
    }
}

/// An upload in parts. Nothing of the object is visible until it is complete.
#[async_trait]
pub(super) trait PartsUpload: Debug + Send + Sync {
    /// The store's id of it, if the store has ids.
    fn id(&self) -> Option<&str> {
        None
    }

    /// Writes the part `index` (from 0), which begins at `offset`.
    async fn part(&self, index: usize, offset: u64, data: Bytes) -> Result<Part, StoreError>;

    /// Makes the object of its parts, which have `size` bytes together.
    async fn complete(&self, parts: Vec<Part>, size: u64) -> Result<(), StoreError>;

    /// Drops the parts that the store has.
    async fn abort(&self) -> Result<(), StoreError>;
}

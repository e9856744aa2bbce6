//! One bucket of a store that speaks HTTP: what S3, Google and Azure have in common, which is nearly all.
//!
//! Objects and uploads in parts go through `object_store`; its signing, retries and listing are
//! replaced: each attempt is authorized anew, so a retried request is never too old and a key may
//! hold any character (`names`); and we list ourselves (`listing`), since the library fails a whole
//! page for one key that it cannot express.
//!
//! Never here: settings, credentials, which reference belongs to which bucket. Callers:
//! `store::object`, and `s3`, `google`, `azure`, which open it.

mod address;
mod begun;
mod listing;
mod names;

use std::sync::Arc;
use std::time::Instant;

use ::http::{Method, StatusCode};
use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::multipart::{MultipartStore, PartId};
use object_store::{
    Attribute, GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt as _, PutPayload,
    RetryConfig,
};

use super::error::{Place, StoreError};
use super::http::{Answer, Authorize, Client, Failure, FailureKind, unheard};
pub(super) use address::{checked_name, endpoint, headers, is_header_text, warn_of_unknown};
pub use begun::Begun;
use begun::Lost;
pub use listing::{Dialect, Page};
pub(super) use names::restore;

/// The library's view of a bucket.
pub trait Library: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Library for T {}

/// One bucket.
#[derive(Debug)]
pub struct Bucket {
    /// The library's store over `address`, which neither signs nor retries.
    pub(super) store: Box<dyn Library>,
    /// For what we ask ourselves.
    pub(super) requests: Client,
    /// Says who we are.
    pub(super) authorize: Arc<dyn Authorize>,
    /// Where the bucket is, without a slash at its end.
    pub(super) address: String,
    /// Where the store is, for messages.
    pub(super) endpoint: String,
    /// What its listings look like.
    pub(super) dialect: Dialect,
    /// What to check where the store does not know us.
    pub(super) identity: &'static str,
}

/// For builders of the library: retries are ours.
pub(super) fn no_retries() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}

/// The beginning of an object's bytes.
pub struct Reading {
    /// Size of the whole object in bytes.
    pub size: u64,
    /// The version that is being read.
    pub etag: Option<String>,
    /// Offset of the first byte that `stream` gives; 0 where the store gives no part of the object.
    pub start: u64,
    /// Whether `stream` gives all of the object, whatever was asked for.
    pub whole: bool,
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, object_store::Error>>,
}

impl Bucket {
    /// The endpoint, for messages.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What to check where the store does not know us.
    pub fn identity(&self) -> &'static str {
        self.identity
    }

    /// Reads `range` of the object, or all of it; only the version `etag`, if given.
    pub async fn get(
        &self,
        key: &str,
        range: Option<std::ops::Range<u64>>,
        etag: Option<&str>,
        place: &Place,
    ) -> Result<Reading, StoreError> {
        let path = path(key, place)?;
        let options = |range: Option<std::ops::Range<u64>>| GetOptions {
            range: range.map(GetRange::Bounded),
            if_match: etag.map(str::to_owned),
            ..GetOptions::default()
        };
        let start = range.as_ref().map(|range| range.start);
        let mut found = self.store.get_opts(&path, options(range)).await;
        let whole = match (start, &found) {
            (Some(start), Err(error)) => has_no_ranges(error, start),
            (asked, _) => asked.is_none(),
        };
        if whole && start.is_some() {
            found = self.store.get_opts(&path, options(None)).await;
        }
        let found =
            found.map_err(|error| StoreError::of_library(&error, place.clone(), "reading"))?;
        if let (Some(expected), Some(actual)) = (etag, found.meta.e_tag.as_deref())
            && expected != actual
        {
            // Not every server honours If-Match.
            return Err(StoreError::Changed {
                place: place.clone(),
            });
        }
        if is_web_page(&found) {
            return Err(StoreError::Foreign {
                place: place.clone(),
                cause: "a web page without an ETag, in the place of an object".to_owned(),
            });
        }
        Ok(Reading {
            size: found.meta.size,
            etag: found.meta.e_tag.clone(),
            start: found.range.start,
            whole,
            stream: found.into_stream().boxed(),
        })
    }

    /// Writes a whole object.
    pub async fn put(&self, key: &str, data: Bytes, place: &Place) -> Result<(), StoreError> {
        let done = self
            .store
            .put(&path(key, place)?, PutPayload::from_bytes(data))
            .await;
        done.map_err(|error| StoreError::of_library(&error, place.clone(), "writing"))?;
        Ok(())
    }

    /// Succeeds if there is such an object.
    pub async fn look(&self, key: &str, place: &Place) -> Result<(), StoreError> {
        let found = self.store.head(&path(key, place)?).await;
        found.map_err(|error| StoreError::of_library(&error, place.clone(), "looking"))?;
        Ok(())
    }

    /// Deletes an object, by a plain request: the library asks for many at once, which not every
    /// server understands.
    pub async fn delete(&self, key: &str, place: &Place) -> Result<(), StoreError> {
        let address = names::address(&self.address, &path(key, place)?);
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = Method::DELETE;
        *request.uri_mut() = address.parse().map_err(|error| StoreError::Refused {
            place: place.clone(),
            action: "deleting",
            cause: format!("no address for its key: {error}"),
        })?;
        let sent = self
            .requests
            .send(&request, self.authorize.as_ref(), Answer::Whole)
            .await;
        sent.map_err(|failure| StoreError::of_failure(&failure, place.clone(), "deleting"))?;
        Ok(())
    }

    /// Begins a multipart upload.
    pub async fn begin(&self, key: &str, place: &Place) -> Result<Begun, StoreError> {
        let (path, since) = (path(key, place)?, Instant::now());
        let (begun, answers) = unheard(self.store.create_multipart(&path)).await;
        let lost = Lost { since, answers };
        match begun {
            Ok(id) => Ok(Begun { id, lost }),
            Err(error) => {
                self.end_unknown(key, None, lost, place).await;
                let action = "beginning an upload";
                Err(StoreError::of_library(&error, place.clone(), action))
            }
        }
    }

    /// Uploads the part with this index, from 0.
    pub async fn part(
        &self,
        key: &str,
        begun: &Begun,
        index: usize,
        data: Bytes,
        place: &Place,
    ) -> Result<PartId, StoreError> {
        let key = path(key, place)?;
        let done = self
            .store
            .put_part(&key, &begun.id, index, PutPayload::from_bytes(data))
            .await;
        done.map_err(|error| StoreError::of_library(&error, place.clone(), "uploading a part"))
    }

    /// Makes the object of its parts, which have `size` bytes together.
    pub async fn complete(
        &self,
        key: &str,
        begun: &Begun,
        parts: Vec<PartId>,
        size: u64,
        place: &Place,
    ) -> Result<(), StoreError> {
        self.assemble(key, &begun.id, parts, size, place).await?;
        self.end_unknown(key, Some(&begun.id), begun.lost, place)
            .await;
        Ok(())
    }

    async fn assemble(
        &self,
        key: &str,
        id: &String,
        parts: Vec<PartId>,
        size: u64,
        place: &Place,
    ) -> Result<(), StoreError> {
        let path = path(key, place)?;
        let Err(error) = self.store.complete_multipart(&path, id, parts).await else {
            return Ok(());
        };
        let error_of = |error| StoreError::of_library(error, place.clone(), "completing an upload");
        // The answer to an earlier attempt was lost, and now there is no such upload any more: it was
        // completed, if the object is there.
        if repeated_and_refused(&error) && self.size(&path).await.is_ok_and(|found| found == size) {
            return Ok(());
        }
        Err(error_of(&error))
    }

    async fn size(&self, path: &object_store::path::Path) -> Result<u64, object_store::Error> {
        Ok(self.store.head(path).await?.size)
    }

    /// Drops the parts uploaded so far.
    pub async fn abort(&self, key: &str, begun: &Begun, place: &Place) -> Result<(), StoreError> {
        let path = path(key, place)?;
        let done = self.store.abort_multipart(&path, &begun.id).await;
        self.end_unknown(key, Some(&begun.id), begun.lost, place)
            .await;
        done.map_err(|error| StoreError::of_library(&error, place.clone(), "aborting an upload"))
    }

    /// Drops the parts of an upload that another process has begun.
    pub async fn abort_id(&self, key: &str, id: &str, place: &Place) -> Result<(), StoreError> {
        let (path, id) = (path(key, place)?, id.to_owned());
        let done = self.store.abort_multipart(&path, &id).await;
        done.map_err(|error| StoreError::of_library(&error, place.clone(), "aborting an upload"))
    }

    /// One page of the objects whose keys begin with `prefix`.
    pub async fn list(
        &self,
        prefix: &str,
        token: Option<&str>,
        place: &Place,
    ) -> Result<Page, StoreError> {
        names::check_length(prefix).map_err(|what| unsupported(what, place))?;
        let request = self.dialect.request(&self.address, prefix, token);
        let page = async {
            let response = self
                .requests
                .send(&request, self.authorize.as_ref(), Answer::Whole)
                .await?;
            self.dialect.read(response).await
        };
        page.await
            .map_err(|failure| StoreError::of_failure(&failure, place.clone(), "listing"))
    }
}

/// Whether an answer comes from a web server that has a page for everything, a sign-in page say: an
/// object that is a page has a version.
fn is_web_page(found: &GetResult) -> bool {
    let kind = found.attributes.get(&Attribute::ContentType);
    found.meta.e_tag.is_none() && kind.is_some_and(|kind| kind.starts_with("text/html"))
}

/// Whether the store gives the object as a whole only. An empty one has no first byte, which servers
/// say with a status of its own, or by not answering in part. Of one that it unpacks on the way
/// (Google, `Content-Encoding: gzip`) a store gives no parts at all.
fn has_no_ranges(error: &object_store::Error, start: u64) -> bool {
    match Failure::within(error) {
        Some(failure) => start == 0 && failure.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE),
        None => matches!(error, object_store::Error::Generic { .. }),
    }
}

/// Whether a request was refused only when it was sent again.
fn repeated_and_refused(error: &object_store::Error) -> bool {
    Failure::within(error).is_some_and(|failure| {
        let repeated = failure.tried.is_some_and(|(attempts, _)| attempts > 1);
        repeated && !failure.is_transient() && failure.kind == FailureKind::Status
    })
}

fn path(key: &str, place: &Place) -> Result<object_store::path::Path, StoreError> {
    names::path(key).map_err(|what| unsupported(what, place))
}

fn unsupported(what: &str, place: &Place) -> StoreError {
    StoreError::Unsupported {
        object: place.object.clone(),
        what: what.to_owned(),
        instead: "Copy the object to a key of ordinary names",
    }
}

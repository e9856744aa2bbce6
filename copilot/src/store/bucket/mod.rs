//! One bucket of a store that speaks HTTP: what S3, Google and Azure have in common, which is nearly
//! everything.
//!
//! Objects and uploads in parts go through `object_store`. Its signing, retries and listing are
//! replaced: each attempt is authorized anew, so a retried request never carries an old signature, a
//! key may hold any character (`names`), and one key that the library cannot express does not fail a
//! whole page (`listing`). `upload` holds uploads in parts, `ambiguous` those whose ids were lost, `completed`
//! those whose end was not told, `checksum` what buckets with Object Lock ask for.
//!
//! Never here: settings, credentials, which reference belongs to which bucket. Callers:
//! `store::object`, through `Backend`; `s3`, `google` and `azure` open buckets.

mod address;
mod ambiguous;
mod checksum;
mod completed;
mod listing;
mod names;
mod upload;

use std::ops::Range;
use std::sync::Arc;

use ::http::{Method, StatusCode};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{
    Attribute, GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt as _, PutPayload,
    RetryConfig,
};

use super::backend::{Backend, Body, ObjectAddress, Pages, PartsUpload, check_version};
use super::error::{Location, StoreError, StoreService};
use super::http::{Answer, Authorize, Client, RequestFailure};
use super::reference::Reference;
pub(super) use address::{checked_name, endpoint, headers, is_header_text, warn_of_unknown};
pub(super) use checksum::ChecksumUploads;
pub(super) use listing::Dialect;
use listing::ListPage;
pub(super) use names::restore;

/// The library's view of a bucket.
pub(super) trait Library: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Library for T {}

/// One bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    /// The library's store over `address`, which neither signs nor retries.
    pub(super) store: Box<dyn Library>,
    /// The same for uploads with checksums, where the store may ask for them.
    pub(super) checksums: Option<ChecksumUploads>,
    /// For the requests that we make ourselves.
    pub(super) requests: Client,
    /// Adds our credentials to a request.
    pub(super) authorize: Arc<dyn Authorize>,
    /// Where the bucket is, without a slash at its end.
    pub(super) address: String,
    /// Where the store is, for messages.
    pub(super) endpoint: String,
    /// The service that it is part of, for messages.
    pub(super) service: &'static StoreService,
    /// The form of its listings.
    pub(super) dialect: Dialect,
}

/// For builders of the library: `http` retries, and nothing else does.
pub(super) fn no_retries() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}

impl Bucket {
    fn error(
        &self,
        error: object_store::Error,
        target: &ObjectAddress,
        action: &'static str,
    ) -> StoreError {
        StoreError::from_library(error, self.location(&target.reference), action)
    }

    fn failed(
        &self,
        failure: RequestFailure,
        target: &ObjectAddress,
        action: &'static str,
    ) -> StoreError {
        StoreError::from_failure(failure, self.location(&target.reference), action)
    }

    /// The library's name for a key.
    fn path(&self, target: &ObjectAddress) -> Result<Path, StoreError> {
        names::path(&target.key).map_err(|what| self.unsupported(what, target))
    }

    fn unsupported(&self, what: &str, target: &ObjectAddress) -> StoreError {
        StoreError::Unsupported {
            object: self.location(&target.reference).object,
            what: what.to_owned(),
            instead: "Copy the object to a key of ordinary names",
        }
    }

    /// A request of ours, without the library.
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, RequestFailure> {
        let authorize = self.authorize.as_ref();
        self.requests.send(request, authorize, Answer::Whole).await
    }

    /// One page of the objects whose keys begin with `prefix`.
    async fn page(
        &self,
        prefix: &str,
        token: Option<&str>,
        target: &ObjectAddress,
    ) -> Result<ListPage, StoreError> {
        names::check_length(prefix).map_err(|what| self.unsupported(what, target))?;
        let request = self.dialect.request(&self.address, prefix, token);
        let page = async {
            let response = self.send(&request).await?;
            self.dialect.read(response).await
        };
        page.await
            .map_err(|failure| self.failed(failure, target, "listing"))
    }

    /// The object, or as much of it as the store gives; and whether that is all of it.
    async fn found(
        &self,
        path: &Path,
        range: Option<Range<u64>>,
        etag: Option<&str>,
    ) -> (Result<GetResult, object_store::Error>, bool) {
        let options = |range: Option<Range<u64>>| GetOptions {
            range: range.map(GetRange::Bounded),
            if_match: etag.map(str::to_owned),
            ..GetOptions::default()
        };
        let Some(range) = range else {
            return (self.store.get_opts(path, options(None)).await, true);
        };
        let start = range.start;
        match self.store.get_opts(path, options(Some(range))).await {
            Err(error) if has_no_ranges(&error, start) => {
                (self.store.get_opts(path, options(None)).await, true)
            }
            found => (found, false),
        }
    }
}

#[async_trait]
impl Backend for Bucket {
    fn location(&self, reference: &Reference) -> Location {
        Location::new(reference, self.endpoint.clone(), self.service)
    }

    async fn get(
        &self,
        target: &ObjectAddress,
        range: Option<Range<u64>>,
        etag: Option<&str>,
    ) -> Result<Body, StoreError> {
        let location = self.location(&target.reference);
        let (found, whole) = self.found(&self.path(target)?, range, etag).await;
        let found = found.map_err(|error| self.error(error, target, "reading"))?;
        // Not every server honours If-Match.
        check_version(etag, found.meta.e_tag.as_deref(), || location.clone())?;
        if is_web_page(&found) {
            return Err(StoreError::Foreign {
                location,
                cause: "a web page without an ETag, in the place of an object".into(),
            });
        }
        Ok(Body {
            size: Some(found.meta.size),
            etag: found.meta.e_tag.clone(),
            start: found.range.start,
            whole,
            stream: found
                .into_stream()
                .map_err(move |error| StoreError::from_library(error, location.clone(), "reading"))
                .boxed(),
        })
    }

    async fn put(&self, target: &ObjectAddress, data: Bytes) -> Result<(), StoreError> {
        let (path, payload) = (self.path(target)?, PutPayload::from_bytes(data));
        let checked = self.checks_uploads();
        let mut done = self.uploads(checked).put(&path, payload.clone()).await;
        if let Err(error) = &done
            && self.can_check(error, checked)
        {
            done = self.uploads(true).put(&path, payload).await;
        }
        done.map_err(|error| self.error(error, target, "writing"))?;
        Ok(())
    }

    async fn head(&self, target: &ObjectAddress) -> Result<(), StoreError> {
        let found = self.store.head(&self.path(target)?).await;
        found.map_err(|error| self.error(error, target, "looking"))?;
        Ok(())
    }

    /// By a plain request: the library deletes many objects by one, which not every server
    /// understands.
    async fn delete(&self, target: &ObjectAddress) -> Result<(), StoreError> {
        let address = names::address(&self.address, &self.path(target)?);
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = Method::DELETE;
        *request.uri_mut() = address.parse().map_err(|error| StoreError::Refused {
            location: self.location(&target.reference),
            action: "deleting",
            cause: format!("its key makes an invalid address: {error}").into(),
        })?;
        let sent = self.send(&request).await;
        sent.map_err(|failure| self.failed(failure, target, "deleting"))?;
        Ok(())
    }

    async fn is_listed(&self, target: &ObjectAddress) -> Result<bool, StoreError> {
        if target.key.is_empty() {
            return Ok(false);
        }
        // Keys come in order, so the key itself comes before those that it begins.
        let page = self.page(&target.key, None, target).await?;
        Ok(page.objects.iter().any(|object| object.key == target.key))
    }

    fn list(self: Arc<Self>, prefix: ObjectAddress) -> Result<Pages, StoreError> {
        /// The token of the page to fetch; none for the first one.
        type Next = Option<Option<String>>;
        let beneath = prefix.prefix();
        let first: Next = Some(None);
        let state = (self, prefix, beneath, first);
        let pages = stream::try_unfold(state, |(bucket, target, beneath, next)| async move {
            let Some(token) = next else { return Ok(None) };
            let page = bucket.page(&beneath, token.as_deref(), &target).await?;
            let next = page.next.map(Some);
            Ok(Some((page.objects, (bucket, target, beneath, next))))
        });
        Ok(pages.boxed())
    }

    async fn begin(
        self: Arc<Self>,
        target: ObjectAddress,
    ) -> Result<Box<dyn PartsUpload>, StoreError> {
        upload::begin(self, target).await
    }

    async fn abort(&self, target: &ObjectAddress, id: &str) -> Result<(), StoreError> {
        let (path, id) = (self.path(target)?, id.to_owned());
        let aborted = self.store.abort_multipart(&path, &id).await;
        aborted.map_err(|error| self.error(error, target, "aborting an upload"))
    }
}

/// Whether an answer comes from a web server that has a page for everything, such as a sign-in page: a
/// store's object has a version even if it is a page.
fn is_web_page(found: &GetResult) -> bool {
    let kind = found.attributes.get(&Attribute::ContentType);
    found.meta.e_tag.is_none() && kind.is_some_and(|kind| kind.starts_with("text/html"))
}

/// Whether the store gives the object as a whole only. An empty object has no first byte: servers
/// say so with a status of its own, or by answering with the whole. An object that the store unpacks
/// on the way (Google, `Content-Encoding: gzip`) has no ranges at all.
fn has_no_ranges(error: &object_store::Error, start: u64) -> bool {
    match RequestFailure::within(error) {
        Some(failure) => start == 0 && failure.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE),
        None => matches!(error, object_store::Error::Generic { .. }),
    }
}

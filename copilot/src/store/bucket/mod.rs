//! One bucket of a store that speaks HTTP: what S3, Google and Azure have in common, which is nearly
//! everything.
//!
//! Uploads go through `object_store`. Its signing, retries, reading and listing are replaced: each attempt
//! is authorized anew, so a retried request never carries an old signature, a key may hold any character
//! (`names`), an object may lack what no reader needs (`read`), and one key that the library cannot
//! express does not fail a whole page (`listing`). `upload` holds uploads in parts, `ambiguous` those whose ids were lost.
//!
//! Never here: settings, credentials, which reference belongs to which bucket. Callers:
//! `store::object`, through `Backend`; `s3`, `google` and `azure` open buckets.

mod address;
mod ambiguous;
mod listing;
mod names;
mod read;
mod upload;

use std::ops::Range;
use std::sync::Arc;

use ::http::Method;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig};

use super::backend::{Backend, Body, ObjectAddress, Pages, PartsUpload};
use super::error::{Location, StoreError, StoreService};
use super::http::{Answer, Authorize, Client, RequestFailure};
use super::reference::Reference;
use super::version::Version;
pub(super) use address::{checked_name, endpoint, headers, is_header_text, warn_of_unknown};
pub(super) use listing::Dialect;
use listing::ListPage;
pub(super) use names::restore;
pub(super) use read::RefusesConditions;

/// The library's view of a bucket.
pub(super) trait Library: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Library for T {}

/// One bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    /// The library's store over `address`, which neither signs nor retries.
    pub(super) store: Box<dyn Library>,
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
    /// What reading has learnt about it.
    pub(super) refuses_conditions: RefusesConditions,
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
        version: Option<&Version>,
    ) -> Result<Body, StoreError> {
        read::get(self, target, range, version).await
    }

    async fn put(&self, target: &ObjectAddress, data: Bytes) -> Result<(), StoreError> {
        let (path, payload) = (self.path(target)?, PutPayload::from_bytes(data));
        let done = self.store.put(&path, payload).await;
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

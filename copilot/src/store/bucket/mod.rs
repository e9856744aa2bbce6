//! One bucket of a store that speaks HTTP: what S3, Google and Azure have in common, which is nearly
//! everything.
//!
//! Uploads go through `object_store`. Its signing, retries, reading and listing are replaced: each attempt
//! is authorized anew, so a retried request never carries an old signature, a key may hold any character
//! (`names`), an object may lack what no reader needs (`read`, `look`), and one key that the library
//! cannot express does not fail a whole page (`listing`). `answer` gives the library what it wants of an
//! answer to a write and we do not need. `upload` holds uploads in parts, `parts` lists what a store has
//! of one, `ambiguous` finds those whose ids were lost, `completed` proves writes whose end was not told,
//! and `checksum` is what buckets with Object Lock ask for. `document` reads the XML of answers, `clock` the time.
//!
//! Never here: settings, credentials, which reference belongs to which bucket. Callers:
//! `store::object`, through `Backend`; `s3`, `google` and `azure` open buckets.

mod address;
mod ambiguous;
mod answer;
mod checksum;
mod clock;
mod completed;
mod document;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzz;
mod listing;
mod look;
mod names;
mod parts;
mod read;
mod upload;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::Method;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig};

use super::backend::{Backend, Body, ListEntry, ObjectAddress, Pages, PartsUpload};
use super::error::{Location, StoreError, StoreService};
use super::http::{Answer, Authorize, Client, RequestFailure};
use super::reference::Reference;
use super::version::Version;
pub(super) use address::{checked_name, endpoint, headers, is_header_text, warn_of_unknown};
pub(super) use answer::WriteAnswers;
pub(super) use checksum::ChecksumUploads;
use completed::{Expected, Incomplete};
pub(super) use listing::Dialect;
use listing::{Walk, encoded};
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

    /// A request of ours for an object.
    fn request(
        &self,
        method: Method,
        target: &ObjectAddress,
        action: &'static str,
    ) -> Result<HttpRequest, StoreError> {
        let address = names::address(&self.address, &self.path(target)?);
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method;
        *request.uri_mut() = address.parse().map_err(|error| StoreError::Refused {
            location: self.location(&target.reference),
            action,
            cause: format!("its key makes an invalid address: {error}").into(),
        })?;
        Ok(request)
    }

    /// The error of a write whose answer does not say what was written, as a look at the object does not
    /// either: a web server says yes to everything.
    fn unproven(&self, target: &ObjectAddress, reason: &Incomplete) -> StoreError {
        StoreError::Foreign {
            location: self.location(&target.reference),
            cause: format!("the answer to a write has no ETag, and {reason}").into(),
        }
    }

    /// The next page of a listing, or `None` at its end.
    async fn next_page(
        &self,
        walk: &mut Walk,
        target: &ObjectAddress,
    ) -> Result<Option<Vec<ListEntry>>, StoreError> {
        names::check_length(walk.prefix()).map_err(|what| self.unsupported(what, target))?;
        let page = async {
            while let Some(request) = walk.request(&self.address) {
                let response = match self.send(&request).await {
                    Err(failure) if is_not_implemented(&failure) && walk.falls_back() => continue,
                    answered => answered?,
                };
                let page = self.dialect.read(response).await?;
                let page = walk.take(page);
                return page.map(Some).map_err(|error| self.dialect.refused(&error));
            }
            Ok(None)
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
        let payload = PutPayload::from_bytes(data.clone());
        let path = self.path(target)?;
        let checked = self.checks_uploads();
        let since = Instant::now();
        let mut done = self.uploads(checked).put(&path, payload.clone()).await;
        if let Err(error) = &done
            && self.can_check(error, checked)
        {
            done = self.uploads(true).put(&path, payload).await;
        }
        let done = done.map_err(|error| self.error(error, target, "writing"))?;
        if answer::is_named(&done) {
            return Ok(());
        }
        let expected = Expected::of_whole(&data, since.elapsed());
        let proven = completed::look(self, target, &expected).await;
        proven.map_err(|reason| self.unproven(target, &reason))
    }

    async fn head(&self, target: &ObjectAddress) -> Result<(), StoreError> {
        look::exists(self, target).await
    }

    async fn clock_ahead(&self, target: &ObjectAddress) -> Result<Option<i64>, StoreError> {
        clock::ahead(self, target).await
    }

    /// By a plain request: the library deletes many objects by one, which not every server
    /// understands.
    async fn delete(&self, target: &ObjectAddress) -> Result<(), StoreError> {
        let request = self.request(Method::DELETE, target, "deleting")?;
        let sent = self.send(&request).await;
        sent.map_err(|failure| self.failed(failure, target, "deleting"))?;
        Ok(())
    }

    async fn is_listed(&self, target: &ObjectAddress) -> Result<bool, StoreError> {
        if target.key.is_empty() {
            return Ok(false);
        }
        let mut walk = Walk::new(self.dialect, target.key.clone());
        while let Some(page) = self.next_page(&mut walk, target).await? {
            if page.iter().any(|object| object.key == target.key) {
                return Ok(true);
            }
            // Where keys come in order, the key itself comes before those that it begins.
            if !page.is_empty() && page.is_sorted_by(|a, b| a.key < b.key) {
                break;
            }
        }
        Ok(false)
    }

    fn list(self: Arc<Self>, prefix: ObjectAddress) -> Result<Pages, StoreError> {
        let walk = Walk::new(self.dialect, prefix.prefix());
        let state = (self, prefix, walk);
        let pages = stream::try_unfold(state, |(bucket, target, mut walk)| async move {
            let page = bucket.next_page(&mut walk, &target).await?;
            Ok(page.map(|page| (page, (bucket, target, walk))))
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

    async fn abort_recent(
        &self,
        target: &ObjectAddress,
        age: Duration,
    ) -> Result<usize, StoreError> {
        ambiguous::abort_recent(self, target, age).await
    }
}

/// Whether a store refuses what it does not know, as some do with the second version of listings.
fn is_not_implemented(failure: &RequestFailure) -> bool {
    let reply = failure.reply.as_deref();
    reply.is_some_and(
        |reply| match (reply.status.as_u16(), reply.code.as_deref()) {
            (405 | 501, _) => true,
            (400, Some(code)) => matches!(
                code,
                "InvalidArgument" | "InvalidRequest" | "NotImplemented"
            ),
            _ => false,
        },
    )
}

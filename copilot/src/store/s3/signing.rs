//! Signs requests for S3, each attempt anew. Caller: `http`, through `Authorize`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, Method};
use http_body::Body as _;
use md5::{Digest as _, Md5};
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpRequest, HttpRequestBody};

use super::identity::NAME;
use crate::store::bucket::restore;
use crate::store::credentials::{CredentialCache, not_fetched};
use crate::store::http::{Authorize, FailureKind, RequestFailure, causes};

/// Signature version 4 for one bucket.
#[derive(Debug)]
pub(super) struct S3Signer {
    credentials: CredentialCache<Arc<AwsCredential>>,
    region: String,
    sign_payload: bool,
    /// Whether the bucket wants each upload with `Content-MD5`.
    content_md5: Arc<AtomicBool>,
    headers: HeaderMap,
}

impl S3Signer {
    pub(super) fn new(
        credentials: CredentialCache<Arc<AwsCredential>>,
        region: &str,
        sign_payload: bool,
        content_md5: Arc<AtomicBool>,
        headers: HeaderMap,
    ) -> Self {
        Self {
            credentials,
            region: region.to_owned(),
            sign_payload,
            content_md5,
            headers,
        }
    }
}

#[async_trait]
impl Authorize for S3Signer {
    async fn authorize(&self, request: &mut HttpRequest) -> Result<(), RequestFailure> {
        let fetched = self.credentials.get().await;
        let credential = fetched.map_err(|failure| not_fetched(NAME, &failure))?;
        let protocol = |message: String| RequestFailure::new(FailureKind::Protocol, message);

        restore(request)?;
        request.headers_mut().extend(self.headers.clone());
        if *request.method() == Method::PUT && self.content_md5.load(Ordering::Relaxed) {
            let mut digest = Md5::new();
            read(request.body().clone(), |data| digest.update(data)).await;
            let value = BASE64_STANDARD.encode(digest.finalize());
            let value = value.parse().map_err(|_| protocol("a digest".to_owned()))?;
            let name = HeaderName::from_static("content-md5");
            request.headers_mut().insert(name, value);
        }
        let digest = if self.sign_payload {
            let mut digest = Context::new(&SHA256);
            read(request.body().clone(), |data| digest.update(data)).await;
            Some(digest.finish().as_ref().to_vec())
        } else {
            None
        };
        AwsAuthorizer::new(&credential, "s3", &self.region)
            .with_sign_payload(self.sign_payload)
            .try_authorize(request, digest.as_deref())
            .map_err(|error| protocol(causes(&error)))
    }

    async fn renew(&self) -> bool {
        self.credentials.renew().await
    }
}

/// Hands over the pieces of a body that is held in memory.
async fn read(mut body: HttpRequestBody, mut piece: impl FnMut(&[u8])) {
    let mut next =
        async || std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await;
    while let Some(Ok(frame)) = next().await {
        if let Ok(data) = frame.into_data() {
            piece(&data);
        }
    }
}

//! Signs requests for S3, each attempt anew. Caller: `http`, through `Authorize`.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest::{Context, SHA256};
use http::HeaderMap;
use http_body::Body as _;
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
    headers: HeaderMap,
}

impl S3Signer {
    pub(super) fn new(
        credentials: CredentialCache<Arc<AwsCredential>>,
        region: &str,
        sign_payload: bool,
        headers: HeaderMap,
    ) -> Self {
        Self {
            credentials,
            region: region.to_owned(),
            sign_payload,
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
        let digest = if self.sign_payload {
            Some(sha256(request.body().clone()).await)
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

/// The digest of a body that is held in memory.
async fn sha256(mut body: HttpRequestBody) -> Vec<u8> {
    let mut digest = Context::new(&SHA256);
    let mut next =
        async || std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await;
    while let Some(Ok(frame)) = next().await {
        if let Ok(data) = frame.into_data() {
            digest.update(&data);
        }
    }
    digest.finish().as_ref().to_vec()
}

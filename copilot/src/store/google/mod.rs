//! Google Cloud Storage, through its XML interface: S3's objects, listings and uploads in parts, with a
//! bearer token in place of a signature. `keys` reads stow's settings (spec §6.4), `account` credential
//! files, `federation` those of other platforms; `token` gets tokens, by way of `exchange`.
//! `store::bucket` does the rest.
//!
//! Never here: objects and listings. Caller: `store::stores`.

mod account;
mod exchange;
mod federation;
mod keys;
mod token;

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, header};
use object_store::client::HttpRequest;
use object_store::gcp::GoogleCloudStorageBuilder;

use super::bucket::{
    Bucket, Dialect, RefusesConditions, WriteAnswers, checked_name, no_retries, restore,
};
use super::credentials::CredentialCache;
use super::error::{SettingError, StoreService};
use super::http::{Authorize, Client, RequestFailure, Service};
pub(super) use keys::GoogleStoreSettings;

/// The service, for messages.
static SERVICE: StoreService = StoreService {
    name: "Google Cloud Storage",
    identity: "json and scopes in storage.stow.config, GOOGLE_APPLICATION_CREDENTIALS, or the service account of the pod",
};

/// Opens `bucket` as the settings say; no request is made.
pub(super) fn open(
    settings: &GoogleStoreSettings,
    bucket: &str,
    client: Client,
) -> Result<Bucket, SettingError> {
    checked_name(bucket)?;
    let bearer = Arc::new(Bearer {
        tokens: settings.tokens(&client)?,
        headers: settings.headers().clone(),
    });
    let store = GoogleCloudStorageBuilder::new()
        .with_bucket_name(bucket)
        .with_base_url(settings.endpoint())
        // Never sent: each attempt gets its own.
        .with_bearer_token("")
        .with_skip_signature(true)
        .with_retry(no_retries())
        .with_http_connector(WriteAnswers::new(Service::new(
            client.clone(),
            Arc::clone(&bearer) as _,
        )))
        .build()?;
    Ok(Bucket {
        store: Box::new(store),
        checksums: None,
        requests: client,
        authorize: bearer,
        address: format!("{}/{bucket}", settings.endpoint()),
        endpoint: settings.endpoint().to_owned(),
        service: &SERVICE,
        dialect: Dialect::S3,
        refuses_conditions: RefusesConditions::default(),
    })
}

/// Adds the token of the moment; without tokens, requests are anonymous.
#[derive(Debug)]
struct Bearer {
    tokens: Option<CredentialCache<HeaderValue>>,
    headers: HeaderMap,
}

#[async_trait]
impl Authorize for Bearer {
    async fn authorize(&self, request: &mut HttpRequest) -> Result<(), RequestFailure> {
        restore(request)?;
        request.headers_mut().extend(self.headers.clone());
        request.headers_mut().remove(header::AUTHORIZATION);
        if let Some(tokens) = &self.tokens {
            let token = tokens.get().await?;
            request.headers_mut().insert(header::AUTHORIZATION, token);
        }
        Ok(())
    }

    async fn renew(&self) -> bool {
        match &self.tokens {
            Some(tokens) => tokens.renew().await,
            None => false,
        }
    }
}

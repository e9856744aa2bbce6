//! Google Cloud Storage, through its XML interface: S3's objects, listings and uploads in parts, with a
//! bearer token in place of a signature. `keys` reads stow's settings (spec §6.4), `account` the
//! files that say who we are, also to others than Google (`federation`), `token` gets tokens and keeps
//! them. The rest is `store::bucket`.
//!
//! Never here: objects and listings. Caller: `store::stores`.

mod account;
mod federation;
mod keys;
mod token;

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, header};
use object_store::client::HttpRequest;
use object_store::gcp::GoogleCloudStorageBuilder;

use super::bucket::{Bucket, Dialect, checked_name, no_retries, restore};
use super::http::{Authorize, Client, Failure, Service};
pub use keys::Settings;
use token::Tokens;

/// Opens `bucket` as the settings say; no request is made.
pub fn open(settings: &Settings, bucket: &str, client: Client) -> Result<Bucket, String> {
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
        .with_http_connector(Service::new(client.clone(), Arc::clone(&bearer) as _))
        .build()
        .map_err(|error| error.to_string())?;
    Ok(Bucket {
        store: Box::new(store),
        requests: client,
        authorize: bearer,
        address: format!("{}/{bucket}", settings.endpoint()),
        endpoint: settings.endpoint().to_owned(),
        service: "Google Cloud Storage",
        dialect: Dialect::S3,
        identity: "json and scopes in storage.stow.config, GOOGLE_APPLICATION_CREDENTIALS, or the service account of the pod",
    })
}

/// Adds the token of the moment; without a source of tokens requests are anonymous.
#[derive(Debug)]
struct Bearer {
    tokens: Option<Tokens>,
    headers: HeaderMap,
}

#[async_trait]
impl Authorize for Bearer {
    async fn authorize(&self, request: &mut HttpRequest) -> Result<(), Failure> {
        restore(request)?;
        request.headers_mut().extend(self.headers.clone());
        request.headers_mut().remove(header::AUTHORIZATION);
        if let Some(tokens) = &self.tokens {
            let token = tokens.header().await?;
            request.headers_mut().insert(header::AUTHORIZATION, token);
        }
        Ok(())
    }

    async fn renew(&self) -> bool {
        match &self.tokens {
            Some(tokens) => tokens.forget().await,
            None => false,
        }
    }
}

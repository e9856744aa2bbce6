//! Azure Blob Storage: blobs in containers of one account, large ones put together of blocks. `keys` reads
//! stow's settings (spec §6.4) and finds the credentials; `connection` is one text for all of them. The
//! rest is `store::bucket`.
//!
//! Blocks that no list of blocks ever names cannot be deleted: Azure drops them after a week.
//!
//! Never here: objects and listings. Caller: `store::stores`.

mod connection;
mod keys;

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, Method};
use object_store::azure::{AzureAuthorizer, AzureCredentialProvider};
use object_store::client::HttpRequest;

use super::bucket::{Bucket, Dialect, checked_name, restore};
use super::http::{Authorize, Client, Failure, FailureKind, Service, causes};
pub use keys::Settings;

/// Opens `container` as the settings say; no request is made.
pub fn open(settings: &Settings, container: &str, client: Client) -> Result<Bucket, String> {
    checked_name(container)?;
    let signer = Arc::new(Signer {
        credentials: settings.credentials(&client)?,
        account: settings.account().to_owned(),
        headers: settings.headers().clone(),
    });
    let store = keys::builder(settings.account(), container)
        .with_endpoint(settings.endpoint().to_owned())
        .with_allow_http(true)
        .with_skip_signature(true)
        // Never used: each attempt is signed below.
        .with_bearer_token_authorization("")
        .with_http_connector(Service::new(client.clone(), Arc::clone(&signer) as _))
        .build()
        .map_err(|error| error.to_string())?;
    Ok(Bucket {
        store: Box::new(store),
        requests: client,
        authorize: signer,
        address: format!("{}/{container}", settings.endpoint()),
        endpoint: settings.endpoint().to_owned(),
        service: "Azure Blob Storage",
        dialect: Dialect::Azure,
        identity: "account, key and sas_token in storage.stow.config, or the identity of the pod",
    })
}

/// Signs requests for one account, attempt by attempt.
#[derive(Debug)]
struct Signer {
    credentials: AzureCredentialProvider,
    account: String,
    headers: HeaderMap,
}

#[async_trait]
impl Authorize for Signer {
    async fn authorize(&self, request: &mut HttpRequest) -> Result<(), Failure> {
        let credential = self.credentials.get_credential().await.map_err(|error| {
            let cause = Failure::within(&error).map_or_else(|| causes(&error), ToString::to_string);
            let message = format!("no Azure credentials could be fetched: {cause}");
            Failure::new(FailureKind::Credentials, message)
        })?;
        restore(request)?;
        request.headers_mut().extend(self.headers.clone());
        if *request.method() == Method::DELETE {
            // Else a blob that has any would stay, and the error with it.
            let include = HeaderValue::from_static("include");
            let headers = request.headers_mut();
            headers.insert("x-ms-delete-snapshots", include);
        }
        AzureAuthorizer::new(&credential, &self.account)
            .try_authorize(request)
            .map_err(|error| Failure::new(FailureKind::Protocol, causes(&error)))
    }
}

//! Azure Blob Storage: blobs in containers of one account, large ones made of blocks. `keys` reads stow's
//! settings (spec §6.4) and finds the credentials; `connection` reads one text that holds all of them.
//! `store::bucket` does the rest.
//!
//! Blocks that no list of blocks names cannot be deleted: Azure drops them after a week.
//!
//! Never here: objects and listings. Caller: `store::stores`.

mod connection;
mod keys;

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, Method};
use object_store::azure::{AzureAuthorizer, AzureCredential};
use object_store::client::HttpRequest;

use super::bucket::{Bucket, Dialect, RefusesConditions, WriteAnswers, checked_name, restore};
use super::credentials::{CredentialCache, not_fetched};
use super::error::{SettingError, StoreService};
use super::http::{Authorize, Client, FailureKind, RequestFailure, Service, causes};
pub(super) use keys::AzureStoreSettings;

/// The service, for messages.
static SERVICE: StoreService = StoreService {
    name: "Azure Blob Storage",
    identity: "account, key and sas_token in storage.stow.config, or the identity of the pod",
};

/// Opens `container` as the settings say; no request is made.
pub(super) fn open(
    settings: &AzureStoreSettings,
    container: &str,
    client: Client,
) -> Result<Bucket, SettingError> {
    checked_name(container)?;
    let signer = Arc::new(AzureSigner {
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
        .with_http_connector(WriteAnswers::new(Service::new(
            client.clone(),
            Arc::clone(&signer) as _,
        )))
        .build()?;
    Ok(Bucket {
        store: Box::new(store),
        checksums: None,
        requests: client,
        authorize: signer,
        address: format!("{}/{container}", settings.endpoint()),
        endpoint: settings.endpoint().to_owned(),
        service: &SERVICE,
        dialect: Dialect::Azure,
        refuses_conditions: RefusesConditions::default(),
    })
}

/// Signs requests for one account, attempt by attempt.
#[derive(Debug)]
struct AzureSigner {
    credentials: CredentialCache<Arc<AzureCredential>>,
    account: String,
    headers: HeaderMap,
}

#[async_trait]
impl Authorize for AzureSigner {
    async fn authorize(&self, request: &mut HttpRequest) -> Result<(), RequestFailure> {
        let fetched = self.credentials.get().await;
        let credential = fetched.map_err(|failure| not_fetched(keys::NAME, &failure))?;
        restore(request)?;
        request.headers_mut().extend(self.headers.clone());
        if *request.method() == Method::DELETE {
            // Without it a blob that has snapshots would stay.
            let include = HeaderValue::from_static("include");
            let headers = request.headers_mut();
            headers.insert("x-ms-delete-snapshots", include);
        }
        AzureAuthorizer::new(&credential, &self.account)
            .try_authorize(request)
            .map_err(|error| RequestFailure::new(FailureKind::Protocol, causes(&error)))
    }

    async fn renew(&self) -> bool {
        self.credentials.renew().await
    }
}

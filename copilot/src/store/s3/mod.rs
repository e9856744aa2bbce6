//! Amazon S3 and servers that speak its protocol: stow's settings (`keys`, spec §6.4), our credentials
//! (`access`, `identity`) and their signature (`signing`). `store::bucket` does the rest.
//!
//! Never here: objects and listings. Caller: `store::stores`.

mod access;
mod identity;
mod keys;
mod signing;

use std::sync::Arc;

use super::bucket::{Bucket, Dialect, RefusesConditions, WriteAnswers};
use super::error::{SettingError, StoreService};
use super::http::{Client, Service};
pub(super) use keys::S3StoreSettings;

/// The service, for messages.
static SERVICE: StoreService = StoreService {
    name: "S3",
    identity: "auth_type, access_key_id and secret_key in storage.stow.config, or the role of the pod",
};

/// Opens `bucket` as the settings say; no request is made.
pub(super) fn open(
    settings: &S3StoreSettings,
    bucket: &str,
    client: Client,
) -> Result<Bucket, SettingError> {
    let address = settings.address(bucket)?;
    let signer = Arc::new(signing::S3Signer::new(
        settings.access().credentials(settings.region(), &client)?,
        settings.region(),
        settings.signs_payload(&address),
        settings.headers().clone(),
    ));
    let store = settings
        .builder(&address, bucket)
        .with_http_connector(WriteAnswers::new(Service::new(
            client.clone(),
            Arc::clone(&signer) as _,
        )))
        .build()?;
    Ok(Bucket {
        store: Box::new(store),
        requests: client,
        authorize: signer,
        endpoint: settings.endpoint().to_owned(),
        address,
        service: &SERVICE,
        dialect: Dialect::S3,
        refuses_conditions: RefusesConditions::default(),
    })
}

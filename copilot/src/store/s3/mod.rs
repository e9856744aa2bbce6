//! Amazon S3 and whatever speaks like it: stow's settings (`keys`, spec §6.4), who we are (`access`,
//! `identity`) and how that is said (`signing`). The rest is `store::bucket`.
//!
//! Never here: objects and listings. Caller: `store::stores`.

mod access;
mod identity;
mod keys;
mod signing;

use std::sync::Arc;

use super::bucket::{Bucket, Dialect};
use super::http::{Client, Service};
pub use keys::Settings;

/// Opens `bucket` as the settings say; no request is made.
pub fn open(settings: &Settings, bucket: &str, client: Client) -> Result<Bucket, String> {
    let address = settings.address(bucket)?;
    let signer = Arc::new(signing::Signer::new(
        access::Identity::new(settings.access(), settings.region(), &client)?,
        settings.region(),
        settings.signs_payload(&address),
        settings.headers().clone(),
    ));
    let store = settings
        .builder(&address, bucket)
        .with_http_connector(Service::new(client.clone(), Arc::clone(&signer) as _))
        .build()
        .map_err(|error| error.to_string())?;
    Ok(Bucket {
        store: Box::new(store),
        requests: client,
        authorize: signer,
        endpoint: settings.endpoint().to_owned(),
        address,
        service: "S3",
        dialect: Dialect::S3,
        identity: "auth_type, access_key_id and secret_key in storage.stow.config, or the role of the pod",
    })
}

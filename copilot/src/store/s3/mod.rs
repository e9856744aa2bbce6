//! Amazon S3 and whatever speaks like it: who we are (`keys`, stow's settings, spec §6.4) and how that is
//! said (`signing`). The rest is `store::bucket`.
//!
//! Never here: objects and listings. Caller: `store::stores`.

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
        settings.credentials(&client)?,
        settings.region(),
        // Over TLS the payload is protected already, as every SDK reasons.
        address.starts_with("http://"),
        settings.headers().clone(),
    ));
    let store = keys::builder(&address, bucket, settings.region())
        .with_http_connector(Service::new(client.clone(), Arc::clone(&signer) as _))
        .build()
        .map_err(|error| error.to_string())?;
    Ok(Bucket {
        store: Box::new(store),
        requests: client,
        authorize: signer,
        endpoint: settings.endpoint().to_owned(),
        address,
        dialect: Dialect::S3,
        identity: "auth_type, access_key_id and secret_key in storage.stow.config, or the role of the pod",
    })
}

//! Amazon S3 and servers that speak its protocol: stow's settings (`keys`, spec §6.4), our credentials
//! (`access`, `identity`) and their signature (`signing`). `store::bucket` does the rest.
//!
//! Never here: objects and listings. Caller: `store::stores`.

mod access;
pub(super) mod identity;
mod keys;
mod signing;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use object_store::aws::{AmazonS3Builder, Checksum};

use super::bucket::{Bucket, ChecksumUploads, Dialect, RefusesConditions, WriteAnswers};
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
    let content_md5 = Arc::new(AtomicBool::new(false));
    let signer = Arc::new(signing::S3Signer::new(
        settings.access().credentials(settings.region(), &client)?,
        settings.region(),
        settings.signs_payload(&address),
        Arc::clone(&content_md5),
        settings.headers().clone(),
    ));
    let service = Service::new(client.clone(), Arc::clone(&signer) as _);
    let connector = || WriteAnswers::new(service.clone());
    let build = |builder: AmazonS3Builder| builder.with_http_connector(connector()).build();
    let builder = settings.builder(&address, bucket);
    let checksums = if settings.has_checksum() {
        None
    } else {
        let checked = build(builder.clone().with_checksum_algorithm(Checksum::SHA256))?;
        Some(ChecksumUploads::new(Box::new(checked), content_md5))
    };
    let store = build(builder)?;
    Ok(Bucket {
        store: Box::new(store),
        checksums,
        requests: client,
        authorize: signer,
        endpoint: settings.endpoint().to_owned(),
        address,
        service: &SERVICE,
        dialect: Dialect::S3,
        refuses_conditions: RefusesConditions::default(),
    })
}

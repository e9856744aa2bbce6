//! The `storage` section, as the reference names it (spec §1.4, §6.3–§6.6).

use std::collections::BTreeMap;

/// Where data lives and how to reach it: the resolved `storage.*` settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageSettings {
    /// `storage.type`: `stow`, `s3`, `minio`, `local`, `mem`, … as given.
    pub store_type: String,
    /// `storage.stow.kind`: `s3`, `google`, `azure`, `local`, …; empty when not given.
    pub stow_kind: String,
    /// `storage.stow.config`: the backend's keys (spec §6.4).
    pub stow_config: BTreeMap<String, String>,
    /// `storage.container`: the base bucket.
    pub container: String,
    /// `storage.enable-multicontainer`: whether other buckets may be opened.
    pub multicontainer: bool,
    /// `storage.limits.maxDownloadMBs`: largest object read from a store, in MiB; 0 = no limit.
    pub max_download_mib: u64,
    /// `storage.schemes.<scheme>`: backends for references of other schemes.
    pub schemes: BTreeMap<String, SchemeSettings>,
    /// `storage.defaultHttpClient`.
    pub http: HttpSettings,
}

/// One entry of `storage.schemes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemeSettings {
    /// The stow kind of the backend.
    pub kind: String,
    /// The backend's keys (spec §6.4).
    pub config: BTreeMap<String, String>,
}

/// `storage.defaultHttpClient`: what requests to stores carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpSettings {
    /// Headers added to each request.
    pub headers: BTreeMap<String, String>,
}

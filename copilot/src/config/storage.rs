//! The `storage` section, as the reference names it (spec §1.4, §6.3–§6.6).

use std::collections::BTreeMap;
use std::fmt;

use super::secret::Redacted;

/// Where data lives and how to reach it: the resolved `storage.*` settings.
///
/// Its `Debug` form hides the values of keys that may be secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StorageSettings {
    /// `storage.type`: `stow`, `s3`, `minio`, `local`, `mem`, … as given.
    pub store_type: String,
    /// `storage.stow.kind`: `s3`, `google`, `azure`, `local`, …; empty when not given.
    pub stow_kind: String,
    /// `storage.stow.config`: the backend's keys (spec §6.4), in lower case. The booleans among
    /// them are written `true` or `false`, however they were spelled.
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

/// One entry of `storage.schemes`. Its `Debug` form hides what may be secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SchemeSettings {
    /// The stow kind of the backend.
    pub kind: String,
    /// The backend's keys (spec §6.4), in lower case, booleans as in [`StorageSettings`].
    pub config: BTreeMap<String, String>,
}

/// `storage.defaultHttpClient`: what requests to stores carry. Its `Debug` form names the headers
/// and hides their values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HttpSettings {
    /// Headers added to each request, names in lower case.
    pub headers: BTreeMap<String, String>,
}

impl fmt::Debug for StorageSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StorageSettings")
            .field("store_type", &self.store_type)
            .field("stow_kind", &self.stow_kind)
            .field("stow_config", &Redacted(&self.stow_config))
            .field("container", &self.container)
            .field("multicontainer", &self.multicontainer)
            .field("max_download_mib", &self.max_download_mib)
            .field("schemes", &self.schemes)
            .field("http", &self.http)
            .finish()
    }
}

impl fmt::Debug for SchemeSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SchemeSettings")
            .field("kind", &self.kind)
            .field("config", &Redacted(&self.config))
            .finish()
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpSettings")
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish()
    }
}

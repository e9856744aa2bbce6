//! The `storage` section, with the reference's names (spec §1.4, §6.3–§6.6).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::secret::SecretPairs;
use super::syntax::SyntaxError;

/// Where the data is and how to reach it: the resolved `storage.*` settings.
///
/// `Debug` hides the values of keys that may be secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StorageSettings {
    /// `storage.type`: `stow`, `s3`, `minio`, `local`, `mem`, … as given.
    pub store_type: String,
    /// `storage.stow.kind`: `s3`, `google`, `azure`, `local`, …; empty if not given.
    pub stow_kind: String,
    /// `storage.stow.config`: the backend's keys (spec §6.4), in lower case. Booleans are always `true`
    /// or `false`.
    pub stow_config: SecretPairs,
    /// `storage.container`: the base bucket.
    pub container: String,
    /// `storage.enable-multicontainer`: whether other buckets may be opened.
    pub multicontainer: bool,
    /// `storage.single-store`: whether references of every scheme belong to the primary store, as in
    /// older versions of the reference (spec §6.3).
    pub single_store: bool,
    /// `storage.limits.maxDownloadMBs`: largest object to read from a store, in MiB; 0 means no limit.
    pub max_download_mib: u64,
    /// `storage.schemes.<scheme>`: backends for references of other schemes.
    pub schemes: BTreeMap<String, SchemeSettings>,
    /// `storage.defaultHttpClient`.
    pub http: HttpSettings,
    /// `storage.s3`: defaults for S3 stores. A store's own keys win over them.
    pub s3: S3Settings,
}

/// How uploads to an S3 store are protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct S3Settings {
    /// `storage.s3.sign-payload`; the store's key is `sign_payload`.
    pub sign_payload: SignPayload,
    /// `storage.s3.upload-checksum`; the store's key is `upload_checksum`.
    pub upload_checksum: UploadChecksum,
}

/// Whether a request's signature covers its payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignPayload {
    /// Only for connections without TLS.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The checksum of uploads, which the store verifies and keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UploadChecksum {
    /// No checksum: not every store supports them.
    #[default]
    None,
    /// SHA-256.
    Sha256,
    /// CRC-64/NVME.
    Crc64Nvme,
}

impl FromStr for SignPayload {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        match text.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err(SyntaxError::new("it must be auto, always or never")),
        }
    }
}

impl FromStr for UploadChecksum {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        match text.to_ascii_lowercase().as_str() {
            "none" => Ok(Self::None),
            "sha256" => Ok(Self::Sha256),
            "crc64nvme" => Ok(Self::Crc64Nvme),
            _ => Err(SyntaxError::new("it must be none, sha256 or crc64nvme")),
        }
    }
}

/// One entry of `storage.schemes`. `Debug` hides values that may be secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SchemeSettings {
    /// The stow kind of the backend.
    pub kind: String,
    /// The backend's keys (spec §6.4), in lower case, booleans as in [`StorageSettings`].
    pub config: SecretPairs,
}

/// `storage.defaultHttpClient`: settings of all requests to stores. `Debug` hides the values of headers.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HttpSettings {
    /// Headers added to each request, names in lower case.
    pub headers: SecretPairs,
    /// `storage.defaultHttpClient.caFile`: file of PEM certificates to trust in addition to the system's;
    /// empty if not given.
    pub ca_file: String,
}

impl fmt::Debug for StorageSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StorageSettings")
            .field("store_type", &self.store_type)
            .field("stow_kind", &self.stow_kind)
            .field("stow_config", &self.stow_config)
            .field("container", &self.container)
            .field("multicontainer", &self.multicontainer)
            .field("single_store", &self.single_store)
            .field("max_download_mib", &self.max_download_mib)
            .field("schemes", &self.schemes)
            .field("http", &self.http)
            .field("s3", &self.s3)
            .finish()
    }
}

impl fmt::Debug for SchemeSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SchemeSettings")
            .field("kind", &self.kind)
            .field("config", &self.config)
            .finish()
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpSettings")
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("ca_file", &self.ca_file)
            .finish()
    }
}

//! The settings of an S3 store: stow's keys (spec §6.4), and where credentials come from (§6.5). Caller:
//! `stores`.

use std::collections::BTreeMap;

use http::HeaderMap;
use object_store::aws::{AmazonS3Builder, Checksum};

use super::access::S3Access;
use crate::config::{HttpSettings, S3Settings, SignPayload, SyntaxError, UploadChecksum};
use crate::store::bucket::{checked_name, endpoint, headers, no_retries, warn_of_unknown};
use crate::store::environment::Environment;
use crate::store::error::SettingError;

/// The region when none is set.
const DEFAULT_REGION: &str = "us-east-1";

/// The keys that this kind has.
const KNOWN: [&str; 12] = [
    "auth_type",
    "access_key_id",
    "secret_key",
    "secret_key_path",
    "token",
    "region",
    "endpoint",
    "disable_ssl",
    "v2_signing",
    "addressing",
    "sign_payload",
    "upload_checksum",
];

/// The settings of one S3 store, checked.
#[derive(Debug)]
pub(in crate::store) struct S3StoreSettings {
    region: String,
    /// Base address; that of the region's public service when no endpoint is set.
    endpoint: String,
    /// Whether the bucket is a part of the path or of the host name.
    path_style: bool,
    access: S3Access,
    sign_payload: SignPayload,
    checksum: Option<Checksum>,
    headers: HeaderMap,
}

impl S3StoreSettings {
    /// Reads the keys of `config`.
    ///
    /// # Errors
    /// The rule that is broken; it names the key and never a secret.
    pub(in crate::store) fn read(
        config: &BTreeMap<String, String>,
        defaults: S3Settings,
        http: &HttpSettings,
        environment: &Environment,
    ) -> Result<Self, SettingError> {
        warn_of_unknown("s3", config, &KNOWN);
        let value = |name: &str| config.get(name).map(String::as_str);
        let given = |name: &str| value(name).filter(|value| !value.is_empty());
        if switch("v2_signing", value("v2_signing"))? {
            return Err(
                "v2_signing=true: signature version 2 is not supported; remove the key".into(),
            );
        }
        let access = S3Access::read(config, environment)?;
        let region = given("region").unwrap_or(DEFAULT_REGION);
        if !region
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-')
        {
            return Err(
                format!("region={region:?}: it may hold letters, digits and `-` only").into(),
            );
        }
        let plain = switch("disable_ssl", value("disable_ssl"))?;
        let endpoint = base(value("endpoint").unwrap_or_default(), region, plain)?;
        let path_style = match given("addressing") {
            // The key counts even if its value is empty.
            None => config.contains_key("endpoint"),
            Some("path") => true,
            Some("virtual") if has_number(&endpoint) => {
                return Err(format!(
                    "addressing=virtual: {endpoint} has a number and no name, so a bucket cannot be a part of it"
                ).into());
            }
            Some("virtual") => false,
            Some(other) => {
                return Err(format!("addressing={other:?}: it must be `path` or `virtual`").into());
            }
        };
        Ok(Self {
            region: region.to_owned(),
            endpoint,
            path_style,
            access,
            sign_payload: given("sign_payload")
                .map_or(Ok(defaults.sign_payload), str::parse)
                .map_err(|rule: SyntaxError| format!("sign_payload: {rule}"))?,
            checksum: given("upload_checksum")
                .map_or(Ok(defaults.upload_checksum), str::parse)
                .map(library_checksum)
                .map_err(|rule: SyntaxError| format!("upload_checksum: {rule}"))?,
            headers: headers(http)?,
        })
    }

    /// The region that requests are signed for.
    pub(in crate::store) fn region(&self) -> &str {
        &self.region
    }

    /// The base address, for messages.
    pub(in crate::store) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Headers for every request.
    pub(in crate::store) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The address of `bucket`.
    ///
    /// # Errors
    /// A name that no bucket can have.
    pub(in crate::store) fn address(&self, bucket: &str) -> Result<String, SettingError> {
        checked_name(bucket)?;
        // A dot would not match the service's certificate, and `_` is in no host name.
        let in_host = !self.path_style && !bucket.contains(['.', '_']);
        Ok(match self.endpoint.split_once("://") {
            Some((scheme, host)) if in_host => format!("{scheme}://{bucket}.{host}"),
            _ => format!("{}/{bucket}", self.endpoint),
        })
    }

    /// Where our credentials come from.
    pub(super) fn access(&self) -> &S3Access {
        &self.access
    }

    /// Whether uploads carry checksums from the start.
    pub(in crate::store) fn has_checksum(&self) -> bool {
        self.checksum.is_some()
    }

    /// Whether signatures cover the payload of requests to `address`. TLS protects it already, as every
    /// SDK assumes; over plain HTTP nothing but the signature does.
    pub(in crate::store) fn signs_payload(&self, address: &str) -> bool {
        match self.sign_payload {
            SignPayload::Auto => address.starts_with("http://"),
            SignPayload::Always => true,
            SignPayload::Never => false,
        }
    }

    /// A store over `address` that neither signs nor retries by itself.
    pub(in crate::store) fn builder(&self, address: &str, bucket: &str) -> AmazonS3Builder {
        let builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&self.region)
            .with_endpoint(address)
            // With this the library leaves the address as it is.
            .with_virtual_hosted_style_request(true)
            .with_allow_http(true)
            .with_skip_signature(true)
            .with_retry(no_retries());
        match self.checksum {
            Some(checksum) => builder.with_checksum_algorithm(checksum),
            None => builder,
        }
    }
}

fn library_checksum(checksum: UploadChecksum) -> Option<Checksum> {
    match checksum {
        UploadChecksum::None => None,
        UploadChecksum::Sha256 => Some(Checksum::SHA256),
        UploadChecksum::Crc64Nvme => Some(Checksum::CRC64NVME),
    }
}

/// The base address: the given one, or that of the region's public service.
fn base(given: &str, region: &str, plain: bool) -> Result<String, SettingError> {
    if given.is_empty() {
        let scheme = if plain { "http" } else { "https" };
        let partition = if region.starts_with("cn-") { ".cn" } else { "" };
        return Ok(format!("{scheme}://s3.{region}.amazonaws.com{partition}"));
    }
    endpoint(given, plain)
}

/// Whether an address has a number in place of a host name.
fn has_number(address: &str) -> bool {
    let url: Option<reqwest::Url> = address.parse().ok();
    let host = url.as_ref().and_then(reqwest::Url::host_str);
    host.is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host.parse::<std::net::IpAddr>().is_ok()
    })
}

/// A boolean key in each spelling that occurs: YAML's booleans arrive as `1` and `0`, and older platforms
/// write `True` (spec §6.4).
fn switch(name: &str, value: Option<&str>) -> Result<bool, SettingError> {
    match value.unwrap_or_default() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        other => Err(format!("{name}={other:?}: it must be `true` or `false`").into()),
    }
}

#[cfg(test)]
mod tests;

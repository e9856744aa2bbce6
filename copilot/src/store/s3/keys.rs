//! The settings of an S3 store: stow's keys (spec §6.4), and where credentials come from (§6.5).

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderMap;
use object_store::StaticCredentialProvider;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential, AwsCredentialProvider};

use crate::config::HttpSettings;
use crate::store::bucket::{checked_name, endpoint, headers, is_header_text, no_retries};
use crate::store::environment::Environment;
use crate::store::http::{Client, Service, Unsigned};

/// The region when none is set.
const DEFAULT_REGION: &str = "us-east-1";

/// What the keys say, checked.
#[derive(Debug)]
pub struct Settings {
    region: String,
    /// Base address; that of the region's public service when no endpoint is set.
    endpoint: String,
    /// Whether the bucket is a part of the path or of the host name.
    path_style: bool,
    access: Access,
    headers: HeaderMap,
}

/// Who we are to the store.
#[derive(Debug)]
enum Access {
    Keys(AwsCredential),
    Ambient(Environment),
}

impl Settings {
    /// Reads the keys of `config`.
    ///
    /// # Errors
    /// The rule that is broken, naming the key and never a secret.
    pub fn read(
        config: &BTreeMap<String, String>,
        http: &HttpSettings,
        environment: &Environment,
    ) -> Result<Self, String> {
        let value = |name: &str| config.get(name).map(String::as_str);
        let given = |name: &str| value(name).filter(|value| !value.is_empty());
        if switch("v2_signing", value("v2_signing"))? {
            return Err(
                "v2_signing=true: signature version 2 is not supported; remove the key".to_owned(),
            );
        }
        let access = match given("auth_type") {
            None | Some("accesskey") => Access::Keys(keys(config)?),
            Some("iam") => Access::Ambient(environment.clone()),
            Some(other) => {
                return Err(format!("auth_type={other:?}: it is `accesskey` or `iam`"));
            }
        };
        let region = given("region").unwrap_or(DEFAULT_REGION);
        if !region
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-')
        {
            return Err(format!(
                "region={region:?}: it holds letters, digits and `-` only"
            ));
        }
        let plain = switch("disable_ssl", value("disable_ssl"))?;
        Ok(Self {
            region: region.to_owned(),
            endpoint: base(value("endpoint").unwrap_or_default(), region, plain)?,
            // The presence of the key counts, even of an empty one.
            path_style: config.contains_key("endpoint"),
            access,
            headers: headers(http)?,
        })
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The base address, for messages.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Headers for every request.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The address of `bucket`.
    ///
    /// # Errors
    /// A name that no bucket has; it would otherwise become a part of an address.
    pub fn address(&self, bucket: &str) -> Result<String, String> {
        checked_name(bucket)?;
        // A dot would not match the service's certificate, and `_` is in no host name.
        let in_host = !self.path_style && !bucket.contains(['.', '_']);
        Ok(match self.endpoint.split_once("://") {
            Some((scheme, host)) if in_host => format!("{scheme}://{bucket}.{host}"),
            _ => format!("{}/{bucket}", self.endpoint),
        })
    }

    /// Where credentials come from. Nothing is asked yet.
    ///
    /// # Errors
    /// No source is configured at all.
    pub fn credentials(&self, client: &Client) -> Result<AwsCredentialProvider, String> {
        let environment = match &self.access {
            Access::Keys(keys) => {
                tracing::debug!("S3 credentials: access key from the settings");
                let keys = AwsCredential {
                    key_id: keys.key_id.clone(),
                    secret_key: keys.secret_key.clone(),
                    token: keys.token.clone(),
                };
                return Ok(Arc::new(StaticCredentialProvider::new(keys)));
            }
            Access::Ambient(environment) => environment,
        };
        ambient(environment, &self.region, client)
    }
}

/// A store over `address` that neither signs nor retries by itself.
pub(super) fn builder(address: &str, bucket: &str, region: &str) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(region)
        .with_endpoint(address)
        // With this the library takes the address as it is.
        .with_virtual_hosted_style_request(true)
        .with_allow_http(true)
        .with_skip_signature(true)
        .with_retry(no_retries())
}

/// The ambient sources that the library knows, in its order: keys, web identity, container and
/// EKS endpoints, instance metadata. Profile files are not among them.
fn ambient(
    environment: &Environment,
    region: &str,
    client: &Client,
) -> Result<AwsCredentialProvider, String> {
    use AmazonS3ConfigKey as Key;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name("credentials-only")
        .with_region(region)
        .with_retry(no_retries())
        .with_http_connector(Service::new(client.clone(), Arc::new(Unsigned)));
    let mut found = Vec::new();
    for (name, key) in [
        ("AWS_ACCESS_KEY_ID", Key::AccessKeyId),
        ("AWS_SECRET_ACCESS_KEY", Key::SecretAccessKey),
        ("AWS_SESSION_TOKEN", Key::Token),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", Key::WebIdentityTokenFile),
        ("AWS_ROLE_ARN", Key::RoleArn),
        ("AWS_ROLE_SESSION_NAME", Key::RoleSessionName),
        ("AWS_ENDPOINT_URL_STS", Key::StsEndpoint),
        (
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            Key::ContainerCredentialsRelativeUri,
        ),
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            Key::ContainerCredentialsFullUri,
        ),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            Key::ContainerAuthorizationTokenFile,
        ),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", Key::MetadataEndpoint),
    ] {
        if let Some(value) = environment.get(name) {
            if !is_header_text(value) {
                return Err(format!(
                    "{name} holds a character that no request can carry"
                ));
            }
            found.push(name);
            builder = builder.with_config(key, value);
        }
    }
    tracing::debug!(variables = ?found, "S3 credentials: iam");
    let has = |name| found.contains(&name);
    let keys = has("AWS_ACCESS_KEY_ID") || has("AWS_SECRET_ACCESS_KEY");
    let identity = has("AWS_WEB_IDENTITY_TOKEN_FILE") && has("AWS_ROLE_ARN");
    let container = has("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        || has("AWS_CONTAINER_CREDENTIALS_FULL_URI")
            && has("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    let no_metadata = environment
        .get("AWS_EC2_METADATA_DISABLED")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if no_metadata && !keys && !identity && !container {
        return Err(
            "auth_type=iam: no credentials in the environment (AWS_ACCESS_KEY_ID, \
             AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CONTAINER_CREDENTIALS_…), and \
             AWS_EC2_METADATA_DISABLED rules out the instance's"
                .to_owned(),
        );
    }
    let store = builder.build().map_err(|error| error.to_string())?;
    Ok(Arc::clone(store.credentials()))
}

fn keys(config: &BTreeMap<String, String>) -> Result<AwsCredential, String> {
    let given = |name: &str| config.get(name).filter(|value| !value.is_empty());
    let key_id = given("access_key_id")
        .ok_or("missing access_key_id (auth_type is accesskey; set it, or auth_type=iam)")?;
    let secret_key = match given("secret_key_path") {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| format!("secret_key_path={path}: {error}"))?
            .trim()
            .to_owned(),
        None => given("secret_key")
            .ok_or("missing secret_key (or secret_key_path; or set auth_type=iam)")?
            .clone(),
    };
    let token = given("token").cloned();
    for (name, value) in [("access_key_id", Some(key_id)), ("token", token.as_ref())] {
        if value.is_some_and(|value| !is_header_text(value)) {
            return Err(format!(
                "{name} holds a character that no request can carry"
            ));
        }
    }
    Ok(AwsCredential {
        key_id: key_id.clone(),
        secret_key,
        token,
    })
}

/// The base address: what is given, else that of the region's public service.
fn base(given: &str, region: &str, plain: bool) -> Result<String, String> {
    if given.is_empty() {
        let scheme = if plain { "http" } else { "https" };
        let partition = if region.starts_with("cn-") { ".cn" } else { "" };
        return Ok(format!("{scheme}://s3.{region}.amazonaws.com{partition}"));
    }
    endpoint(given, plain)
}

/// A boolean key in any of the spellings that reach us: YAML's arrive as `1` and `0`, and older
/// platforms write `True` (spec §6.4).
fn switch(name: &str, value: Option<&str>) -> Result<bool, String> {
    match value.unwrap_or_default() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        other => Err(format!("{name}={other:?}: it is `true` or `false`")),
    }
}

#[cfg(test)]
mod tests;

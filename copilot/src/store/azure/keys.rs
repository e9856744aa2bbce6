//! The settings of an Azure store: stow's keys (spec §6.4), and where credentials come from (§6.5).
//!
//! Our own keys are `endpoint` (for emulators and private addresses: everything up to the container),
//! `sas_token` and `connection_string`. `upload_concurrency` is checked and has no effect, since all
//! transfers share one budget. Caller: `stores`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use object_store::azure::{AzureAccessKey, AzureConfigKey, AzureCredential, MicrosoftAzureBuilder};

use super::connection;
use crate::config::HttpSettings;
use crate::config::secret::SecretForm;
use crate::store::bucket::{endpoint, headers, no_retries, warn_of_unknown};
use crate::store::credentials::{CredentialCache, CredentialSource, FromLibrary};
use crate::store::environment::Environment;
use crate::store::error::SettingError;
use crate::store::http::{Client, Service, Unsigned};
use crate::store::secret;

/// Whose credentials they are, for the log.
pub(super) const NAME: &str = "Azure";

/// The library renews what it keeps; this is for credentials that it does not.
const MARGIN: Duration = Duration::from_mins(5);

/// The public cloud.
pub(super) const SUFFIX: &str = "core.windows.net";

/// The keys that this kind has.
const KNOWN: [&str; 10] = [
    "account",
    "key",
    "sas_token",
    "connection_string",
    "endpoint",
    "domain_suffix",
    "base_url",
    "upload_concurrency",
    "use_https",
    "api_version",
];

/// The settings of one Azure store, checked.
#[derive(Debug)]
pub(in crate::store) struct AzureStoreSettings {
    account: String,
    endpoint: String,
    access: AzureAccess,
    headers: HeaderMap,
}

/// A source of Azure credentials.
type AzureSource = Arc<dyn CredentialSource<Arc<AzureCredential>>>;

/// Where our credentials come from.
enum AzureAccess {
    Key(AzureAccessKey),
    Signature(String),
    Ambient(Environment),
}

impl AzureStoreSettings {
    /// Reads the keys of `config`; `named` is the account in the reference, if it names one.
    ///
    /// # Errors
    /// The rule that is broken; it names the key and never a secret.
    pub(in crate::store) fn read(
        config: &BTreeMap<String, String>,
        named: Option<&str>,
        http: &HttpSettings,
        environment: &Environment,
    ) -> Result<Self, SettingError> {
        warn_of_unknown("azure", config, &KNOWN);
        let config = connection::expanded(config)?;
        let given = |name: &str| {
            let value = config.get(name).map(|value| value.trim());
            value.filter(|value| !value.is_empty())
        };
        // A connection string holds secrets, too.
        let secret = |name: &str| {
            let clean = given(name).map(|value| secret::clean(name, SecretForm::Header, value));
            clean.transpose()
        };
        let account = account(given("account"), named)?;
        let access = match (secret("key")?, secret("sas_token")?) {
            (Some(_), Some(_)) => return Err("key and sas_token are both set; use one".into()),
            (Some(key), None) => {
                AzureAccess::Key(AzureAccessKey::try_new(key).map_err(|_| "key: it is not base64")?)
            }
            (None, Some(token)) if token.split('&').all(|pair| pair.contains('=')) => {
                AzureAccess::Signature(token.to_owned())
            }
            (None, Some(_)) => return Err("sas_token: it must have the form NAME=VALUE&…".into()),
            (None, None) => AzureAccess::Ambient(environment.clone()),
        };
        if let Some(number) = given("upload_concurrency")
            && number.parse::<u32>().is_err()
        {
            return Err(format!("upload_concurrency={number:?}: it must be a number").into());
        }
        let endpoint = match given("endpoint") {
            Some(given) => endpoint(given, false)?,
            None => public(
                &account,
                given("domain_suffix").or_else(|| given("base_url")),
            )?,
        };
        Ok(Self {
            account,
            endpoint,
            access,
            headers: headers(http)?,
        })
    }

    /// The account.
    pub(in crate::store) fn account(&self) -> &str {
        &self.account
    }

    /// The base address, for all containers of the account.
    pub(in crate::store) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Headers for every request.
    pub(in crate::store) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Our credentials. No service is asked yet.
    ///
    /// # Errors
    /// A variable that no request can carry.
    pub(super) fn credentials(
        &self,
        client: &Client,
    ) -> Result<CredentialCache<Arc<AzureCredential>>, SettingError> {
        match &self.access {
            AzureAccess::Key(key) => {
                tracing::info!("Azure credentials: key of the account from the settings");
                let key = AzureCredential::AccessKey(key.clone());
                Ok(CredentialCache::fixed(NAME, Arc::new(key)))
            }
            AzureAccess::Signature(token) => {
                tracing::info!("Azure credentials: shared access signature from the settings");
                let builder = credentials_only("sas_token", client);
                let store = builder.with_config(AzureConfigKey::SasKey, token).build()?;
                let signature = Arc::new(FromLibrary(Arc::clone(store.credentials())));
                Ok(CredentialCache::unchanging(NAME, signature))
            }
            AzureAccess::Ambient(environment) => {
                let (environment, client) = (environment.clone(), client.clone());
                CredentialCache::found(NAME, MARGIN, move || ambient(&environment, &client))
            }
        }
    }
}

/// The account's name becomes a part of addresses and signatures.
fn account(set: Option<&str>, named: Option<&str>) -> Result<String, SettingError> {
    let account = set
        .or(named)
        .ok_or("missing account (the name of the storage account)")?;
    if !account
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '-')
    {
        return Err(
            format!("account={account:?}: it may hold letters, digits and `-` only").into(),
        );
    }
    match named {
        Some(named) if !named.eq_ignore_ascii_case(account) => {
            Err(format!("account={account}, but the reference names the account {named:?}").into())
        }
        _ => Ok(account.to_owned()),
    }
}

/// The address of an account in one of Azure's clouds.
fn public(account: &str, suffix: Option<&str>) -> Result<String, SettingError> {
    let suffix = suffix.unwrap_or(SUFFIX);
    let valid = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    if !suffix.chars().all(valid) {
        return Err(format!(
            "domain_suffix={suffix:?}: it must be the end of a host name, such as {SUFFIX}"
        )
        .into());
    }
    Ok(format!("https://{account}.blob.{suffix}"))
}

/// A store of the library, without retries.
pub(super) fn builder(account: &str, container: &str) -> MicrosoftAzureBuilder {
    MicrosoftAzureBuilder::new()
        .with_account(account)
        .with_container_name(container)
        .with_retry(no_retries())
}

/// The identity of the pod, from the sources of Azure's own libraries in their order: a client's secret,
/// workload identity, managed identity. Azure's command line is not among them.
fn ambient(environment: &Environment, client: &Client) -> Result<AzureSource, SettingError> {
    use AzureConfigKey as Key;
    let has = |name| environment.get(name).is_some();
    let client_known = has("AZURE_CLIENT_ID") && has("AZURE_TENANT_ID");
    let kind = if client_known && has("AZURE_CLIENT_SECRET") {
        "client_secret"
    } else if client_known && has("AZURE_FEDERATED_TOKEN_FILE") {
        "workload_identity"
    } else {
        for name in ["AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME"] {
            if client_known && has(name) {
                return Err(format!(
                    "{name} is not supported; use AZURE_CLIENT_SECRET or workload identity"
                )
                .into());
            }
        }
        "managed_identity"
    };
    let mut builder = credentials_only(kind, client);
    let mut found = Vec::new();
    for (name, key) in [
        ("AZURE_CLIENT_ID", Key::ClientId),
        ("AZURE_TENANT_ID", Key::AuthorityId),
        ("AZURE_CLIENT_SECRET", Key::ClientSecret),
        ("AZURE_FEDERATED_TOKEN_FILE", Key::FederatedTokenFile),
        ("AZURE_AUTHORITY_HOST", Key::AuthorityHost),
    ] {
        if let Some(value) = environment.get(name) {
            let form = if name == "AZURE_CLIENT_SECRET" {
                SecretForm::Text
            } else {
                SecretForm::Header
            };
            let value = secret::clean(name, form, value)?;
            found.push(name);
            // AKS gives the authority with a slash at the end.
            builder = builder.with_config(key, value.trim_end_matches('/'));
        }
    }
    tracing::info!(kind, variables = found.join(", "), "Azure credentials");
    let metadata = environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    let metadata = metadata.map(|host| {
        format!(
            "{}/metadata/identity/oauth2/token",
            host.trim_end_matches('/')
        )
    });
    let metadata = environment
        .get("IDENTITY_ENDPOINT")
        .map(str::to_owned)
        .or(metadata);
    if let Some(address) = metadata {
        let address = endpoint(&address, true).map_err(|rule| {
            rule.within("IDENTITY_ENDPOINT or AZURE_POD_IDENTITY_AUTHORITY_HOST")
        })?;
        builder = builder.with_msi_endpoint(address);
    }
    let store = builder.build()?;
    Ok(Arc::new(FromLibrary(Arc::clone(store.credentials()))))
}

fn credentials_only(kind: &str, client: &Client) -> MicrosoftAzureBuilder {
    builder("credentials-only", "none")
        .with_credential_type(kind)
        .with_http_connector(Service::new(client.clone(), Arc::new(Unsigned)))
}

impl std::fmt::Debug for AzureAccess {
    /// Without secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Key(_) => "Key",
            Self::Signature(_) => "Signature",
            Self::Ambient(_) => "Ambient",
        })
    }
}

#[cfg(test)]
mod tests;

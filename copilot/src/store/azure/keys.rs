//! The settings of an Azure store: stow's keys (spec §6.4), and where credentials come from (§6.5).
//!
//! `endpoint` (for emulators and private addresses: all up to the container), `sas_token` and
//! `connection_string` are ours.
//! `upload_concurrency` is read and has no effect, since all transfers share one budget.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderMap;
use object_store::StaticCredentialProvider;
use object_store::azure::{
    AzureAccessKey, AzureConfigKey, AzureCredential, AzureCredentialProvider, MicrosoftAzureBuilder,
};

use super::connection;
use crate::config::HttpSettings;
use crate::store::bucket::{endpoint, headers, is_header_text, no_retries, warn_of_unknown};
use crate::store::environment::Environment;
use crate::store::http::{Client, Service, Unsigned};

/// The public cloud.
pub(super) const SUFFIX: &str = "core.windows.net";

/// The keys that there are.
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

/// What the keys say, checked.
#[derive(Debug)]
pub struct Settings {
    account: String,
    endpoint: String,
    access: Access,
    headers: HeaderMap,
}

/// Who we are to the store.
enum Access {
    Key(AzureAccessKey),
    Signature(String),
    Ambient(Environment),
}

impl Settings {
    /// Reads the keys of `config`; `named` is the account in the reference, if it names one.
    ///
    /// # Errors
    /// The rule that is broken, naming the key and never a secret.
    pub fn read(
        config: &BTreeMap<String, String>,
        named: Option<&str>,
        http: &HttpSettings,
        environment: &Environment,
    ) -> Result<Self, String> {
        warn_of_unknown("azure", config, &KNOWN);
        let config = connection::expanded(config)?;
        let given = |name: &str| {
            let value = config.get(name).map(|value| value.trim());
            value.filter(|value| !value.is_empty())
        };
        let account = account(given("account"), named)?;
        let access = match (given("key"), given("sas_token")) {
            (Some(_), Some(_)) => return Err("key and sas_token are both set; use one".to_owned()),
            (Some(key), None) => Access::Key(
                AzureAccessKey::try_new(key).map_err(|_| "key: it is no base64".to_owned())?,
            ),
            (None, Some(token)) if token.split('&').all(|pair| pair.contains('=')) => {
                Access::Signature(token.to_owned())
            }
            (None, Some(_)) => return Err("sas_token: it has the form NAME=VALUE&…".to_owned()),
            (None, None) => Access::Ambient(environment.clone()),
        };
        if let Some(number) = given("upload_concurrency")
            && number.parse::<u32>().is_err()
        {
            return Err(format!("upload_concurrency={number:?}: it is a number"));
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
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The base address, for all containers of the account.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Headers for every request.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Where credentials come from. Nothing is asked yet.
    ///
    /// # Errors
    /// A variable that no request can carry.
    pub fn credentials(&self, client: &Client) -> Result<AzureCredentialProvider, String> {
        match &self.access {
            Access::Key(key) => {
                tracing::info!("Azure credentials: key of the account from the settings");
                let key = AzureCredential::AccessKey(key.clone());
                Ok(Arc::new(StaticCredentialProvider::new(key)))
            }
            Access::Signature(token) => {
                tracing::info!("Azure credentials: shared access signature from the settings");
                let builder = credentials_only("sas_token", client);
                provider(builder.with_config(AzureConfigKey::SasKey, token))
            }
            Access::Ambient(environment) => ambient(environment, client),
        }
    }
}

/// The account's name becomes a part of addresses and signatures.
fn account(set: Option<&str>, named: Option<&str>) -> Result<String, String> {
    let account = set
        .or(named)
        .ok_or("missing account (the name of the storage account)")?;
    if !account
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '-')
    {
        return Err(format!(
            "account={account:?}: it holds letters, digits and `-` only"
        ));
    }
    match named {
        Some(named) if !named.eq_ignore_ascii_case(account) => Err(format!(
            "account={account}, but the reference names the account {named:?}"
        )),
        _ => Ok(account.to_owned()),
    }
}

/// The address of an account in a cloud of Azure's.
fn public(account: &str, suffix: Option<&str>) -> Result<String, String> {
    let suffix = suffix.unwrap_or(SUFFIX);
    let valid = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    if !suffix.chars().all(valid) {
        return Err(format!(
            "domain_suffix={suffix:?}: it is the end of a host name, such as {SUFFIX}"
        ));
    }
    Ok(format!("https://{account}.blob.{suffix}"))
}

/// A store of the library that does not retry.
pub(super) fn builder(account: &str, container: &str) -> MicrosoftAzureBuilder {
    MicrosoftAzureBuilder::new()
        .with_account(account)
        .with_container_name(container)
        .with_retry(no_retries())
}

/// The ambient sources in the order of Azure's own libraries: a client's secret, workload identity,
/// managed identity. The command line of Azure is not among them.
fn ambient(environment: &Environment, client: &Client) -> Result<AzureCredentialProvider, String> {
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
                ));
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
            if !is_header_text(value) {
                return Err(format!(
                    "{name} holds a character that no request can carry"
                ));
            }
            found.push(name);
            // AKS gives the authority with a slash at its end.
            builder = builder.with_config(key, value.trim_end_matches('/'));
        }
    }
    tracing::info!(kind, variables = ?found, "Azure credentials");
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
            format!("IDENTITY_ENDPOINT or AZURE_POD_IDENTITY_AUTHORITY_HOST: {rule}")
        })?;
        builder = builder.with_msi_endpoint(address);
    }
    provider(builder)
}

fn credentials_only(kind: &str, client: &Client) -> MicrosoftAzureBuilder {
    builder("credentials-only", "none")
        .with_credential_type(kind)
        .with_http_connector(Service::new(client.clone(), Arc::new(Unsigned)))
}

fn provider(builder: MicrosoftAzureBuilder) -> Result<AzureCredentialProvider, String> {
    let store = builder.build().map_err(|error| error.to_string())?;
    Ok(Arc::clone(store.credentials()))
}

impl std::fmt::Debug for Access {
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

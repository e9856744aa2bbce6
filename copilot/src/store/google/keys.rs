//! The settings of a Google store: stow's keys (spec §6.4), and where credentials come from (§6.5).
//!
//! `json` holds the content of a credential file; empty or absent, the ambient account applies:
//! `GOOGLE_APPLICATION_CREDENTIALS`, the file that `gcloud` leaves, the metadata server, in the order of
//! Google's own libraries. `endpoint` is our own key: for emulators and private addresses. As with those
//! libraries `STORAGE_EMULATOR_HOST` names an emulator, which needs no credentials. Caller: `stores`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{HeaderMap, HeaderValue};

use super::account::Account;
use super::token::{MARGIN, TokenSource};
use crate::config::HttpSettings;
use crate::config::secret::SecretForm;
use crate::store::bucket::{endpoint, headers, is_header_text, warn_of_unknown};
use crate::store::credentials::CredentialCache;
use crate::store::environment::Environment;
use crate::store::error::SettingError;
use crate::store::http::Client;
use crate::store::secret;

/// The public service.
const ENDPOINT: &str = "https://storage.googleapis.com";

/// What stow asks for when nothing is set.
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.full_control";

/// The metadata server by number: it is the same everywhere, and a name needs a lookup.
const METADATA: &str = "169.254.169.254";

/// What `gcloud` calls its file.
const FILE: &str = "application_default_credentials.json";

/// The keys that this kind has.
const KNOWN: [&str; 4] = ["json", "project_id", "scopes", "endpoint"];

/// The settings of one Google store, checked.
pub(in crate::store) struct GoogleStoreSettings {
    endpoint: String,
    scopes: Vec<String>,
    /// The content of a credential file, if the settings hold it.
    json: Option<String>,
    anonymous: bool,
    environment: Environment,
    headers: HeaderMap,
}

impl GoogleStoreSettings {
    /// Reads the keys of `config`.
    ///
    /// # Errors
    /// The rule that is broken; it names the key and never a secret.
    pub(in crate::store) fn read(
        config: &BTreeMap<String, String>,
        http: &HttpSettings,
        environment: &Environment,
    ) -> Result<Self, SettingError> {
        warn_of_unknown("google", config, &KNOWN);
        let given = |name: &str| {
            let value = config.get(name).map(|value| value.trim());
            value.filter(|value| !value.is_empty())
        };
        let emulator = environment.get("STORAGE_EMULATOR_HOST");
        let base = match (given("endpoint"), emulator) {
            (Some(named), _) => endpoint(named, false)?,
            (None, Some(host)) => {
                endpoint(host, true).map_err(|rule| rule.within("STORAGE_EMULATOR_HOST"))?
            }
            (None, None) => ENDPOINT.to_owned(),
        };
        let json = given("json").map(str::to_owned);
        let scopes = given("scopes").unwrap_or(SCOPE).split(',');
        let scopes = scopes.map(str::trim).filter(|scope| !scope.is_empty());
        let scopes: Vec<String> = scopes.map(str::to_owned).collect();
        if !scopes.iter().all(|scope| is_scope(scope)) {
            return Err("scopes holds a character that no scope may have".into());
        }
        Ok(Self {
            endpoint: base,
            scopes,
            anonymous: json.is_none() && given("endpoint").is_none() && emulator.is_some(),
            json,
            environment: environment.clone(),
            headers: headers(http)?,
        })
    }

    /// The base address.
    pub(in crate::store) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Headers for every request.
    pub(in crate::store) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Our tokens, as values of `Authorization`; none where requests are anonymous. No service is asked
    /// yet.
    ///
    /// # Errors
    /// A credential file that cannot be read or used.
    pub(super) fn tokens(
        &self,
        client: &Client,
    ) -> Result<Option<CredentialCache<HeaderValue>>, SettingError> {
        if self.anonymous {
            tracing::info!("Google credentials: none, since STORAGE_EMULATOR_HOST is set");
            return Ok(None);
        }
        let source = TokenSource {
            account: self.account()?,
            scopes: self.scopes.clone(),
            client: client.clone(),
        };
        let tokens = CredentialCache::from_source("Google", MARGIN, Arc::new(source));
        Ok(Some(tokens))
    }

    fn account(&self) -> Result<Account, SettingError> {
        if let Some(json) = &self.json {
            let account = Account::read(json).map_err(|rule| rule.within("json"))?;
            tracing::info!(
                kind = account.kind(),
                "Google credentials: json in the settings"
            );
            return Ok(account);
        }
        if let Some(path) = self.environment.get("GOOGLE_APPLICATION_CREDENTIALS") {
            return from_file("GOOGLE_APPLICATION_CREDENTIALS", Path::new(path));
        }
        if let Some(path) = self.gcloud_file().filter(|path| path.is_file()) {
            return from_file("gcloud's file", &path);
        }
        let named = ["GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"]
            .into_iter()
            .find_map(|name| self.environment.get(name));
        let host = named.unwrap_or(METADATA);
        if !is_header_text(host) || host.contains(['/', '?', '#', '@', ' ']) {
            return Err(format!("GCE_METADATA_HOST={host:?}: it must be HOST or HOST:PORT").into());
        }
        tracing::info!(host, "Google credentials: metadata server");
        Ok(Account::Metadata {
            host: host.to_owned(),
        })
    }

    fn gcloud_file(&self) -> Option<PathBuf> {
        let named = self.environment.get("CLOUDSDK_CONFIG").map(PathBuf::from);
        let home = || Some(Path::new(self.environment.get("HOME")?).join(".config/gcloud"));
        Some(named.or_else(home)?.join(FILE))
    }
}

impl fmt::Debug for GoogleStoreSettings {
    /// Without secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GoogleStoreSettings")
            .field("endpoint", &self.endpoint)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

fn from_file(source: &str, path: &Path) -> Result<Account, SettingError> {
    let setting = || format!("{source} ({})", path.display());
    let text =
        std::fs::read_to_string(path).map_err(|error| SettingError::file(setting(), error))?;
    // A byte order mark is white space to no parser of JSON.
    let text = secret::clean(&setting(), SecretForm::Document, text.trim_end())?;
    let account = Account::read(text).map_err(|rule| rule.within(setting()))?;
    tracing::info!(source, path = %path.display(), kind = account.kind(), "Google credentials");
    Ok(account)
}

/// RFC 6749 §3.3, without the quotes that it excludes.
fn is_scope(scope: &str) -> bool {
    scope
        .chars()
        .all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\'))
}

#[cfg(test)]
mod tests;

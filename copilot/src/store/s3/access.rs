//! Where our S3 credentials come from: keys in the settings, or the identity of the pod (`identity`).

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::aws::AwsCredential;

use super::identity::{MARGIN, NAME, ambient, chosen};
use crate::config::secret::SecretForm;
use crate::store::bucket::is_header_text;
use crate::store::credentials::{CredentialCache, Fixed};
use crate::store::environment::Environment;
use crate::store::error::SettingError;
use crate::store::http::Client;
use crate::store::secret;

/// What the settings say of credentials (spec §6.4, §6.5).
#[derive(Clone)]
pub(super) enum S3Access {
    /// `auth_type=accesskey`.
    Keys {
        key_id: String,
        secret: SecretKey,
        token: Option<String>,
    },
    /// `auth_type=iam`.
    Ambient(Environment),
}

/// The secret that belongs to a key.
#[derive(Clone)]
pub(super) enum SecretKey {
    Given(String),
    /// A file, which may be replaced while we run.
    File(String),
}

impl S3Access {
    /// Reads the keys of `config`.
    ///
    /// # Errors
    /// The rule that is broken; it names the key and never a secret.
    pub(super) fn read(
        config: &BTreeMap<String, String>,
        environment: &Environment,
    ) -> Result<Self, SettingError> {
        let given = |name: &str| config.get(name).filter(|value| !value.is_empty()).cloned();
        match given("auth_type").as_deref() {
            None | Some("accesskey") => {}
            Some("iam") => return Ok(Self::Ambient(environment.clone())),
            Some(other) => {
                return Err(format!("auth_type={other:?}: it must be `accesskey` or `iam`").into());
            }
        }
        let key_id = given("access_key_id")
            .ok_or("missing access_key_id (auth_type is accesskey; set it, or auth_type=iam)")?;
        let secret = match given("secret_key_path") {
            Some(path) => SecretKey::File(path),
            None => SecretKey::Given(
                given("secret_key")
                    .ok_or("missing secret_key (or secret_key_path; or set auth_type=iam)")?,
            ),
        };
        secret.read()?;
        let token = given("token");
        for (name, value) in [("access_key_id", Some(&key_id)), ("token", token.as_ref())] {
            if value.is_some_and(|value| !is_header_text(value)) {
                return Err(format!("{name} holds a character that no request can carry").into());
            }
        }
        Ok(Self::Keys {
            key_id,
            secret,
            token,
        })
    }

    /// Our credentials. Files are read, but no service is asked yet.
    ///
    /// # Errors
    /// A source that cannot be used, or none at all.
    pub(super) fn credentials(
        &self,
        region: &str,
        client: &Client,
    ) -> Result<CredentialCache<Arc<AwsCredential>>, SettingError> {
        match self {
            Self::Keys {
                key_id,
                secret: SecretKey::Given(secret),
                token,
            } => {
                chosen("keys in the settings");
                Ok(CredentialCache::fixed(
                    NAME,
                    credential(key_id, secret.clone(), token.as_ref()),
                ))
            }
            Self::Keys {
                key_id,
                secret,
                token,
            } => {
                let (key_id, secret, token) = (key_id.clone(), secret.clone(), token.clone());
                CredentialCache::found(NAME, MARGIN, move || {
                    chosen("keys in the settings, with secret_key_path");
                    let keys = credential(&key_id, secret.read()?, token.as_ref());
                    Ok(Arc::new(Fixed(keys)))
                })
            }
            Self::Ambient(environment) => {
                let (environment, region) = (environment.clone(), region.to_owned());
                let client = client.clone();
                CredentialCache::found(NAME, MARGIN, move || {
                    ambient(&environment, &region, &client)
                })
            }
        }
    }
}

fn credential(key_id: &str, secret_key: String, token: Option<&String>) -> Arc<AwsCredential> {
    Arc::new(AwsCredential {
        key_id: key_id.to_owned(),
        secret_key,
        token: token.cloned(),
    })
}

impl SecretKey {
    fn read(&self) -> Result<String, SettingError> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::File(path) => {
                let secret = secret::from_file("secret_key_path", SecretForm::Text, path)?;
                if secret.is_empty() {
                    let rule = format!("secret_key_path={path}: the file is empty");
                    return Err(rule.into());
                }
                Ok(secret)
            }
        }
    }
}

impl std::fmt::Debug for S3Access {
    /// Without secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Keys { .. } => "Keys",
            Self::Ambient(_) => "Ambient",
        })
    }
}

//! Who we are to S3: the keys in the settings, or whoever the pod is (`identity`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use object_store::aws::{AwsCredential, AwsCredentialProvider};

use super::identity::{ambient, fixed};
use crate::store::bucket::is_header_text;
use crate::store::environment::Environment;
use crate::store::http::{Client, Failure, FailureKind, causes};

/// Requests that fail together look for new credentials once.
const TOGETHER: Duration = Duration::from_secs(10);

/// What the settings say of credentials (spec §6.4, §6.5).
#[derive(Clone)]
pub enum Access {
    /// `auth_type=accesskey`.
    Keys {
        key_id: String,
        secret: Secret,
        token: Option<String>,
    },
    /// `auth_type=iam`.
    Ambient(Environment),
}

/// Where the secret of a key is.
#[derive(Clone)]
pub enum Secret {
    Given(String),
    /// A file, which may be replaced while we run.
    File(String),
}

impl Access {
    /// Reads the keys of `config`.
    ///
    /// # Errors
    /// The rule that is broken, naming the key and never a secret.
    pub fn read(
        config: &BTreeMap<String, String>,
        environment: &Environment,
    ) -> Result<Self, String> {
        let given = |name: &str| config.get(name).filter(|value| !value.is_empty()).cloned();
        match given("auth_type").as_deref() {
            None | Some("accesskey") => {}
            Some("iam") => return Ok(Self::Ambient(environment.clone())),
            Some(other) => {
                return Err(format!("auth_type={other:?}: it is `accesskey` or `iam`"));
            }
        }
        let key_id = given("access_key_id")
            .ok_or("missing access_key_id (auth_type is accesskey; set it, or auth_type=iam)")?;
        let secret = match given("secret_key_path") {
            Some(path) => Secret::File(path),
            None => Secret::Given(
                given("secret_key")
                    .ok_or("missing secret_key (or secret_key_path; or set auth_type=iam)")?,
            ),
        };
        secret.read()?;
        let token = given("token");
        for (name, value) in [("access_key_id", Some(&key_id)), ("token", token.as_ref())] {
            if value.is_some_and(|value| !is_header_text(value)) {
                return Err(format!(
                    "{name} holds a character that no request can carry"
                ));
            }
        }
        Ok(Self::Keys {
            key_id,
            secret,
            token,
        })
    }

    /// Where credentials come from. Files are read, but nobody is asked yet.
    ///
    /// # Errors
    /// A source that cannot be used, or none at all.
    pub fn provider(&self, region: &str, client: &Client) -> Result<AwsCredentialProvider, String> {
        match self {
            Self::Keys {
                key_id,
                secret,
                token,
            } => {
                let source = match secret {
                    Secret::Given(_) => "keys in the settings",
                    Secret::File(_) => "keys in the settings, with secret_key_path",
                };
                tracing::info!(source, "AWS credentials");
                Ok(fixed(AwsCredential {
                    key_id: key_id.clone(),
                    secret_key: secret.read()?,
                    token: token.clone(),
                }))
            }
            Self::Ambient(environment) => ambient(environment, region, client),
        }
    }

    fn may_change(&self) -> bool {
        match self {
            Self::Keys { secret, .. } => matches!(secret, Secret::File(_)),
            Self::Ambient(_) => true,
        }
    }
}

impl Secret {
    fn read(&self) -> Result<String, String> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(secret) => Ok(secret.trim().to_owned()),
                Err(error) => Err(format!("secret_key_path={path}: {error}")),
            },
        }
    }
}

/// Credentials of the moment. Sources renew what they know the end of; if the store says that it has
/// come earlier, the sources are looked for anew.
#[derive(Debug)]
pub struct Identity {
    access: Access,
    region: String,
    client: Client,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    provider: AwsCredentialProvider,
    renewed: Option<Instant>,
}

impl Identity {
    /// Looks for the source.
    ///
    /// # Errors
    /// As [`Access::provider`].
    pub fn new(access: &Access, region: &str, client: &Client) -> Result<Self, String> {
        let provider = access.provider(region, client)?;
        Ok(Self {
            access: access.clone(),
            region: region.to_owned(),
            client: client.clone(),
            current: Mutex::new(Current {
                provider,
                renewed: None,
            }),
        })
    }

    /// The credentials of the moment.
    pub async fn credential(&self) -> Result<Arc<AwsCredential>, Failure> {
        let provider = {
            let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&current.provider)
        };
        provider.get_credential().await.map_err(|error| {
            let cause = Failure::within(&error).map_or_else(|| causes(&error), ToString::to_string);
            Failure::new(
                FailureKind::Credentials,
                format!("no AWS credentials could be fetched: {cause}"),
            )
        })
    }

    /// Forgets credentials that the store does not take any more. Says whether there may be others.
    pub fn renew(&self) -> bool {
        if !self.access.may_change() {
            return false;
        }
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.renewed.is_some_and(|at| at.elapsed() < TOGETHER) {
            return true;
        }
        tracing::info!("AWS credentials are over before their time, looking for new ones");
        match self.access.provider(&self.region, &self.client) {
            Ok(provider) => {
                *current = Current {
                    provider,
                    renewed: Some(Instant::now()),
                };
                true
            }
            Err(rule) => {
                tracing::warn!(rule, "no new AWS credentials");
                false
            }
        }
    }
}

impl std::fmt::Debug for Access {
    /// Without secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Keys { .. } => "Keys",
            Self::Ambient(_) => "Ambient",
        })
    }
}

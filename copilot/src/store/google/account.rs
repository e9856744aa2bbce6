//! An account of Google's: a service account with its key, a user who has logged in, an identity of
//! another platform (`federation`), or the pod's own, which the metadata server knows.
//!
//! Never here: when a token is asked for. Callers: `keys`, `token`.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::json;

use super::exchange::confidential;
use super::federation::Federation;
use crate::store::error::SettingError;

/// Where a user's token is renewed.
const TOKEN_ADDRESS: &str = "https://oauth2.googleapis.com/token";

/// Where tokens come from.
pub(super) enum Account {
    /// It signs its tokens itself.
    Service {
        email: String,
        key_id: String,
        key: Box<RsaKeyPair>,
    },
    /// Google renews them at `address` for the fields of a form.
    User {
        address: String,
        fields: Vec<(&'static str, String)>,
    },
    /// Google exchanges another platform's token for them.
    Federated(Box<Federation>),
    /// A server of the machine gives them.
    Metadata { host: String },
}

/// Why a token cannot be signed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum SigningError {
    #[error("the clock is before 1970")]
    Clock,
    #[error("the private key cannot sign")]
    Key,
}

/// A credential file of any kind.
#[derive(Deserialize)]
struct CredentialFile {
    #[serde(default)]
    r#type: String,
    client_email: Option<String>,
    private_key_id: Option<String>,
    private_key: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    refresh_token: Option<String>,
    token_uri: Option<String>,
}

impl Account {
    /// Reads a credential file.
    ///
    /// # Errors
    /// The rule that is broken; of the file it shows the type only.
    pub(super) fn read(text: &str) -> Result<Self, SettingError> {
        let wrong = |error: serde_json::Error| {
            // The parser's error may quote the content.
            let (line, column) = (error.line(), error.column());
            format!("it is not a credential file in JSON (line {line}, column {column})")
        };
        let file: CredentialFile = serde_json::from_str(text).map_err(wrong)?;
        let lacking = |name: &str| SettingError::from(format!("it lacks {name}"));
        match file.r#type.as_str() {
            "service_account" => Ok(Self::Service {
                email: file.client_email.ok_or_else(|| lacking("client_email"))?,
                key_id: file.private_key_id.unwrap_or_default(),
                key: Box::new(key(&file
                    .private_key
                    .ok_or_else(|| lacking("private_key"))?)?),
            }),
            "authorized_user" => {
                let needed = |name, value: Option<String>| {
                    value
                        .map(|value| (name, value))
                        .ok_or_else(|| lacking(name))
                };
                Ok(Self::User {
                    fields: vec![
                        needed("client_id", file.client_id)?,
                        needed("client_secret", file.client_secret)?,
                        needed("refresh_token", file.refresh_token)?,
                        ("grant_type", "refresh_token".to_owned()),
                    ],
                    address: confidential(
                        "token_uri",
                        file.token_uri.as_deref().unwrap_or(TOKEN_ADDRESS),
                    )?,
                })
            }
            "external_account" => {
                let federation = serde_json::from_str(text).map_err(wrong)?;
                Ok(Self::Federated(Box::new(Federation::new(federation)?)))
            }
            other => Err(format!(
                "its type is {other:?}; known are service_account, authorized_user and \
                 external_account (a pod with workload identity needs no file: the metadata \
                 server knows it)"
            )
            .into()),
        }
    }

    /// Its kind, for the log.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Service { .. } => "service account",
            Self::User { .. } => "authorized user",
            Self::Federated(_) => "workload identity federation",
            Self::Metadata { .. } => "metadata server",
        }
    }
}

fn key(pem: &str) -> Result<RsaKeyPair, SettingError> {
    let wrong = |_| SettingError::from("its private_key is not an RSA key in PEM");
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| "its private_key is not a private key in PEM")?;
    match &der {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(wrong),
        der => RsaKeyPair::from_der(der.secret_der()).map_err(wrong),
    }
}

/// A token that the account signs itself, good for `lifetime` seconds: Google accepts it in place of one
/// of its own (AIP-4111).
pub(super) fn signed(
    email: &str,
    key_id: &str,
    key: &RsaKeyPair,
    scopes: &str,
    lifetime: u64,
) -> Result<String, SigningError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_err(|_| SigningError::Clock)?.as_secs();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": key_id});
    let claims = json!({
        "iss": email, "sub": email, "scope": scopes, "iat": now, "exp": now + lifetime,
    });
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let text = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    );
    let mut signature = vec![0; key.public_modulus_len()];
    let random = SystemRandom::new();
    key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature)
        .map_err(|_| SigningError::Key)?;
    Ok(format!("{text}.{}", encode(&signature)))
}

impl fmt::Debug for Account {
    /// Without secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind())
    }
}

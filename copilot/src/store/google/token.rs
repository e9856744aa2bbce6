//! Tokens of one account: signed by us, or asked for. `store::credentials` keeps them.
//!
//! Never here: how a credential file is read, which `account` knows. Caller: `keys`.

use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderValue, Method};
use object_store::client::{HttpRequest, HttpRequestBody};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::account::{Account, signed};
use super::exchange::{AccessToken, form, lifetime, request, send};
use crate::store::credentials::{CredentialSource, Granted, credential_failure};
use crate::store::http::{Client, RequestFailure};

/// The lifetime of a token that we sign ourselves, in seconds: Google's limit.
const SECONDS: u64 = 3600;

/// A token is renewed this long before its end. Google's metadata server gives a new one no earlier than
/// five minutes before.
pub(super) const MARGIN: Duration = Duration::from_mins(4);

/// Gives tokens for one account and some scopes.
#[derive(Debug)]
pub(super) struct TokenSource {
    pub(super) account: Account,
    pub(super) scopes: Vec<String>,
    pub(super) client: Client,
}

#[async_trait]
impl CredentialSource<HeaderValue> for TokenSource {
    async fn fetch(&self) -> Result<Granted<HeaderValue>, RequestFailure> {
        let token = self.token().await?;
        Ok(Granted {
            credential: token.header()?,
            lifetime: token.lifetime,
        })
    }
}

impl TokenSource {
    async fn token(&self) -> Result<AccessToken, RequestFailure> {
        let request = match &self.account {
            Account::Service { email, key_id, key } => {
                let scopes = self.scopes.join(" ");
                let text = signed(email, key_id, key, &scopes, SECONDS);
                return Ok(AccessToken {
                    text: text.map_err(|error| credential_failure(error.to_string()))?,
                    lifetime: lifetime(SECONDS),
                });
            }
            Account::User { address, fields } => form(address, fields)?,
            Account::Federated(federation) => {
                return federation.token(&self.scopes, &self.client).await;
            }
            Account::Metadata { host } => metadata(host, &self.scopes)?,
        };
        let body = send(&self.client, &request, self.account.kind()).await?;
        AccessToken::read(&body, "the answer holds no token")
    }
}

/// The question to a metadata server.
fn metadata(host: &str, scopes: &[String]) -> Result<HttpRequest, RequestFailure> {
    let scopes = scopes.join(",");
    let scopes = utf8_percent_encode(&scopes, NON_ALPHANUMERIC);
    let address = format!(
        "http://{host}/computeMetadata/v1/instance/service-accounts/default/token?scopes={scopes}"
    );
    let mut request = request(Method::GET, &address, HttpRequestBody::empty())?;
    let flavor = HeaderValue::from_static("Google");
    request.headers_mut().insert("metadata-flavor", flavor);
    Ok(request)
}

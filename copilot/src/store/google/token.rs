//! Tokens: got when the first request needs one, kept until shortly before they end.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use object_store::client::{HttpRequest, HttpRequestBody};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::account::{Account, signed};
use crate::store::http::{Answer, Client, Failure, FailureKind, Unsigned};

/// What a token that we sign ourselves is good for, in seconds: Google's limit.
const LIFETIME: u64 = 3600;

/// A token is renewed this long before it ends. Google's metadata server gives a new one out no
/// earlier than five minutes before.
const MARGIN: Duration = Duration::from_mins(4);

/// Requests that fail together get a new token once, and one that cannot be had is asked for again
/// after this.
const YOUNG: Duration = Duration::from_secs(10);

/// Tokens of one account.
#[derive(Debug)]
pub(super) struct Tokens {
    account: Account,
    scopes: Vec<String>,
    client: Client,
    /// Who waits here waits for the one request that gets a token for all.
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    header: HeaderValue,
    since: Instant,
    /// When it is renewed.
    until: Instant,
    end: Instant,
}

/// What servers of tokens answer.
#[derive(Deserialize)]
pub(super) struct Granted {
    pub(super) access_token: String,
    pub(super) expires_in: u64,
}

impl Tokens {
    pub(super) fn new(account: Account, scopes: &[String], client: Client) -> Self {
        Self {
            account,
            scopes: scopes.to_vec(),
            client,
            kept: Mutex::default(),
        }
    }

    /// The header that carries the token of the moment.
    pub(super) async fn header(&self) -> Result<HeaderValue, Failure> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| Instant::now() < kept.until) {
            return Ok(kept.header.clone());
        }
        let granted = match (self.granted().await, kept.as_mut()) {
            (Ok(granted), _) => granted,
            (Err(failure), Some(kept)) if Instant::now() < kept.end => {
                tracing::warn!(%failure, "a Google token cannot be renewed yet");
                kept.until = Instant::now() + YOUNG;
                return Ok(kept.header.clone());
            }
            (Err(failure), _) => return Err(failure),
        };
        let mut header: HeaderValue = format!("Bearer {}", granted.access_token)
            .parse()
            .map_err(|_| refused("the token holds a character that no request can carry"))?;
        header.set_sensitive(true);
        let (whole, now) = (Duration::from_secs(granted.expires_in), Instant::now());
        *kept = Some(Kept {
            header: header.clone(),
            since: now,
            // One that lives for less than the margin is not asked for with each request.
            until: now + whole.saturating_sub(MARGIN).max(whole / 2),
            end: now + whole,
        });
        Ok(header)
    }

    /// Drops the token, which is not taken any more, and says that another attempt is worth it. A
    /// young one stays: it has been got because of this already, or is refused for other reasons.
    pub(super) async fn forget(&self) -> bool {
        let mut kept = self.kept.lock().await;
        if kept
            .as_ref()
            .is_some_and(|kept| kept.since.elapsed() > YOUNG)
        {
            tracing::info!("a Google token is over before its time");
            *kept = None;
        }
        true
    }

    async fn granted(&self) -> Result<Granted, Failure> {
        let request = match &self.account {
            Account::Service { email, key_id, key } => {
                let scopes = self.scopes.join(" ");
                let token = signed(email, key_id, key, &scopes, LIFETIME);
                return Ok(Granted {
                    access_token: token.map_err(refused)?,
                    expires_in: LIFETIME,
                });
            }
            Account::User { address, form } => renewal(address, form)?,
            Account::Federated(federation) => {
                return federation.granted(&self.scopes, &self.client).await;
            }
            Account::Metadata { host } => question(host, &self.scopes)?,
        };
        let body = sent(&self.client, &request, self.account.kind()).await?;
        // The error's own words may quote the token.
        serde_json::from_slice(&body).map_err(|_| refused("the answer holds no token"))
    }
}

/// The answer to a question about a token.
pub(super) async fn sent(
    client: &Client,
    request: &HttpRequest,
    of: &str,
) -> Result<Bytes, Failure> {
    let answer = client.send(request, &Unsigned, Answer::Whole).await;
    let answer = answer.map_err(|failure| refused(format!("no token from {of}: {failure}")))?;
    let body = answer.into_body().bytes().await;
    body.map_err(|error| refused(error.to_string()))
}

pub(super) fn renewal(address: &str, form: &[(&str, String)]) -> Result<HttpRequest, Failure> {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pairs = form
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)));
    let body = pairs.collect::<Vec<_>>().join("&");
    let mut request = request(Method::POST, address, body.into())?;
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(request)
}

fn question(host: &str, scopes: &[String]) -> Result<HttpRequest, Failure> {
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

pub(super) fn request(
    method: Method,
    address: &str,
    body: HttpRequestBody,
) -> Result<HttpRequest, Failure> {
    let mut request = HttpRequest::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = address
        .parse()
        .map_err(|error| refused(format!("no address of a token: {error}")))?;
    Ok(request)
}

pub(super) fn refused(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Credentials, message)
}

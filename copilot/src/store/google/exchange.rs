//! Requests to servers that give tokens, and their answers.
//!
//! Never here: which server is asked for which account. Callers: `federation`, `account`, `token`.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use object_store::client::{HttpRequest, HttpRequestBody};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::store::credentials::{credential_failure, refused_credential};
use crate::store::error::SettingError;
use crate::store::http::{Answer, Client, RequestFailure, Unsigned};

/// What a server of tokens answers.
#[derive(Deserialize)]
pub(super) struct AccessToken {
    #[serde(rename = "access_token")]
    pub(super) text: String,
    /// Its lifetime in seconds.
    pub(super) expires_in: u64,
}

impl AccessToken {
    /// Reads an answer; `empty` is the failure of one that holds no token.
    pub(super) fn read(body: &[u8], empty: &str) -> Result<Self, RequestFailure> {
        // The parser's error may quote the token.
        serde_json::from_slice(body).map_err(|_| credential_failure(empty))
    }

    /// The value of `Authorization`.
    pub(super) fn header(&self) -> Result<HeaderValue, RequestFailure> {
        let mut header: HeaderValue = format!("Bearer {}", self.text).parse().map_err(|_| {
            credential_failure("the token holds a character that no request can carry")
        })?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// Its end.
    pub(super) fn end(&self) -> SystemTime {
        SystemTime::now() + Duration::from_secs(self.expires_in)
    }
}

/// An address that may be sent secrets: it is `https`, or of this machine.
pub(super) fn confidential(name: &str, address: &str) -> Result<String, SettingError> {
    let url: reqwest::Url = address
        .parse()
        .map_err(|error| format!("its {name} is not an address ({error})"))?;
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() == "https" || url.scheme() == "http" && is_local {
        return Ok(url.to_string());
    }
    Err(format!("its {name} is not https").into())
}

/// Sends a request for a token; `server` names who is asked.
pub(super) async fn send(
    client: &Client,
    request: &HttpRequest,
    server: &str,
) -> Result<Bytes, RequestFailure> {
    let answer = client.send(request, &Unsigned, Answer::Whole).await;
    let answer = answer.map_err(|failure| {
        refused_credential(format!("no token from {server}: {failure}"), &failure)
    })?;
    let body = answer.into_body().bytes().await;
    body.map_err(|error| credential_failure(error.to_string()))
}

/// A request that posts a form.
pub(super) fn form(
    address: &str,
    fields: &[(&str, String)],
) -> Result<HttpRequest, RequestFailure> {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)));
    let body = pairs.collect::<Vec<_>>().join("&");
    let mut request = request(Method::POST, address, body.into())?;
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(request)
}

/// A request for a token.
pub(super) fn request(
    method: Method,
    address: &str,
    body: HttpRequestBody,
) -> Result<HttpRequest, RequestFailure> {
    let mut request = HttpRequest::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = address.parse().map_err(|error| {
        credential_failure(format!("the address of a token server is invalid: {error}"))
    })?;
    Ok(request)
}

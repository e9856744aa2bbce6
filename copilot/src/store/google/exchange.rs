//! Requests to servers that give tokens, and their answers.
//!
//! Never here: which server is asked for which account. Callers: `federation`, `account`, `token`.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use object_store::client::{HttpRequest, HttpRequestBody};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use crate::store::credentials::{Lifetime, credential_failure, refused_credential};
use crate::store::error::SettingError;
use crate::store::http::{Answer, Client, RequestFailure, Unsigned};

/// What a server of tokens answers.
pub(super) struct AccessToken {
    pub(super) text: String,
    pub(super) lifetime: Lifetime,
}

/// The fields of an answer. Others, such as `token_type`, are not needed.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    /// The lifetime in seconds (RFC 6749 §5.1), which need not be there. Some servers write a text.
    expires_in: Option<Value>,
}

impl AccessToken {
    /// Reads an answer; `empty` is the failure of one that holds no token.
    pub(super) fn read(body: &[u8], empty: &str) -> Result<Self, RequestFailure> {
        // By way of a value, since a field may come twice. The parser's error may quote the token.
        let answer = serde_json::from_slice(body).and_then(serde_json::from_value::<TokenAnswer>);
        let answer = answer.map_err(|_| credential_failure(empty))?;
        if answer.access_token.is_empty() {
            return Err(credential_failure(empty));
        }
        let seconds = answer.expires_in.and_then(|seconds| match seconds {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        });
        Ok(Self {
            text: answer.access_token,
            // Without an end, a token serves until a store refuses it.
            lifetime: seconds.map_or(Lifetime::Endless, lifetime),
        })
    }

    /// The value of `Authorization`.
    pub(super) fn header(&self) -> Result<HeaderValue, RequestFailure> {
        let mut header: HeaderValue = format!("Bearer {}", self.text).parse().map_err(|_| {
            credential_failure("the token holds a character that no request can carry")
        })?;
        header.set_sensitive(true);
        Ok(header)
    }
}

/// The lifetime of a token that is good for this time from now.
pub(super) fn lifetime(seconds: u64) -> Lifetime {
    let end = SystemTime::now().checked_add(Duration::from_secs(seconds));
    end.map_or(Lifetime::Endless, Lifetime::Until)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_is_needed() {
        let read = |body: &str| AccessToken::read(body.as_bytes(), "no token");
        for body in [
            r#"{"access_token": "t"}"#,
            r#"{"access_token": "t", "expires_in": null, "token_type": 7}"#,
            r#"{"access_token": "t", "expires_in": "soon"}"#,
            r#"{"access_token": "t", "expires_in": -1}"#,
            r#"{"access_token": "t", "expires_in": 18446744073709551615}"#,
        ] {
            let token = read(body).unwrap();
            assert_eq!(
                (&*token.text, token.lifetime),
                ("t", Lifetime::Endless),
                "{body}"
            );
        }
        for body in [
            r#"{"access_token": "t", "expires_in": 3599}"#,
            r#"{"access_token": "t", "expires_in": "3599"}"#,
            r#"{"access_token": "t", "access_token": "t", "expires_in": 3599}"#,
        ] {
            assert!(
                matches!(read(body).unwrap().lifetime, Lifetime::Until(_)),
                "{body}"
            );
        }
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"access_token": ""}"#,
            r#"{"access_token": 7}"#,
        ] {
            assert_eq!(read(body).err().unwrap().to_string(), "no token", "{body}");
        }
    }
}

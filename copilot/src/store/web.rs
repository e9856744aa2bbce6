//! Inputs that are plain web addresses: one GET, nothing signed (spec §3.6).
//!
//! Unlike the reference we look at the status: an error page is never taken for data.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _};
use http::{HeaderMap, Method, StatusCode, header};
use object_store::client::{HttpError, HttpRequest, HttpRequestBody, HttpResponse};
use percent_encoding::percent_decode_str;

use super::http::{Answer, Client, Failure, FailureKind, Unsigned};

/// Redirects followed, as many as the reference's client does.
const REDIRECTS: usize = 10;

/// A response being read.
pub struct Reading {
    /// Size in bytes of the whole resource, if the server says so.
    pub size: Option<u64>,
    /// A strong validator, if the server gives one.
    pub etag: Option<String>,
    /// Offset of the first byte that `stream` gives: 0 where the server does not do ranges.
    pub start: u64,
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, HttpError>>,
}

/// Web addresses, over the shared client.
#[derive(Clone, Debug)]
pub struct Web(Client);

impl Web {
    /// Reads web addresses through `client`.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// Gets a resource; from `start` on if it is still the version `etag`, else from its beginning.
    pub async fn get(
        &self,
        address: &str,
        start: u64,
        etag: Option<&str>,
    ) -> Result<Reading, Failure> {
        let mut url: reqwest::Url = address
            .parse()
            .map_err(|error| protocol(format!("{error}")))?;
        for _ in 0..=REDIRECTS {
            let request = request(&url, start, etag)?;
            match self.0.send(&request, &Unsigned, Answer::Head).await {
                Ok(response) => return reading(response, start),
                Err(failure) => url = redirected(&url, failure)?,
            }
        }
        Err(protocol(format!("more than {REDIRECTS} redirects")))
    }
}

fn request(url: &reqwest::Url, start: u64, etag: Option<&str>) -> Result<HttpRequest, Failure> {
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = Method::GET;
    let mut bare = url.clone();
    // Neither a fragment nor a password is part of what is asked for (RFC 9110 §4.2.4, §7.1). An
    // address of a host always lets go of them.
    bare.set_fragment(None);
    let _ = (bare.set_username(""), bare.set_password(None));
    *request.uri_mut() = bare
        .as_str()
        .parse()
        .map_err(|error| protocol(format!("{error}")))?;
    let mut header = |name: header::HeaderName, text: String| {
        let value = text.parse();
        let value = value.map_err(|_| protocol(format!("no value for {name}")))?;
        request.headers_mut().insert(name, value);
        Ok(())
    };
    if let Some(credentials) = basic(url) {
        header(header::AUTHORIZATION, credentials)?;
    }
    if let (Some(etag), 1..) = (etag, start) {
        header(header::RANGE, format!("bytes={start}-"))?;
        header(header::IF_RANGE, etag.to_owned())?;
    }
    Ok(request)
}

/// User and password of an address, as a server wants to see them.
fn basic(url: &reqwest::Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    let password = decoded(url.password().unwrap_or_default());
    let pair = [decoded(url.username()), password].join(&b':');
    Some(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

fn redirected(from: &reqwest::Url, failure: Failure) -> Result<reqwest::Url, Failure> {
    let reply = failure.reply.as_deref();
    let redirect = reply.filter(|reply| matches!(reply.status.as_u16(), 301..=303 | 307 | 308));
    let Some(location) = redirect.and_then(|reply| reply.location.as_deref()) else {
        return Err(failure);
    };
    let target = from
        .join(location)
        .map_err(|error| protocol(format!("redirected to no address: {error}")))?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(protocol(
            "redirected to something that is neither http nor https".to_owned(),
        ));
    }
    Ok(target)
}

fn reading(response: HttpResponse, asked: u64) -> Result<Reading, Failure> {
    let (parts, body) = response.into_parts();
    let length = number(&parts.headers, header::CONTENT_LENGTH.as_str());
    let (start, size) = match parts.status {
        StatusCode::OK => (0, length),
        StatusCode::PARTIAL_CONTENT => content_range(&parts.headers)
            .ok_or_else(|| protocol("a partial answer without Content-Range".to_owned()))?,
        status => return Err(protocol(format!("HTTP {status} where data was expected"))),
    };
    if start > asked {
        let message = format!("a range from {start} where {asked} was asked for");
        return Err(protocol(message));
    }
    let etag = parts
        .headers
        .get(header::ETAG)
        .and_then(|value| value.to_str().ok());
    Ok(Reading {
        size,
        etag: etag
            .filter(|etag| !etag.starts_with("W/"))
            .map(str::to_owned),
        start,
        stream: body.bytes_stream().boxed(),
    })
}

/// Reads `bytes START-END/SIZE`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let value = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (range, size) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, size.parse().ok()))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn protocol(message: String) -> Failure {
    Failure::new(FailureKind::Protocol, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_carry_what_the_address_says() {
        let url = "https://us%40er:p%3Aw@h/a%20b?x=1#part".parse().unwrap();
        let request = request(&url, 5, Some("\"v1\"")).unwrap();
        assert_eq!(request.uri().to_string(), "https://h/a%20b?x=1");
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            header("authorization"),
            format!("Basic {}", BASE64_STANDARD.encode("us@er:p:w"))
        );
        assert_eq!(header("range"), "bytes=5-");
        assert_eq!(header("if-range"), "\"v1\"");
    }

    #[test]
    fn content_range_is_read() {
        for (text, expected) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 5-9/*", Some((5, None))),
            ("bytes */10", None),
            ("items 5-9/10", None),
            ("", None),
        ] {
            let headers = [(header::CONTENT_RANGE, text.parse().unwrap())]
                .into_iter()
                .collect();
            assert_eq!(content_range(&headers), expected, "{text}");
        }
    }
}

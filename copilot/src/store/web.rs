//! Inputs that are plain web addresses: one GET without a signature (spec §3.6).
//!
//! Unlike the reference we look at the status: an error page is never taken for data. Web addresses can
//! only be read. Never here: retries, which are `http`'s. Caller: `stores`.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use http::{HeaderMap, Method, StatusCode, header};
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse};
use percent_encoding::percent_decode_str;

use super::backend::{Backend, Body, ObjectAddress, Pages, PartsUpload};
use super::error::{Location, StoreError, StoreService};
use super::http::{Answer, Client, FailureKind, RequestFailure, Unsigned};
use super::reference::Reference;

/// A web server, for messages.
static SERVICE: StoreService = StoreService {
    name: "a web server",
    identity: "the credentials in the reference",
};

/// How many redirects are followed: as many as the reference's client follows.
const REDIRECTS: usize = 10;

/// Web addresses, over the shared client. A target's reference is its address; keys have no meaning.
#[derive(Debug)]
pub(super) struct Web(Client);

impl Web {
    /// Reads web addresses through `client`.
    pub(super) fn new(client: Client) -> Self {
        Self(client)
    }

    /// The answer to a GET, from `start` on if the resource is still the version `etag`, else from its
    /// beginning. Follows redirects.
    async fn ask(
        &self,
        address: &str,
        start: u64,
        etag: Option<&str>,
    ) -> Result<HttpResponse, RequestFailure> {
        let mut url: reqwest::Url = address
            .parse()
            .map_err(|error| protocol(format!("{error}")))?;
        for _ in 0..=REDIRECTS {
            let request = request(&url, start, etag)?;
            match self.0.send(&request, &Unsigned, Answer::Head).await {
                Ok(response) => return Ok(response),
                Err(failure) => url = redirected(&url, failure)?,
            }
        }
        Err(protocol(format!("more than {REDIRECTS} redirects")))
    }
}

#[async_trait]
impl Backend for Web {
    fn location(&self, reference: &Reference) -> Location {
        Location::new(reference, reference.container(), &SERVICE)
    }

    fn has_ranges(&self) -> bool {
        false
    }

    async fn get(
        &self,
        target: &ObjectAddress,
        range: Option<Range<u64>>,
        etag: Option<&str>,
    ) -> Result<Body, StoreError> {
        let start = range.map_or(0, |range| range.start);
        let location = self.location(&target.reference);
        let body = async {
            let response = self.ask(&target.reference.to_string(), start, etag).await?;
            body(response, start, location.clone())
        };
        body.await
            .map_err(|failure| StoreError::from_failure(failure, location.clone(), "reading"))
    }

    async fn put(&self, target: &ObjectAddress, _: Bytes) -> Result<(), StoreError> {
        Err(read_only(target))
    }

    async fn head(&self, target: &ObjectAddress) -> Result<(), StoreError> {
        Err(read_only(target))
    }

    async fn delete(&self, target: &ObjectAddress) -> Result<(), StoreError> {
        Err(read_only(target))
    }

    async fn is_listed(&self, _: &ObjectAddress) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn list(self: Arc<Self>, prefix: ObjectAddress) -> Result<Pages, StoreError> {
        Err(StoreError::Unsupported {
            object: prefix.reference.shown(),
            what: "listing a web address".to_owned(),
            instead: "Name a single file, or a prefix in an object store",
        })
    }

    async fn begin(
        self: Arc<Self>,
        target: ObjectAddress,
    ) -> Result<Box<dyn PartsUpload>, StoreError> {
        Err(read_only(&target))
    }
}

fn read_only(target: &ObjectAddress) -> StoreError {
    StoreError::Unsupported {
        object: target.reference.shown(),
        what: "writing to a web address".to_owned(),
        instead: "Name an object store, e.g. s3://BUCKET/PREFIX",
    }
}

fn request(
    url: &reqwest::Url,
    start: u64,
    etag: Option<&str>,
) -> Result<HttpRequest, RequestFailure> {
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = Method::GET;
    let mut bare = url.clone();
    // Neither a fragment nor a password belongs to a request's target (RFC 9110 §4.2.4, §7.1). Removing
    // them cannot fail: the address has a host.
    bare.set_fragment(None);
    let _ = (bare.set_username(""), bare.set_password(None));
    *request.uri_mut() = bare
        .as_str()
        .parse()
        .map_err(|error| protocol(format!("{error}")))?;
    let mut header = |name: header::HeaderName, text: String| {
        let value = text.parse();
        let value = value.map_err(|_| {
            protocol(format!(
                "{name} holds a character that no request can carry"
            ))
        })?;
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

/// User and password of an address, as the value of `Authorization`.
fn basic(url: &reqwest::Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    let password = decoded(url.password().unwrap_or_default());
    let pair = [decoded(url.username()), password].join(&b':');
    Some(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

fn redirected(
    from: &reqwest::Url,
    failure: RequestFailure,
) -> Result<reqwest::Url, RequestFailure> {
    let reply = failure.reply.as_deref();
    let redirect = reply.filter(|reply| matches!(reply.status.as_u16(), 301..=303 | 307 | 308));
    let Some(location) = redirect.and_then(|reply| reply.location.as_deref()) else {
        return Err(failure);
    };
    let target = from
        .join(location)
        .map_err(|error| protocol(format!("redirected to an invalid address: {error}")))?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(protocol(
            "redirected to something that is neither http nor https".to_owned(),
        ));
    }
    Ok(target)
}

fn body(response: HttpResponse, asked: u64, location: Location) -> Result<Body, RequestFailure> {
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
    Ok(Body {
        size,
        // Only a strong one identifies bytes.
        etag: etag
            .filter(|etag| !etag.starts_with("W/"))
            .map(str::to_owned),
        start,
        whole: true,
        stream: body
            .bytes_stream()
            .map_err(move |error| StoreError::from_transport(error, location.clone(), "reading"))
            .boxed(),
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

fn protocol(message: String) -> RequestFailure {
    RequestFailure::new(FailureKind::Protocol, message)
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

//! Inputs that are plain web addresses: one GET, nothing signed (spec §3.6).
//!
//! Unlike the reference we look at the status: an error page is never taken for data.

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _};
use http::{HeaderMap, Method, StatusCode, header};
use object_store::client::{HttpError, HttpRequest, HttpRequestBody, HttpResponse};

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
    // A fragment is not sent (RFC 9110 §7.1).
    let (address, _) = url.as_str().split_once('#').unwrap_or((url.as_str(), ""));
    *request.uri_mut() = address
        .parse()
        .map_err(|error| protocol(format!("{error}")))?;
    if let (Some(etag), 1..) = (etag, start) {
        let value = |text: String| {
            text.parse()
                .map_err(|_| protocol(format!("{text:?} is no header")))
        };
        request
            .headers_mut()
            .insert(header::RANGE, value(format!("bytes={start}-"))?);
        request
            .headers_mut()
            .insert(header::IF_RANGE, value(etag.to_owned())?);
    }
    Ok(request)
}

fn redirected(from: &reqwest::Url, failure: Failure) -> Result<reqwest::Url, Failure> {
    let redirects = [301, 302, 303, 307, 308];
    let is_redirect = failure
        .status
        .is_some_and(|status| redirects.contains(&status.as_u16()));
    let Some(location) = failure.location.as_deref().filter(|_| is_redirect) else {
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

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
use http::{HeaderMap, HeaderValue, Method, header, response};
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody};
use percent_encoding::percent_decode_str;

use super::backend::{Backend, Body, ObjectAddress, Pages, PartsUpload};
use super::error::{Location, StoreError, StoreService};
use super::http::{Answer, Client, FailureKind, RequestFailure, Unsigned};
use super::reading::{Content, Question};
use super::reference::Reference;
use super::version::Version;

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

    /// The first usable answer to this question or a simpler one.
    async fn read(
        &self,
        address: &str,
        mut question: Question,
    ) -> Result<(Content, response::Parts, HttpResponseBody), RequestFailure> {
        loop {
            let failure = match self.ask(address, &question).await {
                Ok(answer) => {
                    let (parts, body) = answer.into_parts();
                    match question.content(&parts) {
                        Ok(content) => return Ok((content, parts, body)),
                        Err(failure) => failure,
                    }
                }
                Err(failure) => failure,
            };
            question = question.simpler(failure)?;
        }
    }

    /// The answer to a GET. Follows redirects.
    async fn ask(
        &self,
        address: &str,
        question: &Question,
    ) -> Result<HttpResponse, RequestFailure> {
        let mut url: reqwest::Url = address
            .parse()
            .map_err(|error| protocol(format!("{error}")))?;
        for _ in 0..=REDIRECTS {
            let request = request(&url, question)?;
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
        version: Option<&Version>,
    ) -> Result<Body, StoreError> {
        // The beginning is asked for without a range, as any client does.
        let range = range.filter(|range| range.start > 0);
        let question = Question::new(range, version, header::IF_RANGE);
        let location = self.location(&target.reference);
        let address = target.reference.to_string();
        let answered = self.read(&address, question).await;
        let (content, parts, body) = answered
            .map_err(|failure| StoreError::from_failure(failure, location.clone(), "reading"))?;
        check_coding(&parts.headers, target)?;
        Ok(content.body(body, location))
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

fn request(url: &reqwest::Url, question: &Question) -> Result<HttpRequest, RequestFailure> {
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
    if let Some(credentials) = basic(url) {
        let value = HeaderValue::try_from(credentials);
        let value = value.map_err(|error| protocol(format!("the credentials: {error}")))?;
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    // Without this field a server may send any coding (RFC 9110 §12.5.3).
    let identity = HeaderValue::from_static("identity");
    request
        .headers_mut()
        .insert(header::ACCEPT_ENCODING, identity);
    question.put_into(&mut request)?;
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

/// Refuses packed data in the place of what the address names. A name such as `x.csv.gz` names packed
/// data, and many servers then say so in the header.
fn check_coding(headers: &HeaderMap, target: &ObjectAddress) -> Result<(), StoreError> {
    const NAMES: [(&str, &[&str]); 5] = [
        ("gzip", &["gz", "tgz", "svgz"]),
        ("x-gzip", &["gz", "tgz", "svgz"]),
        ("compress", &["z"]),
        ("br", &["br"]),
        ("zstd", &["zst", "zstd"]),
    ];
    let Some(coding) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(());
    };
    let coding = String::from_utf8_lossy(coding.as_bytes())
        .trim()
        .to_lowercase();
    let path = target.key.split(['?', '#']).next().unwrap_or_default();
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let ending = ending.to_lowercase();
    let is_named =
        |(name, endings): &(&str, &[&str])| coding == *name && endings.contains(&&*ending);
    if matches!(&*coding, "" | "identity" | "aws-chunked") || NAMES.iter().any(is_named) {
        return Ok(());
    }
    Err(StoreError::Unsupported {
        object: target.reference.shown(),
        what: format!(
            "data that the server has packed (Content-Encoding: {})",
            coding.escape_default()
        ),
        instead: "Let the server send it unpacked, or give the packed file a name that says so, such as \
                  x.gz",
    })
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
        let version = Version::named("\"v1\"".to_owned(), 9);
        let question = Question::new(Some(5..9), Some(&version), header::IF_RANGE);
        let request = request(&url, &question).unwrap();
        assert_eq!(request.uri().to_string(), "https://h/a%20b?x=1");
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            header("authorization"),
            format!("Basic {}", BASE64_STANDARD.encode("us@er:p:w"))
        );
        assert_eq!(header("range"), "bytes=5-8");
        assert_eq!(header("if-range"), "\"v1\"");
        assert_eq!(header("accept-encoding"), "identity");
    }

    #[test]
    fn packed_data_needs_a_name_that_says_so() {
        let check = |coding: &str, address: &str| {
            let reference = Reference::parse(address).unwrap();
            let key = reference.key().to_owned();
            let coding = (header::CONTENT_ENCODING, coding.parse().unwrap());
            let headers: HeaderMap = [coding].into_iter().collect();
            check_coding(&headers, &ObjectAddress { key, reference })
        };
        for (coding, address) in [
            ("gzip", "http://h/a/x.csv.gz"),
            ("GZIP", "http://h/x.TGZ"),
            ("identity", "http://h/x.csv"),
            ("br", "http://h/x.br?a=1"),
        ] {
            assert!(check(coding, address).is_ok(), "{coding} {address}");
        }
        for (coding, address) in [
            ("gzip", "http://h/a/x.csv"),
            ("gzip", "http://h/gz"),
            ("br", "http://h/x.gz"),
            ("gzip, br", "http://h/x.gz"),
        ] {
            let error = check(coding, address).unwrap_err().to_string();
            assert!(
                error.contains("Content-Encoding"),
                "{coding} {address}: {error}"
            );
        }
    }
}

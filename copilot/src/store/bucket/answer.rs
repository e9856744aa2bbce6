//! Answers to writes, in the form that the store library reads.
//!
//! The library fails if an answer lacks a field that we do not need, although the store has done what it
//! was asked. So this layer takes from an answer what is needed, and fills in the rest. A version that the
//! store does not name gets a name of ours; `bucket` then asks the store for a proof of the write. Never
//! here: reads, which do without the library. Callers: `s3`, `google` and `azure`, as the library's
//! transport.

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, Method, header};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientOptions, PutResult};
use quick_xml::escape::escape;

use super::document::{self, DocumentError};
use crate::store::http::{FailureKind, RequestFailure, Service};

/// In place of an `ETag` that an answer does not have.
const UNNAMED: &str = "copilot-unnamed-version";

/// Fields that the library wants to be text, if they are there.
const VERSIONS: [&str; 3] = ["x-amz-version-id", "x-goog-generation", "x-ms-version-id"];

/// The client of one store as a transport of the library.
#[derive(Clone, Debug)]
pub(in crate::store) struct WriteAnswers(Service);

/// What a request of the library asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// To store an object, a part, or a list of blocks.
    Write,
    /// To begin an upload in parts.
    Begin,
    /// To complete one.
    Complete,
    Other,
}

impl WriteAnswers {
    /// The answers that come through `service`.
    pub(in crate::store) fn new(service: Service) -> Self {
        Self(service)
    }
}

#[async_trait]
impl HttpService for WriteAnswers {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let asked = Asked::of(&request);
        let mut answer = self.0.call(request).await?;
        for name in VERSIONS {
            answer.headers_mut().remove(name);
        }
        match asked {
            Asked::Write => {
                name(answer.headers_mut());
                Ok(answer)
            }
            Asked::Begin => rewritten(answer, begun).await,
            Asked::Complete => rewritten(answer, completed).await,
            Asked::Other => Ok(answer),
        }
    }
}

impl HttpConnector for WriteAnswers {
    /// The options are for a client of the library, which we do not use.
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

impl Asked {
    fn of(request: &HttpRequest) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let has = |name: &str| {
            let mut names = query.split('&').filter_map(|pair| pair.split('=').next());
            names.any(|found| found == name)
        };
        match *request.method() {
            Method::PUT => Self::Write,
            Method::POST if has("uploadId") => Self::Complete,
            Method::POST if has("uploads") => Self::Begin,
            _ => Self::Other,
        }
    }
}

/// Whether the library's note of a part, or a tag, comes from an answer that had none.
pub(super) fn is_unnamed(tag: &str) -> bool {
    tag.contains(UNNAMED)
}

/// Whether the answer to a write named the version that was written.
pub(super) fn is_named(done: &PutResult) -> bool {
    !done.e_tag.as_deref().is_none_or(is_unnamed)
}

/// The library's note of a part whose answer had no tag, now with the tag `tag`.
pub(super) fn renamed(part: &str, tag: &str) -> String {
    // With a checksum, the note is XML.
    let is_xml = part.starts_with('<');
    let tag = if is_xml { escape(tag) } else { tag.into() };
    part.replace(UNNAMED, &tag)
}

/// Gives an answer a tag if it has none, or two. A weak tag becomes strong: a proxy on the way has marked
/// it, and the store knows it without the mark.
fn name(headers: &mut HeaderMap) {
    let mut tags = headers.get_all(header::ETAG).iter();
    let tag = tags.next().filter(|first| tags.all(|tag| tag == *first));
    let tag = tag.and_then(|tag| tag.to_str().ok()).map(str::trim);
    let tag = tag.map(|tag| tag.strip_prefix("W/").unwrap_or(tag));
    let tag = tag.filter(|tag| !tag.is_empty() && *tag != "\"\"");
    let tag = tag.and_then(|tag| HeaderValue::from_str(tag).ok());
    let tag = tag.unwrap_or(HeaderValue::from_static(UNNAMED));
    headers.insert(header::ETAG, tag);
}

/// The answer with another body, made of what is needed.
async fn rewritten(
    answer: HttpResponse,
    read: fn(&[u8]) -> Result<String, DocumentError>,
) -> Result<HttpResponse, HttpError> {
    let (parts, body) = answer.into_parts();
    let body = body.bytes().await?;
    let rewritten = read(&body).map_err(|error| {
        let message = format!("the answer is not one to an upload in parts ({error})");
        let failure = RequestFailure::new(FailureKind::Foreign, message);
        HttpError::new(HttpErrorKind::Unknown, failure)
    })?;
    Ok(HttpResponse::from_parts(parts, rewritten.into()))
}

/// Of the answer that begins an upload, its id is needed: each part names it.
fn begun(body: &[u8]) -> Result<String, DocumentError> {
    let mut ids: Vec<String> = Vec::new();
    document::read(body, "InitiateMultipartUploadResult", |element| {
        // A second one is enough to refuse the answer.
        if element.path == ["UploadId"] && ids.len() < 2 && !ids.iter().any(|id| id == element.text)
        {
            ids.push(element.text.to_owned());
        }
        Ok::<(), DocumentError>(())
    })?;
    match ids.as_slice() {
        [id] if !id.trim().is_empty() => Ok(format!(
            "<InitiateMultipartUploadResult><UploadId>{}</UploadId></InitiateMultipartUploadResult>",
            escape(id.as_str())
        )),
        [_, _, ..] => Err(DocumentError::Form("it has two UploadIds".to_owned())),
        _ => Err(DocumentError::Form("it has no UploadId".to_owned())),
    }
}

/// Of the answer that completes an upload, only its kind is needed: a store that fails in the middle, and
/// a web server that has a page for everything, say 200 as well.
fn completed(body: &[u8]) -> Result<String, DocumentError> {
    document::read(body, "CompleteMultipartUploadResult", |_| {
        Ok::<(), DocumentError>(())
    })?;
    Ok("<CompleteMultipartUploadResult><ETag>-</ETag></CompleteMultipartUploadResult>".to_owned())
}

#[cfg(test)]
mod tests {
    use object_store::client::HttpRequestBody;

    use super::*;

    #[test]
    fn requests_are_told_apart() {
        for (method, target, expected) in [
            (Method::PUT, "/b/k", Asked::Write),
            (Method::PUT, "/b/k?partNumber=1&uploadId=x", Asked::Write),
            (Method::PUT, "/b/k?comp=blocklist", Asked::Write),
            (Method::POST, "/b/k?uploads=", Asked::Begin),
            (Method::POST, "/b/k?uploads", Asked::Begin),
            (Method::POST, "/b/uploads?uploadId=uploads", Asked::Complete),
            (Method::DELETE, "/b/k?uploadId=x", Asked::Other),
            (Method::GET, "/b/k", Asked::Other),
        ] {
            let mut request = HttpRequest::new(HttpRequestBody::empty());
            *request.method_mut() = method;
            *request.uri_mut() = target.parse().unwrap();
            assert_eq!(Asked::of(&request), expected, "{target}");
        }
    }

    #[test]
    fn a_write_gets_a_tag() {
        for (tags, expected) in [
            (&["\"a\""][..], "\"a\""),
            (&["a"], "a"),
            (&["W/\"a\""], "\"a\""),
            (&["\"a\"", "\"a\""], "\"a\""),
            (&["\"a\"", "\"b\""], UNNAMED),
            (&["\"\""], UNNAMED),
            (&[""], UNNAMED),
            (&["\u{e9}"], UNNAMED),
            (&[], UNNAMED),
        ] {
            let mut headers = HeaderMap::new();
            for tag in tags {
                let tag = HeaderValue::from_bytes(tag.as_bytes()).unwrap();
                headers.append(header::ETAG, tag);
            }
            name(&mut headers);
            let found: Vec<_> = headers.get_all(header::ETAG).iter().collect();
            assert_eq!(found, [expected], "{tags:?}");
        }
        assert_eq!(renamed(UNNAMED, "\"a\""), "\"a\"");
        let xml = format!("<P><ETag>{UNNAMED}</ETag></P>");
        assert_eq!(renamed(&xml, "\"a\""), "<P><ETag>&quot;a&quot;</ETag></P>");
    }

    #[test]
    fn an_upload_begins_with_its_id() {
        let answer = |inner: &str| {
            let root = "InitiateMultipartUploadResult";
            begun(format!("<s3:{root} xmlns:s3='x'>{inner}</s3:{root}>").as_bytes())
        };
        let id = "<UploadId>a&amp;b</UploadId>";
        for inner in [id, &format!("<Bucket/>{id}{id}")] {
            assert!(answer(inner).unwrap().contains(id), "{inner}");
        }
        for (inner, named) in [
            ("", "no UploadId"),
            ("<UploadId/>", "no UploadId"),
            (
                "<UploadId>a</UploadId><UploadId>b</UploadId>",
                "two UploadIds",
            ),
        ] {
            let refused = answer(inner).unwrap_err().to_string();
            assert!(refused.contains(named), "{refused}");
        }
    }

    #[test]
    fn a_completion_is_told_from_a_page() {
        for body in [
            "<CompleteMultipartUploadResult/>",
            "  <CompleteMultipartUploadResult><ETag>a</ETag><ETag>b</ETag></CompleteMultipartUploadResult>",
        ] {
            assert!(completed(body.as_bytes()).is_ok(), "{body}");
        }
        for body in ["", "<html></html>", "<CompleteMultipartUploadResult>"] {
            assert!(completed(body.as_bytes()).is_err(), "{body}");
        }
    }
}

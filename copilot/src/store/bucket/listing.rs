//! One page of a bucket's listing, with keys exactly as the store has them.
//!
//! `Dialect` is the form: S3's here, Azure's in `azure`. Never here: sending. Caller: `bucket`.

mod azure;

use std::borrow::Cow;

use http::Method;
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::store::backend::ListEntry;
use crate::store::http::{FailureKind, RequestFailure};

/// Characters that a query value may hold as they are.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A text in a query.
pub(super) fn encoded(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, QUERY)
}

/// Some objects, and how to go on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ListPage {
    /// The objects in the order of their keys.
    pub(super) objects: Vec<ListEntry>,
    /// Where the next page begins, if there is one.
    pub(super) next: Option<String>,
}

/// S3's answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListBucketResult {
    #[serde(default)]
    contents: Vec<Contents>,
    /// Present when more objects follow.
    next_continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    key: String,
    size: u64,
}

/// The form of a store's listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Dialect {
    /// S3's second version, which Google's XML interface speaks as well.
    S3,
    /// Azure's.
    Azure,
}

impl Dialect {
    /// The request for the page after `token`. It asks for no `encoding-type`: servers differ in
    /// whether they then encode, and we read an escaped character in XML either way.
    pub(super) fn request(self, address: &str, prefix: &str, token: Option<&str>) -> HttpRequest {
        let prefix = encoded(prefix);
        let uri = match (self, token.map(encoded)) {
            (Self::S3, Some(token)) => {
                format!("{address}?continuation-token={token}&list-type=2&prefix={prefix}")
            }
            (Self::S3, None) => format!("{address}?list-type=2&prefix={prefix}"),
            (Self::Azure, Some(marker)) => {
                format!("{address}?comp=list&marker={marker}&prefix={prefix}&restype=container")
            }
            (Self::Azure, None) => {
                format!("{address}?comp=list&prefix={prefix}&restype=container")
            }
        };
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = Method::GET;
        // The address was checked when the bucket was opened and the rest is encoded.
        *request.uri_mut() = uri.parse().unwrap_or_default();
        request
    }

    /// Reads the answer.
    pub(super) async fn read(self, response: HttpResponse) -> Result<ListPage, RequestFailure> {
        let body = response.into_body().bytes().await.map_err(|error| {
            let unknown = || RequestFailure::new(FailureKind::Broken, error.to_string());
            RequestFailure::within(&error)
                .cloned()
                .unwrap_or_else(unknown)
        })?;
        let (page, store) = match self {
            Self::S3 => (parse(&body), "S3"),
            Self::Azure => (azure::parse(&body), "Azure"),
        };
        page.map_err(|error| {
            let message = format!(
                "the answer is not an {store} listing ({error}); is the endpoint an {store} server?"
            );
            RequestFailure::new(FailureKind::Foreign, message)
        })
    }
}

fn parse(body: &[u8]) -> Result<ListPage, quick_xml::DeError> {
    let result: ListBucketResult = quick_xml::de::from_reader(&*with_returns_escaped(body))?;
    let objects = result.contents.into_iter().map(|found| ListEntry {
        key: found.key,
        size: found.size,
    });
    Ok(ListPage {
        objects: objects.collect(),
        next: result.next_continuation_token,
    })
}

/// XML escapes a carriage return in a key, since a reader takes a bare one for a line feed. Some servers
/// forget the escape, and one key would become another.
fn with_returns_escaped(body: &[u8]) -> Cow<'_, [u8]> {
    const END: &[u8] = b"</Key>";
    if !body.contains(&b'\r') {
        return body.into();
    }
    let mut escaped = Vec::with_capacity(body.len() + 64);
    let mut rest = body;
    while let Some(at) = rest.windows(END.len()).position(|window| window == END) {
        let (before, after) = rest.split_at(at);
        // Between keys, carriage returns are how the server ends lines.
        let text = before.iter().rposition(|byte| *byte == b'>').unwrap_or(0);
        escaped.extend(&before[..text]);
        for byte in &before[text..] {
            match byte {
                b'\r' => escaped.extend(b"&#13;"),
                byte => escaped.push(*byte),
            }
        }
        escaped.extend(END);
        rest = &after[END.len()..];
    }
    escaped.extend(rest);
    escaped.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> Vec<ListEntry> {
        keys.iter()
            .map(|key| ListEntry {
                key: (*key).to_owned(),
                size: 7,
            })
            .collect()
    }

    #[test]
    fn keys_are_read_as_they_are() {
        let listed = |key: &str| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>x</LastModified><Size>7</Size></Contents>"
            )
        };
        let body = format!(
            "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <IsTruncated>true</IsTruncated>{}{}{}<KeyCount>3</KeyCount>{}{}\
             <NextContinuationToken>a&amp;b=</NextContinuationToken></ListBucketResult>",
            listed("a/%41+b"),
            listed(" x &lt;&amp;&#x1;&#10;y "),
            listed("d/"),
            listed("a//b/../c"),
            listed("&#13;")
        );
        let page = parse(body.as_bytes()).unwrap();
        assert_eq!(page.next.as_deref(), Some("a&b="));
        let expected = ["a/%41+b", " x <&\u{1}\ny ", "d/", "a//b/../c", "\r"];
        assert_eq!(page.objects, keys(&expected));
    }

    #[test]
    fn bare_returns_of_keys_are_kept() {
        let body = "<ListBucketResult>\r\n  <Contents>\r\n<Key>a\rb</Key><Size>7</Size></Contents>\r\n\
                    <Contents><Key>a\nb\r\n</Key>\r<Size>7</Size></Contents>\r</ListBucketResult>\r\n";
        assert_eq!(
            parse(body.as_bytes()).unwrap().objects,
            keys(&["a\rb", "a\nb\r\n"])
        );
    }

    #[test]
    fn an_empty_listing_and_garbage() {
        assert_eq!(parse(b"<ListBucketResult/>").unwrap(), ListPage::default());
        for garbage in [
            "",
            "<html>hello",
            "{}",
            "<ListBucketResult><Contents></Contents></ListBucketResult>",
        ] {
            assert!(parse(garbage.as_bytes()).is_err(), "{garbage}");
        }
    }

    #[test]
    fn the_request_encodes_what_it_asks() {
        let request = Dialect::S3.request("http://h/b", "a b/é+%/", Some("t&=/"));
        let expected =
            "http://h/b?continuation-token=t%26%3D%2F&list-type=2&prefix=a%20b%2F%C3%A9%2B%25%2F";
        assert_eq!(request.uri().to_string(), expected);
    }
}

//! A bucket's listing, page by page, with keys exactly as the store has them.
//!
//! `Dialect` is the form of requests and answers: `s3` and `azure` read answers. `Walk` goes from page to
//! page: it never ends too early, and never goes on without new keys. Never here: sending. Caller:
//! `bucket`.

mod azure;
mod s3;
mod walk;

use http::Method;
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::document::DocumentError;
use crate::store::backend::ListEntry;
use crate::store::http::{FailureKind, RequestFailure};
use walk::PageStart;
pub(super) use walk::Walk;

/// Keys on a page: as many as S3 sends. Azure sends five times as many if it is not asked for less, and a
/// page has to fit into memory.
const PAGE: usize = 1000;

/// The most entries of a page: a page is in memory. Azure sends at most 5,000, and the others a thousand.
const MOST: usize = 50_000;

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

/// Some objects, and whether more follow.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ListPage {
    /// The objects in the order of the answer.
    objects: Vec<ListEntry>,
    more: More,
}

/// What an answer says about the next page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum More {
    /// This page is the last one.
    #[default]
    No,
    /// It is asked for by this token.
    Token(String),
    /// It begins after this marker (S3's first version).
    Marker(String),
    /// There is one, and the answer does not say how to ask for it.
    Unnamed {
        /// Whether the server has only S3's first version.
        is_first_version: bool,
    },
}

/// The size of a listed object, as far as the answer gives one. It is a hint: a download goes by the
/// answer that brings the bytes.
#[derive(Default)]
enum ListedSize {
    #[default]
    Missing,
    Given(u64),
    /// Not a number, or two different ones.
    Garbled,
}

/// Why a listing cannot be read, or cannot be known to be complete.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListingError {
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("an entry has no {0}")]
    NoKey(&'static str),
    #[error("a page has more than {MOST} entries")]
    Crowded,
    #[error("{0} comes twice, with two values")]
    Twice(&'static str),
    #[error("it hides the keys that begin with {0:?} (nobody asked for a delimiter)")]
    Grouped(String),
    #[error("its key {key:?} does not begin with {prefix:?}, which was asked for")]
    Outside { key: String, prefix: String },
    #[error("it says that more keys follow, and its token is one that was used before")]
    SameToken,
    #[error("it says that more keys follow, and has no key that an earlier page did not have")]
    NothingNew,
    #[error("it says that more keys follow, and neither it nor the order of its keys says where")]
    NoToken,
    #[error("it is one of {0} empty pages in a row, each of which says that more keys follow")]
    EmptyPages(u32),
}

/// The form of a store's listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Dialect {
    /// S3's, which Google's XML interface speaks as well: the second version, and the first one where a
    /// server has no other.
    S3,
    /// Azure's.
    Azure,
}

impl Dialect {
    /// The request for a page. It asks for no `encoding-type`: servers differ in whether they then
    /// encode, and we read an escaped character in XML either way.
    fn request(self, address: &str, prefix: &str, start: &PageStart) -> HttpRequest {
        let prefix = encoded(prefix);
        let query = match (self, start) {
            (Self::S3, PageStart::First) => format!("list-type=2&prefix={prefix}"),
            (Self::S3, PageStart::Token(token)) => {
                let token = encoded(token);
                format!("continuation-token={token}&list-type=2&prefix={prefix}")
            }
            (Self::S3, PageStart::After(key)) => {
                format!("list-type=2&prefix={prefix}&start-after={}", encoded(key))
            }
            (Self::S3, PageStart::FirstVersion) => format!("prefix={prefix}"),
            (Self::S3, PageStart::Marker(marker)) => {
                format!("marker={}&prefix={prefix}", encoded(marker))
            }
            (Self::Azure, PageStart::First | PageStart::FirstVersion) => {
                format!("comp=list&maxresults={PAGE}&prefix={prefix}&restype=container")
            }
            (
                Self::Azure,
                PageStart::Token(marker) | PageStart::Marker(marker) | PageStart::After(marker),
            ) => {
                let marker = encoded(marker);
                format!(
                    "comp=list&marker={marker}&maxresults={PAGE}&prefix={prefix}&restype=container"
                )
            }
        };
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = Method::GET;
        // The address was checked when the bucket was opened and the rest is encoded.
        *request.uri_mut() = format!("{address}?{query}").parse().unwrap_or_default();
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
        let page = match self {
            Self::S3 => s3::parse(&body),
            Self::Azure => azure::parse(&body),
        };
        page.map_err(|error| self.refused(&error))
    }

    /// The failure of a request whose answer is not one that such a store gives.
    pub(super) fn refused(self, error: &ListingError) -> RequestFailure {
        let store = match self {
            Self::S3 => "S3",
            Self::Azure => "Azure",
        };
        let message = match error {
            ListingError::Document(error) => format!(
                "the answer is not an {store} listing ({error}); is the endpoint an {store} server?"
            ),
            // A listing with a fault. What it hides would be missed without a word.
            _ => format!("the listing cannot be complete: {error}"),
        };
        RequestFailure::new(FailureKind::Foreign, message)
    }
}

/// Adds an entry of a page.
fn add<T>(entries: &mut Vec<T>, entry: T) -> Result<(), ListingError> {
    if entries.len() == MOST {
        return Err(ListingError::Crowded);
    }
    entries.push(entry);
    Ok(())
}

/// Notes the text of a field that has one value. The same value twice is one.
fn once(field: &mut Option<String>, text: &str, name: &'static str) -> Result<(), ListingError> {
    match field {
        Some(before) if before != text => return Err(ListingError::Twice(name)),
        _ => *field = Some(text.to_owned()),
    }
    Ok(())
}

impl ListedSize {
    /// Notes a text of the field.
    fn add(&mut self, text: &str) {
        *self = match (&*self, text.trim().parse()) {
            (Self::Missing, Ok(size)) => Self::Given(size),
            (Self::Given(before), Ok(size)) if *before == size => Self::Given(size),
            _ => Self::Garbled,
        };
    }

    /// In bytes.
    fn known(&self) -> Option<u64> {
        match self {
            Self::Given(size) => Some(*size),
            Self::Missing | Self::Garbled => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_too_many_entries_is_refused() {
        let s3 = |count: usize| {
            let entries = "<Contents><Key>k</Key></Contents>".repeat(count);
            s3::parse(format!("<ListBucketResult>{entries}</ListBucketResult>").as_bytes())
        };
        assert!(s3(MOST).is_ok());
        assert!(matches!(s3(MOST + 1), Err(ListingError::Crowded)));
        let azure = |count: usize| {
            let entries = "<Blob><Name>k</Name></Blob>".repeat(count);
            let text = format!("<EnumerationResults><Blobs>{entries}</Blobs></EnumerationResults>");
            azure::parse(text.as_bytes())
        };
        assert!(azure(MOST).is_ok());
        assert!(matches!(azure(MOST + 1), Err(ListingError::Crowded)));
    }

    #[test]
    fn requests_encode_what_they_ask() {
        let text = || "t&=/".to_owned();
        for (dialect, start, expected) in [
            (Dialect::S3, PageStart::First, "list-type=2&prefix=P"),
            (
                Dialect::S3,
                PageStart::Token(text()),
                "continuation-token=t%26%3D%2F&list-type=2&prefix=P",
            ),
            (
                Dialect::S3,
                PageStart::After(text()),
                "list-type=2&prefix=P&start-after=t%26%3D%2F",
            ),
            (Dialect::S3, PageStart::FirstVersion, "prefix=P"),
            (
                Dialect::S3,
                PageStart::Marker(text()),
                "marker=t%26%3D%2F&prefix=P",
            ),
            (
                Dialect::Azure,
                PageStart::First,
                "comp=list&maxresults=1000&prefix=P&restype=container",
            ),
            (
                Dialect::Azure,
                PageStart::Token(text()),
                "comp=list&marker=t%26%3D%2F&maxresults=1000&prefix=P&restype=container",
            ),
        ] {
            let request = dialect.request("http://h/b", "a b/é+%/", &start);
            let expected = expected.replace('P', "a%20b%2F%C3%A9%2B%25%2F");
            assert_eq!(request.uri().to_string(), format!("http://h/b?{expected}"));
        }
    }
}

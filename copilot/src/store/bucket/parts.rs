//! The parts that a store has of an upload (`ListParts`).
//!
//! The request that completes an upload names each part by its tag. Some proxies drop the tags of answers
//! to parts, and then this list has them. Caller: `upload`.

use std::collections::BTreeMap;

use http::Method;

use super::document::{self, DocumentError, Element};
use super::{Bucket, encoded};
use crate::store::backend::ObjectAddress;
use crate::store::error::StoreError;
use crate::store::http::{FailureKind, RequestFailure};

/// A page of the list.
#[derive(Debug, Default, PartialEq, Eq)]
struct PartsPage {
    /// The tags by the numbers of their parts, which begin at 1.
    tags: BTreeMap<usize, String>,
    /// The part that has begun.
    number: Option<usize>,
    tag: Option<String>,
    is_truncated: bool,
    /// The part after which the next page begins.
    next: Option<usize>,
}

/// The tags of the parts of the upload `id`, by their numbers.
///
/// # Errors
/// Any [`StoreError`]; a list that does not advance.
pub(super) async fn tags(
    bucket: &Bucket,
    target: &ObjectAddress,
    id: &str,
) -> Result<BTreeMap<usize, String>, StoreError> {
    let mut tags = BTreeMap::new();
    let mut after = 0;
    loop {
        let mut request = bucket.request(Method::GET, target, "listing parts")?;
        let id = encoded(id);
        let address = format!("{}?part-number-marker={after}&uploadId={id}", request.uri());
        let page = async {
            *request.uri_mut() = address.parse().map_err(|error| {
                let message = format!("an invalid address: {error}");
                RequestFailure::new(FailureKind::Protocol, message)
            })?;
            let answer = bucket.send(&request).await?;
            let broken = |error: object_store::client::HttpError| {
                RequestFailure::new(FailureKind::Broken, error.to_string())
            };
            let body = answer.into_body().bytes().await.map_err(broken)?;
            PartsPage::read(&body).map_err(|error| foreign(&error.to_string()))
        };
        let failed = |failure| bucket.failed(failure, target, "listing parts");
        let page: PartsPage = page.await.map_err(failed)?;
        let last = page.tags.keys().last().copied();
        tags.extend(page.tags);
        if !page.is_truncated {
            return Ok(tags);
        }
        let next = page.next.or(last).filter(|next| *next > after);
        after = next.ok_or_else(|| failed(foreign("it does not advance")))?;
    }
}

fn foreign(rule: &str) -> RequestFailure {
    let message = format!("the answer is not a list of parts ({rule})");
    RequestFailure::new(FailureKind::Foreign, message)
}

impl PartsPage {
    fn read(body: &[u8]) -> Result<Self, DocumentError> {
        let mut page = Self::default();
        document::read(body, "ListPartsResult", |element| {
            page.take(element);
            Ok::<(), DocumentError>(())
        })?;
        Ok(page)
    }

    fn take(&mut self, element: &Element<'_>) {
        let text = element.text.trim();
        match element.path {
            ["Part", "PartNumber"] => self.number = text.parse().ok(),
            ["Part", "ETag"] => self.tag = Some(text.to_owned()),
            ["Part"] => {
                let tag = self.tag.take().filter(|tag| !tag.is_empty());
                if let (Some(number), Some(tag)) = (self.number.take(), tag) {
                    self.tags.insert(number, tag);
                }
            }
            ["IsTruncated"] => self.is_truncated = text.eq_ignore_ascii_case("true"),
            ["NextPartNumberMarker"] => self.next = text.parse().ok(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_parts_is_read() {
        let body = "<ListPartsResult xmlns='x'><PartNumberMarker>0</PartNumberMarker>\
                    <NextPartNumberMarker>3</NextPartNumberMarker><IsTruncated>true</IsTruncated>\
                    <Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag><Size>5</Size></Part>\
                    <Part><ETag>b</ETag><PartNumber>3</PartNumber></Part><Part><ETag>c</ETag></Part>\
                    <Part><PartNumber>4</PartNumber></Part></ListPartsResult>";
        let page = PartsPage::read(body.as_bytes()).unwrap();
        let expected = [(1, "\"a\"".to_owned()), (3, "b".to_owned())];
        assert_eq!(page.tags, expected.into());
        assert_eq!((page.is_truncated, page.next), (true, Some(3)));
        assert!(PartsPage::read(b"<html/>").is_err());
    }
}

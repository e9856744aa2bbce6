//! Whether an upload is complete although nobody said so: its completion was not answered, or was refused when
//! it was sent again.
//!
//! The object is looked at. That it has the right size proves nothing, since the same task may have written it
//! before. So its tag must be that of our parts, or the store must have made it after our upload began.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Method, header};
use md5::{Digest as _, Md5};
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::multipart::PartId;
use object_store::path::Path;

use super::ambiguous::{GRAIN, server_time};
use super::{Bucket, names};

/// Time for the look.
const LOOK: Duration = Duration::from_secs(20);

/// What we know of the object that our upload becomes.
pub(super) struct Expected {
    /// Its size in bytes.
    pub(super) size: u64,
    /// The number of its parts.
    pub(super) parts: usize,
    /// The tag that S3 makes of the parts' tags, where those are digests of MD5.
    pub(super) tag: Option<String>,
    /// The time since our upload began.
    pub(super) age: Duration,
}

/// Why an object is not known to be the one of our upload.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Incomplete {
    /// It could not be looked at.
    #[error("a look at the object failed: {0}")]
    Unseen(String),
    /// It has another size, or none was told.
    #[error("the object has {found:?} bytes and not {expected}")]
    Size { found: Option<u64>, expected: u64 },
    /// It is made of another number of parts.
    #[error("the object is made of {found} parts and not {expected}")]
    Parts { found: usize, expected: usize },
    /// It was there before, or its time is not told.
    #[error("nothing shows that the object is newer than the upload")]
    Older,
}

/// The tag that S3 and most servers of its protocol give an object in parts: the MD5 of the parts' MD5s, and
/// their number.
pub(super) fn tag_of(parts: &[PartId]) -> Option<String> {
    let mut digest = Md5::new();
    for part in parts {
        let text = part.content_id.trim_matches('"');
        let is_digest = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u128::from_str_radix(text, 16).ok().filter(|_| is_digest)?;
        digest.update(value.to_be_bytes());
    }
    let digest: [u8; 16] = digest.finalize().into();
    Some(format!(
        "{:032x}-{}",
        u128::from_be_bytes(digest),
        parts.len()
    ))
}

/// Looks at the object at `path`.
///
/// # Errors
/// Why it is not known to be the one of our upload.
pub(super) async fn look(
    bucket: &Bucket,
    path: &Path,
    expected: &Expected,
) -> Result<(), Incomplete> {
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = Method::HEAD;
    let address = names::address(&bucket.address, path).parse();
    *request.uri_mut() = address.map_err(|error| Incomplete::Unseen(format!("{error}")))?;
    let answer = tokio::time::timeout(LOOK, bucket.send(&request)).await;
    let answer = answer.map_err(|_| Incomplete::Unseen(format!("no answer within {LOOK:?}")))?;
    let answer = answer.map_err(|failure| Incomplete::Unseen(failure.to_string()))?;
    let now = server_time(answer.headers());
    compare(answer.headers(), now, expected)
}

fn compare(headers: &HeaderMap, now: DateTime<Utc>, expected: &Expected) -> Result<(), Incomplete> {
    let text = |name: header::HeaderName| headers.get(name)?.to_str().ok();
    let size = text(header::CONTENT_LENGTH).and_then(|size| size.trim().parse().ok());
    if size != Some(expected.size) {
        return Err(Incomplete::Size {
            found: size,
            expected: expected.size,
        });
    }
    let tag = text(header::ETAG).map(|tag| tag.trim().trim_matches('"'));
    if tag.is_some() && tag == expected.tag.as_deref() {
        return Ok(());
    }
    // `…-7`: the tag of an object in seven parts, whatever stands before.
    let parts = tag.and_then(|tag| tag.rsplit_once('-')?.1.parse().ok());
    if let Some(found) = parts.filter(|found| *found != expected.parts && expected.tag.is_some()) {
        let expected = expected.parts;
        return Err(Incomplete::Parts { found, expected });
    }
    let made = text(header::LAST_MODIFIED);
    let made = made.and_then(|made| DateTime::parse_from_rfc2822(made).ok());
    let oldest = TimeDelta::from_std(expected.age + GRAIN).unwrap_or(TimeDelta::MAX);
    match made {
        // S3 dates an object in parts by the beginning of its upload.
        Some(made) if now.signed_duration_since(made) <= oldest => Ok(()),
        _ => Err(Incomplete::Older),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(size: u64, tag: Option<&str>, made: Option<&str>) -> HeaderMap {
        let size = size.to_string();
        let given = [
            (header::CONTENT_LENGTH, Some(size.as_str())),
            (header::ETAG, tag),
            (header::LAST_MODIFIED, made),
        ];
        let given = given.into_iter();
        given
            .filter_map(|(name, value)| Some((name, value?.parse().unwrap())))
            .collect()
    }

    fn part(tag: &str) -> PartId {
        PartId {
            content_id: tag.to_owned(),
        }
    }

    /// `59ad…` is the MD5 of the sixteen bytes of `d41d…`.
    #[test]
    fn the_tag_of_an_object_is_made_of_its_parts() {
        let empty = "\"d41d8cd98f00b204e9800998ecf8427e\"";
        assert_eq!(
            tag_of(&[part(empty)]).as_deref(),
            Some("59adb24ef3cdbe0297f05b395827453f-1")
        );
        for other in ["", "\"abc\"", "<part/>", "zz1d8cd98f00b204e9800998ecf8427e"] {
            assert_eq!(tag_of(&[part(empty), part(other)]), None, "{other}");
        }
    }

    #[test]
    fn only_what_is_proven_counts() {
        let now = DateTime::parse_from_rfc2822("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let fresh = Some("Sun, 06 Nov 1994 08:49:30 GMT");
        let old = Some("Sun, 06 Nov 1994 08:40:00 GMT");
        let ours = "59adb24ef3cdbe0297f05b395827453f-1";
        let size = |found| Incomplete::Size {
            found: Some(found),
            expected: 10,
        };
        let parts = Incomplete::Parts {
            found: 2,
            expected: 1,
        };
        for (headers, expected) in [
            (
                headers(10, Some("\"59adb24ef3cdbe0297f05b395827453f-1\""), old),
                Ok(()),
            ),
            (headers(10, Some(ours), None), Ok(())),
            // Of another digest, such as that of an encrypted object.
            (headers(10, Some("\"abc-1\""), fresh), Ok(())),
            (headers(10, None, fresh), Ok(())),
            (headers(10, Some("\"abc-1\""), old), Err(Incomplete::Older)),
            (headers(10, None, None), Err(Incomplete::Older)),
            (headers(10, Some("\"abc-2\""), fresh), Err(parts)),
            (headers(9, Some(ours), fresh), Err(size(9))),
        ] {
            let wanted = Expected {
                size: 10,
                parts: 1,
                tag: Some(ours.to_owned()),
                age: Duration::from_secs(20),
            };
            assert_eq!(
                compare(&headers, now.into(), &wanted),
                expected,
                "{headers:?}"
            );
        }
    }
}

//! Whether an upload is complete although nobody said so: its completion was not answered, or was refused when
//! it was sent again; or the answer to a write does not name what was written.
//!
//! The object is looked at. That it has the right size proves nothing, since the same task may have written it
//! before. So its tag must be that of our parts, or the store must have made it after our upload began. Where
//! neither is told, the object is read again, and each part of it compared with the digest of ours.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt as _;
use http::{HeaderMap, Method, header};
use md5::{Digest as _, Md5};
use object_store::multipart::PartId;

use super::ambiguous::{GRAIN, server_time};
use super::{Bucket, read};
use crate::store::backend::ObjectAddress;
use crate::store::error::StoreError;

/// Time for the look.
const LOOK: Duration = Duration::from_secs(20);

/// What we know of the object that our upload becomes.
pub(super) struct Expected {
    /// Its size in bytes.
    pub(super) size: u64,
    /// The size of its parts but the last, in bytes.
    pub(super) part_size: u64,
    /// The number of its parts.
    pub(super) parts: usize,
    /// The MD5 of each part, where the store's tags of parts are that.
    pub(super) digests: Option<Vec<u128>>,
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
    #[error("the object has {} bytes and not {expected}", found.map_or("?".to_owned(), |size| size.to_string()))]
    Size { found: Option<u64>, expected: u64 },
    /// It is made of another number of parts.
    #[error("the object is made of {found} parts and not {expected}")]
    Parts { found: usize, expected: usize },
    /// It was there before, or its time is not told.
    #[error("nothing shows that the object is newer than the upload")]
    Older,
    /// It has other bytes.
    #[error("the object has other bytes than the upload")]
    Other,
}

/// The MD5 of each part, if the tags that the store gave them are that.
pub(super) fn digests_of(parts: &[PartId]) -> Option<Vec<u128>> {
    let digest = |part: &PartId| {
        // With checksums, the library keeps the tag as a part of a document.
        let text = part.content_id.as_str();
        let text = text.split_once("<ETag>").map_or(text, |(_, after)| after);
        let text = text.split_once('<').map_or(text, |(before, _)| before);
        let text = text.trim_start_matches("&quot;").trim_end_matches("&quot;");
        let text = text.trim_matches('"');
        let is_digest = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u128::from_str_radix(text, 16).ok().filter(|_| is_digest)
    };
    parts.iter().map(digest).collect()
}

/// The tag that S3 and most servers of its protocol give an object in parts: the MD5 of the parts' MD5s, and
/// their number.
fn tag_of(digests: &[u128]) -> String {
    let mut whole = Md5::new();
    for digest in digests {
        whole.update(digest.to_be_bytes());
    }
    format!("{:032x}-{}", value(whole), digests.len())
}

fn value(digest: Md5) -> u128 {
    u128::from_be_bytes(digest.finalize().into())
}

impl Expected {
    /// An object that was written as a whole; `age` is the time since the write began.
    pub(super) fn of_whole(data: &[u8], age: Duration) -> Self {
        let size = data.len() as u64;
        let mut digests = Digests::new(size);
        digests.update(data);
        Self {
            size,
            part_size: size,
            parts: 1,
            digests: Some(digests.end()),
            age,
        }
    }
}

/// Looks at the object `target`.
///
/// # Errors
/// Why it is not known to be the one of our upload.
pub(super) async fn look(
    bucket: &Bucket,
    target: &ObjectAddress,
    expected: &Expected,
) -> Result<(), Incomplete> {
    let unseen = |error: StoreError| Incomplete::Unseen(error.to_string());
    let request = bucket.request(Method::HEAD, target, "looking");
    let request = request.map_err(unseen)?;
    let answer = tokio::time::timeout(LOOK, bucket.send(&request)).await;
    let answer = answer.map_err(|_| Incomplete::Unseen(format!("no answer within {LOOK:?}")))?;
    let answer = answer.map_err(|failure| Incomplete::Unseen(failure.to_string()))?;
    let now = server_time(answer.headers());
    match (compare(answer.headers(), now, expected), &expected.digests) {
        (Err(Incomplete::Older), Some(digests)) => {
            read_again(bucket, target, digests, expected.part_size).await
        }
        (compared, _) => compared,
    }
}

/// Reads the object, and compares each part with its digest.
async fn read_again(
    bucket: &Bucket,
    target: &ObjectAddress,
    digests: &[u128],
    part_size: u64,
) -> Result<(), Incomplete> {
    let unseen = |error: StoreError| Incomplete::Unseen(error.to_string());
    let body = read::get(bucket, target, None, None).await;
    let mut body = body.map_err(unseen)?.stream;
    let mut found = Digests::new(part_size);
    while let Some(data) = body.try_next().await.map_err(unseen)? {
        found.update(&data);
    }
    if found.end() == digests {
        return Ok(());
    }
    Err(Incomplete::Other)
}

/// The digests of parts of one size, one after the other.
struct Digests {
    part_size: u64,
    done: Vec<u128>,
    current: Md5,
    /// Bytes of the current part.
    length: u64,
}

impl Digests {
    fn new(part_size: u64) -> Self {
        Self {
            part_size: part_size.max(1),
            done: Vec::new(),
            current: Md5::new(),
            length: 0,
        }
    }

    fn update(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            let room = usize::try_from(self.part_size - self.length).unwrap_or(usize::MAX);
            let (now, later) = data.split_at(data.len().min(room));
            self.current.update(now);
            self.length += now.len() as u64;
            data = later;
            if self.length == self.part_size {
                self.done.push(value(std::mem::take(&mut self.current)));
                self.length = 0;
            }
        }
    }

    fn end(mut self) -> Vec<u128> {
        if self.length > 0 {
            self.done.push(value(self.current));
        }
        self.done
    }
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
    let ours = expected.digests.as_deref().map(tag_of);
    if tag.is_some() && tag == ours.as_deref() {
        return Ok(());
    }
    // `…-7`: the tag of an object in seven parts, whatever stands before.
    let parts = tag.and_then(|tag| tag.rsplit_once('-')?.1.parse().ok());
    if let Some(found) = parts.filter(|found| *found != expected.parts && ours.is_some()) {
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
        const EMPTY: u128 = 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e;
        let empty = "\"d41d8cd98f00b204e9800998ecf8427e\"";
        let document = "<PartMetadata><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag>\
                        <ChecksumSHA256>x</ChecksumSHA256></PartMetadata>";
        for same in [empty, empty.trim_matches('"'), document] {
            assert_eq!(digests_of(&[part(same)]), Some(vec![EMPTY]), "{same}");
        }
        assert_eq!(tag_of(&[EMPTY]), "59adb24ef3cdbe0297f05b395827453f-1");
        for other in ["", "\"abc\"", "<part/>", "zz1d8cd98f00b204e9800998ecf8427e"] {
            assert_eq!(digests_of(&[part(empty), part(other)]), None, "{other}");
        }
    }

    #[test]
    fn the_digests_of_parts_do_not_depend_on_the_pieces() {
        let data = b"0123456789";
        let digest = |data: &[u8]| value(Md5::new().chain_update(data));
        for piece in 1..=10 {
            let mut found = Digests::new(4);
            data.chunks(piece).for_each(|piece| found.update(piece));
            let expected = [digest(b"0123"), digest(b"4567"), digest(b"89")];
            assert_eq!(found.end(), expected, "{piece}");
        }
        let mut found = Digests::new(5);
        found.update(data);
        assert_eq!(found.end().len(), 2);
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
                part_size: 10,
                parts: 1,
                digests: Some(vec![0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e]),
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

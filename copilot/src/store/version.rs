//! What tells one version of an object from another, and when two answers hold bytes of the same one.
//!
//! A store may name the version by a tag (`ETag`). Otherwise size and time of modification together
//! identify it, if the time is old enough. Never here: what to do about another version. Callers: every
//! back end makes a [`Version`] for each [`Body`](super::Body), and `transfer` compares them.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};

/// How much older than its answer a time of modification must be. Such times count whole seconds, so an
/// object can change twice within one of them; and two clocks of one store may differ (RFC 9110
/// §8.8.2.2 asks for a second at least, RFC 7232 asked for a minute).
const SETTLED: Duration = Duration::from_mins(1);

/// The version of an object, as far as the store tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    tag: Option<Tag>,
    modified: Option<Modified>,
    size: Option<u64>,
}

/// Whether two answers are of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameVersion {
    /// They are, byte for byte.
    Yes,
    /// They differ.
    No,
    /// The store says too little.
    Unknown,
}

/// A version tag (RFC 9110 §8.8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    text: String,
    /// Versions of one weak tag may differ in their bytes.
    is_weak: bool,
}

/// A time of modification.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Modified {
    /// As the store writes it: a text that is not a date can still be compared.
    text: String,
    /// Whether a later change would have another time.
    is_settled: bool,
}

impl Version {
    /// A version of `size` bytes that `tag` identifies byte for byte.
    pub(super) fn named(tag: String, size: u64) -> Self {
        Self {
            tag: Some(Tag {
                text: tag,
                is_weak: false,
            }),
            modified: None,
            size: Some(size),
        }
    }

    /// The version that an answer's header names; `size` is that of the whole object in bytes.
    pub(super) fn of_answer(headers: &HeaderMap, size: Option<u64>) -> Self {
        Self {
            tag: single(headers, &header::ETAG).and_then(Tag::parse),
            modified: single(headers, &header::LAST_MODIFIED).map(|text| Modified {
                text: text.to_owned(),
                is_settled: is_settled(text, single(headers, &header::DATE)),
            }),
            size,
        }
    }

    /// Bytes of the whole object, if the store says how many it has.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Whether the store names any tag, even a weak one.
    pub(super) fn has_tag(&self) -> bool {
        self.tag.is_some()
    }

    /// The tag for `If-Match` and `If-Range`. Both compare strongly, so a weak tag never matches
    /// (RFC 9110 §13.1.1, §13.1.5), and a tag without quotes is refused by some servers.
    pub(super) fn condition(&self) -> Option<&str> {
        let tag = self.tag.as_ref().filter(|tag| !tag.is_weak)?;
        let quoted = tag.text.len() > 1 && tag.text.starts_with('"') && tag.text.ends_with('"');
        quoted.then_some(&*tag.text)
    }

    /// Whether another answer can be proven to be of this version.
    #[must_use]
    pub fn is_provable(&self) -> bool {
        self.same_as(self) == SameVersion::Yes
    }

    /// Whether an answer of the version `later` holds bytes of this one.
    ///
    /// Two strong tags decide. Otherwise sizes, weak tags and times of modification can only show a
    /// difference, and an equal size with an equal, settled time shows that nothing changed.
    #[must_use]
    pub fn same_as(&self, later: &Self) -> SameVersion {
        let sizes = self.size.zip(later.size);
        if sizes.is_some_and(|(one, other)| one != other) {
            return SameVersion::No;
        }
        if let (Some(one), Some(other)) = (&self.tag, &later.tag) {
            if one.opaque() != other.opaque() {
                return SameVersion::No;
            }
            if !one.is_weak && !other.is_weak {
                return SameVersion::Yes;
            }
        }
        match (&self.modified, &later.modified) {
            (Some(one), Some(other)) if one.text != other.text => SameVersion::No,
            (Some(one), Some(_)) if one.is_settled && sizes.is_some() => SameVersion::Yes,
            _ => SameVersion::Unknown,
        }
    }
}

impl Tag {
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        Some(Self {
            text: text.to_owned(),
            is_weak: text.starts_with("W/") || text.starts_with("w/"),
        })
    }

    /// The tag without the mark of weakness, and without quotes, which some proxies drop.
    fn opaque(&self) -> &str {
        let text = if self.is_weak {
            &self.text[2..]
        } else {
            &self.text
        };
        text.trim_matches('"')
    }
}

/// Whether something that was modified at `modified` would have another time if it changed again; `date`
/// is when the answer was made by the server's clock. Without it our clock counts (RFC 9110 §6.6.1).
fn is_settled(modified: &str, date: Option<&str>) -> bool {
    let Ok(modified) = httpdate::parse_http_date(modified) else {
        return false;
    };
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let age = date
        .unwrap_or_else(SystemTime::now)
        .duration_since(modified);
    age.is_ok_and(|age| age >= SETTLED)
}

/// The value of a field that comes once. One that comes again with another value says nothing.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.any(|other| other != first) {
        return None;
    }
    first.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "Wed, 01 Jan 2025 00:00:00 GMT";
    const NEW: &str = "Thu, 02 Jan 2025 00:00:00 GMT";

    fn version(fields: &[(header::HeaderName, &str)], size: Option<u64>) -> Version {
        let headers = fields.iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| {
            map.append(name, value);
        });
        Version::of_answer(&map, size)
    }

    fn tagged(tag: &str) -> Version {
        version(&[(header::ETAG, tag)], Some(5))
    }

    fn modified(at: &str, date: Option<&str>, size: Option<u64>) -> Version {
        let date = date.map(|date| (header::DATE, date));
        let fields: Vec<_> = [(header::LAST_MODIFIED, at)]
            .into_iter()
            .chain(date)
            .collect();
        version(&fields, size)
    }

    #[test]
    fn strong_tags_decide() {
        use SameVersion::{No, Unknown, Yes};
        for (one, other, expected) in [
            ("\"a\"", "\"a\"", Yes),
            ("\"a\"", "\"b\"", No),
            // Some servers and proxies lose the quotes.
            ("a", "\"a\"", Yes),
            ("W/\"a\"", "W/\"a\"", Unknown),
            ("W/\"a\"", "\"a\"", Unknown),
            ("w/\"a\"", "W/\"b\"", No),
            ("", "\"a\"", Unknown),
            ("", "", Unknown),
        ] {
            assert_eq!(
                tagged(one).same_as(&tagged(other)),
                expected,
                "{one} {other}"
            );
        }
        let both = |tag| {
            version(
                &[(header::ETAG, tag), (header::LAST_MODIFIED, OLD)],
                Some(5),
            )
        };
        let other_size = version(&[(header::ETAG, "\"a\"")], Some(6));
        assert_eq!(tagged("\"a\"").same_as(&other_size), No);
        assert_eq!(both("W/\"a\"").same_as(&both("W/\"a\"")), Yes);
        // A tag that only one answer has decides nothing.
        assert_eq!(both("\"a\"").same_as(&modified(OLD, None, Some(5))), Yes);
        assert_eq!(both("\"a\"").same_as(&modified(NEW, None, Some(5))), No);
        assert_eq!(both("\"a\"").same_as(&Version::default()), Unknown);
    }

    #[test]
    fn a_time_counts_with_the_size_and_when_it_is_old_enough() {
        use SameVersion::{No, Unknown, Yes};
        let five = Some(5);
        let soon = Some("Wed, 01 Jan 2025 00:00:59 GMT");
        let later = Some("Wed, 01 Jan 2025 00:01:00 GMT");
        for (one, other, expected) in [
            (modified(OLD, None, five), modified(OLD, None, five), Yes),
            (modified(OLD, None, five), modified(NEW, None, five), No),
            (modified(OLD, None, five), modified(OLD, None, Some(6)), No),
            (
                modified(OLD, None, five),
                modified(OLD, None, None),
                Unknown,
            ),
            (
                modified(OLD, None, None),
                modified(OLD, None, None),
                Unknown,
            ),
            (modified(OLD, later, five), modified(OLD, later, five), Yes),
            (
                modified(OLD, soon, five),
                modified(OLD, later, five),
                Unknown,
            ),
            (
                modified("yesterday", later, five),
                modified("yesterday", later, five),
                Unknown,
            ),
            (
                modified("yesterday", later, five),
                modified("today", later, five),
                No,
            ),
            (
                modified(OLD, Some("now"), five),
                modified(OLD, None, five),
                Yes,
            ),
        ] {
            assert_eq!(one.same_as(&other), expected, "{one:?} {other:?}");
            assert_eq!(one.is_provable(), one.same_as(&one) == Yes);
        }
        // A clock that is ahead of ours: the future is not settled.
        let future = modified("Wed, 01 Jan 2525 00:00:00 GMT", None, five);
        assert!(!future.is_provable());
    }

    #[test]
    fn conditions_name_strong_quoted_tags_only() {
        for (tag, condition) in [
            ("\"a\"", Some("\"a\"")),
            ("W/\"a\"", None),
            ("a", None),
            ("\"", None),
            ("", None),
        ] {
            assert_eq!(tagged(tag).condition(), condition, "{tag}");
        }
    }

    #[test]
    fn a_field_that_contradicts_itself_says_nothing() {
        let twice = |one, other| version(&[(header::ETAG, one), (header::ETAG, other)], None);
        assert!(!twice("\"a\"", "\"b\"").has_tag());
        assert_eq!(twice("\"a\"", "\"a\"").condition(), Some("\"a\""));
    }
}

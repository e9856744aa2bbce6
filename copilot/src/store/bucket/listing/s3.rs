//! S3's listings, of either version.
//!
//! A server that has only the first version ignores `list-type=2` and answers with `Marker` and
//! `NextMarker`. Of an entry only the key is needed. Caller: `listing`.

use percent_encoding::percent_decode_str;

use super::{ListPage, ListedSize, ListingError, More, PAGE, add, once};
use crate::store::backend::ListEntry;
use crate::store::bucket::document::{self, DocumentError, Element};

/// The fields of an answer that matter, as texts.
#[derive(Default)]
struct Answer {
    entries: Vec<Contents>,
    /// The entry that has begun.
    entry: Contents,
    is_truncated: Option<String>,
    token: Option<String>,
    /// Whether it is an answer of the first version.
    has_marker: bool,
    next_marker: Option<String>,
    max_keys: Option<String>,
    encoding: Option<String>,
}

#[derive(Default)]
struct Contents {
    key: Option<String>,
    size: ListedSize,
}

/// Reads a page.
pub(super) fn parse(body: &[u8]) -> Result<ListPage, ListingError> {
    let mut answer = Answer::default();
    document::read(body, "ListBucketResult", |element| answer.take(element))?;
    answer.page()
}

impl Answer {
    fn take(&mut self, element: &Element<'_>) -> Result<(), ListingError> {
        let text = element.text;
        match element.path {
            ["Contents", "Key"] => once(&mut self.entry.key, text, "Key")?,
            ["Contents", "Size"] => self.entry.size.add(text),
            ["Contents"] => add(&mut self.entries, std::mem::take(&mut self.entry))?,
            ["IsTruncated"] => once(&mut self.is_truncated, text, "IsTruncated")?,
            ["NextContinuationToken"] => once(&mut self.token, text, "NextContinuationToken")?,
            ["NextMarker"] => once(&mut self.next_marker, text, "NextMarker")?,
            // These are only hints, and the last one counts.
            ["Marker"] => self.has_marker = true,
            ["MaxKeys"] => self.max_keys = Some(text.to_owned()),
            ["EncodingType"] => self.encoding = Some(text.to_owned()),
            ["CommonPrefixes", "Prefix"] if !text.is_empty() => {
                return Err(ListingError::Grouped(text.to_owned()));
            }
            _ => {}
        }
        Ok(())
    }

    fn page(self) -> Result<ListPage, ListingError> {
        let is_encoded = { self.encoding.as_deref() }.is_some_and(|text| text.trim() == "url");
        let name = |text: String| {
            if is_encoded {
                unescaped(&text)
            } else {
                Ok(text)
            }
        };
        let entry = |found: Contents| -> Result<ListEntry, ListingError> {
            let key = found.key.filter(|key| !key.is_empty());
            Ok(ListEntry {
                key: name(key.ok_or(ListingError::NoKey("Key"))?)?,
                size: found.size.known(),
            })
        };
        let objects: Vec<ListEntry> = self
            .entries
            .into_iter()
            .map(entry)
            .collect::<Result<_, _>>()?;
        let is_first_version = self.has_marker || self.next_marker.is_some();
        let full = self.max_keys.and_then(|text| text.trim().parse().ok());
        let is_full = objects.len() >= full.filter(|full| *full > 0).unwrap_or(PAGE);
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let is_truncated = self.is_truncated.as_deref().and_then(boolean);
        let more = match (filled(self.token), filled(self.next_marker)) {
            _ if is_truncated == Some(false) => More::No,
            (Some(token), _) => More::Token(token),
            (None, Some(marker)) => More::Marker(name(marker)?),
            (None, None) if is_truncated.unwrap_or(is_full) => More::Unnamed { is_first_version },
            (None, None) => More::No,
        };
        Ok(ListPage { objects, more })
    }
}

/// What `IsTruncated` says, if it says something.
fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A name that came by `encoding-type=url`: like a form's, a blank is `+`.
fn unescaped(text: &str) -> Result<String, ListingError> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| DocumentError::Form(format!("the key {text:?} is not UTF-8")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(inner: &str) -> Result<ListPage, ListingError> {
        parse(format!("<ListBucketResult>{inner}</ListBucketResult>").as_bytes())
    }

    fn entry(key: &str) -> String {
        format!("<Contents><Key>{key}</Key><LastModified>x</LastModified><Size>7</Size></Contents>")
    }

    fn keys(page: &ListPage) -> Vec<&str> {
        page.objects
            .iter()
            .map(|found| found.key.as_str())
            .collect()
    }

    #[test]
    fn keys_are_read_as_they_are() {
        let entries = [
            "a/%41+b",
            " x &lt;&amp;&#x1;&#10;y ",
            "d/",
            "a//b/../c",
            "&#13;",
        ];
        let page = page(&entries.map(entry).concat()).unwrap();
        let expected = ["a/%41+b", " x <&\u{1}\ny ", "d/", "a//b/../c", "\r"];
        assert_eq!(keys(&page), expected);
        assert!(page.objects.iter().all(|found| found.size == Some(7)));
    }

    /// Only `EncodingType` says that names are encoded; we never ask for it.
    #[test]
    fn encoded_keys_are_decoded() {
        let inner = format!(
            "{}<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
             <NextMarker>a%2Fb</NextMarker>",
            entry("a/b+c%2B%C3%A9%41")
        );
        let page = page(&inner).unwrap();
        assert_eq!(keys(&page), ["a/b c+éA"]);
        assert_eq!(page.more, More::Marker("a/b".to_owned()));
    }

    #[test]
    fn what_follows_is_read() {
        let token = More::Token("t".to_owned());
        let unnamed = |is_first_version| More::Unnamed { is_first_version };
        let (yes, no) = (
            "<IsTruncated>true</IsTruncated>",
            "<IsTruncated>false</IsTruncated>",
        );
        let next = "<NextContinuationToken>t</NextContinuationToken>";
        for (parts, expected) in [
            (&[yes, next][..], token.clone()),
            (&[yes, next, next], token.clone()),
            (&[next], token.clone()),
            (&["<IsTruncated>perhaps</IsTruncated>", next], token.clone()),
            (&["<IsTruncated> True </IsTruncated>", next], token),
            (&[no, next], More::No),
            (&["<IsTruncated>0</IsTruncated>", next], More::No),
            (&[], More::No),
            (&[yes], unnamed(false)),
            (
                &[yes, "<NextContinuationToken> </NextContinuationToken>"],
                unnamed(false),
            ),
            (&[yes, "<Marker/>"], unnamed(true)),
            (&[yes, "<NextMarker/>"], unnamed(true)),
            (
                &[yes, "<NextMarker>m</NextMarker>"],
                More::Marker("m".to_owned()),
            ),
            (&["<MaxKeys>1</MaxKeys>"], unnamed(false)),
            (&["<MaxKeys>2</MaxKeys>"], More::No),
            (&["<MaxKeys>x</MaxKeys>"], More::No),
            (&["<MaxKeys>1</MaxKeys>", no], More::No),
        ] {
            let inner = format!("{}{}", entry("a"), parts.concat());
            assert_eq!(page(&inner).unwrap().more, expected, "{parts:?}");
        }
    }

    #[test]
    fn a_page_that_is_full_and_names_no_end_is_not_the_last() {
        let more = |count, rest: &str| page(&(entry("a").repeat(count) + rest)).unwrap().more;
        let unnamed = More::Unnamed {
            is_first_version: false,
        };
        assert_eq!(more(PAGE, ""), unnamed);
        assert_eq!(more(PAGE, "<MaxKeys>many</MaxKeys>"), unnamed);
        assert_eq!(more(PAGE, "<IsTruncated>false</IsTruncated>"), More::No);
        assert_eq!(more(PAGE - 1, ""), More::No);
    }

    #[test]
    fn a_size_is_not_needed() {
        for (sizes, expected) in [
            ("<Size>7</Size>", Some(7)),
            ("<Size> 7 </Size>", Some(7)),
            ("<Size>7</Size><Size>7</Size>", Some(7)),
            ("", None),
            ("<Size/>", None),
            ("<Size>-7</Size>", None),
            ("<Size>99999999999999999999</Size>", None),
            ("<Size>7</Size><Size>8</Size><Size>8</Size>", None),
        ] {
            let inner = format!("<Contents>{sizes}<Key>a</Key></Contents>");
            assert_eq!(page(&inner).unwrap().objects[0].size, expected, "{sizes}");
        }
    }

    #[test]
    fn what_would_hide_an_object_is_refused() {
        for (inner, named) in [
            ("<Contents><Size>7</Size></Contents>", "Key"),
            ("<Contents><Key/></Contents>", "Key"),
            ("<Contents><Key>a</Key><Key>b</Key></Contents>", "Key"),
            (
                "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>",
                "\"a/\"",
            ),
            (
                "<IsTruncated>true</IsTruncated><IsTruncated>false</IsTruncated>",
                "IsTruncated",
            ),
            (
                "<NextContinuationToken>a</NextContinuationToken>\
                 <NextContinuationToken>b</NextContinuationToken>",
                "NextContinuationToken",
            ),
        ] {
            let refused = page(inner).unwrap_err().to_string();
            assert!(refused.contains(named), "{inner}: {refused}");
        }
        let nothing = "<CommonPrefixes><Prefix/></CommonPrefixes><CommonPrefixes/>";
        assert_eq!(page(nothing).unwrap(), ListPage::default());
    }
}

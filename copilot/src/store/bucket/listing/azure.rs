//! Azure's listings: blobs with their properties.
//!
//! A page may be empty although more follow. Of a blob only the name is needed. Caller: `listing`.

use percent_encoding::percent_decode_str;

use super::{ListPage, ListedSize, ListingError, More, PAGE, add, once};
use crate::store::backend::ListEntry;
use crate::store::bucket::document::{self, DocumentError, Element};

/// The fields of an answer that matter.
#[derive(Default)]
struct Answer {
    blobs: Vec<Blob>,
    /// The blob that has begun.
    blob: Blob,
    next_marker: Option<String>,
}

#[derive(Default)]
struct Blob {
    name: Option<String>,
    is_encoded: bool,
    size: ListedSize,
    /// Whether it is not an object that can be read: a directory (where the account has directories), a
    /// deleted blob, or a snapshot.
    is_hidden: bool,
}

/// Reads a page.
pub(super) fn parse(body: &[u8]) -> Result<ListPage, ListingError> {
    let mut answer = Answer::default();
    document::read(body, "EnumerationResults", |element| answer.take(element))?;
    answer.page()
}

impl Answer {
    fn take(&mut self, element: &Element<'_>) -> Result<(), ListingError> {
        let text = element.text;
        let blob = &mut self.blob;
        match element.path {
            ["Blobs", "Blob", "Name"] => {
                once(&mut blob.name, text, "Name")?;
                // A name that XML cannot express comes percent-encoded, with a mark that says so.
                blob.is_encoded |= element.is_encoded;
            }
            ["Blobs", "Blob", "Properties", "Content-Length"] => blob.size.add(text),
            ["Blobs", "Blob", "Properties", "ResourceType"] => {
                blob.is_hidden |= text.trim() == "directory";
            }
            ["Blobs", "Blob", "Deleted"] => blob.is_hidden |= text.trim() == "true",
            ["Blobs", "Blob", "Snapshot"] => blob.is_hidden |= !text.trim().is_empty(),
            ["Blobs", "Blob"] => add(&mut self.blobs, std::mem::take(&mut self.blob))?,
            ["Blobs", "BlobPrefix", "Name"] if !text.is_empty() => {
                return Err(ListingError::Grouped(text.to_owned()));
            }
            ["NextMarker"] => once(&mut self.next_marker, text, "NextMarker")?,
            _ => {}
        }
        Ok(())
    }

    fn page(self) -> Result<ListPage, ListingError> {
        let is_full = self.blobs.len() >= PAGE;
        let more = match self.next_marker {
            Some(marker) if !marker.is_empty() => More::Token(marker),
            None if is_full => More::Unnamed {
                is_first_version: false,
            },
            // Empty at the end.
            _ => More::No,
        };
        let mut objects = Vec::with_capacity(self.blobs.len());
        for blob in self.blobs {
            let name = blob.name.filter(|name| !name.is_empty());
            let name = name.ok_or(ListingError::NoKey("Name"))?;
            if blob.is_hidden {
                continue;
            }
            objects.push(ListEntry {
                key: if blob.is_encoded {
                    unescaped(&name)?
                } else {
                    name
                },
                size: blob.size.known(),
            });
        }
        Ok(ListPage { objects, more })
    }
}

fn unescaped(name: &str) -> Result<String, ListingError> {
    let decoded = percent_decode_str(name).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| DocumentError::Form(format!("the name {name:?} is not UTF-8")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_read_and_directories_are_not() {
        let blob = |name: &str, kind: &str| {
            format!(
                "<Blob>{name}<Properties><Etag>0x1</Etag><Content-Length>7</Content-Length>{kind}\
                 <BlobType>BlockBlob</BlobType></Properties><OrMetadata/></Blob>"
            )
        };
        let body = format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults \
             ServiceEndpoint=\"https://a.blob.core.windows.net/\" ContainerName=\"c\">\
             <Prefix>d/</Prefix><Blobs>{}{}{}{}</Blobs><NextMarker>2!x&amp;</NextMarker>\
             </EnumerationResults>",
            blob("<Name>d/%41 &amp;</Name>", ""),
            blob(
                "<Name>d/sub</Name>",
                "<ResourceType>directory</ResourceType>"
            ),
            blob("<Name Encoded=\"true\">d/%EF%BF%BE%25</Name>", ""),
            blob("<Name>d/ x </Name>", "<ResourceType>file</ResourceType>"),
        );
        let page = parse(body.as_bytes()).unwrap();
        let keys: Vec<&str> = page
            .objects
            .iter()
            .map(|found| found.key.as_str())
            .collect();
        assert_eq!(keys, ["d/%41 &", "d/\u{fffe}%", "d/ x "]);
        assert_eq!(page.more, More::Token("2!x&".to_owned()));
        assert!(page.objects.iter().all(|found| found.size == Some(7)));
    }

    #[test]
    fn an_empty_listing_and_garbage() {
        let empty = "<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>";
        assert_eq!(parse(empty.as_bytes()).unwrap(), ListPage::default());
        for garbage in ["", "<html>hello", "{}", "<ListBucketResult/>"] {
            assert!(parse(garbage.as_bytes()).is_err(), "{garbage}");
        }
    }

    #[test]
    fn only_the_name_is_needed() {
        let page = |inner: &str| {
            parse(format!("<EnumerationResults>{inner}</EnumerationResults>").as_bytes())
        };
        let size = |size: &str| {
            format!("<Properties><Content-Length>{size}</Content-Length></Properties>")
        };
        for properties in ["", "<Properties/>", &size(""), &size("many")] {
            let blobs = format!("<Blobs><Blob><Name>a</Name>{properties}</Blob></Blobs>");
            let page = page(&blobs).unwrap();
            let expected = ListEntry {
                key: "a".to_owned(),
                size: None,
            };
            assert_eq!(
                (page.objects, page.more),
                (vec![expected], More::No),
                "{properties}"
            );
        }
        let hidden = "<Blobs><Blob><Name>a</Name><Deleted>true</Deleted></Blob>\
                      <Blob><Name>b</Name><Snapshot>2026-01-01</Snapshot></Blob></Blobs>";
        assert_eq!(page(hidden).unwrap(), ListPage::default());
        for (inner, named) in [
            ("<Blobs><Blob><Properties/></Blob></Blobs>", "Name"),
            ("<Blobs><Blob><Name/></Blob></Blobs>", "Name"),
            (
                "<Blobs><BlobPrefix><Name>d/</Name></BlobPrefix></Blobs>",
                "\"d/\"",
            ),
            (
                "<NextMarker>a</NextMarker><NextMarker>b</NextMarker>",
                "NextMarker",
            ),
        ] {
            let refused = page(inner).unwrap_err().to_string();
            assert!(refused.contains(named), "{inner}: {refused}");
        }
    }

    #[test]
    fn a_page_that_is_full_and_names_no_end_is_not_the_last() {
        let blobs = |count| "<Blob><Name>a</Name></Blob>".repeat(count);
        let page = |count, next: &str| {
            let body = format!(
                "<EnumerationResults><Blobs>{}</Blobs>{next}</EnumerationResults>",
                blobs(count)
            );
            parse(body.as_bytes()).unwrap().more
        };
        let unnamed = More::Unnamed {
            is_first_version: false,
        };
        assert_eq!(page(PAGE, ""), unnamed);
        assert_eq!(page(PAGE, "<NextMarker/>"), More::No);
        assert_eq!(page(PAGE - 1, ""), More::No);
    }
}

//! Azure's listings: blobs with their properties.

use percent_encoding::percent_decode_str;
use quick_xml::DeError;
use serde::Deserialize;

use super::ListPage;
use crate::store::backend::ListEntry;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Results {
    blobs: Blobs,
    /// Empty at the end.
    next_marker: Option<String>,
}

#[derive(Deserialize)]
struct Blobs {
    #[serde(default, rename = "Blob")]
    blobs: Vec<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: Name,
    properties: Properties,
}

/// A name that XML cannot express comes percent-encoded, with a mark that says so.
#[derive(Deserialize)]
struct Name {
    #[serde(default, rename = "@Encoded")]
    encoded: bool,
    #[serde(default, rename = "$text")]
    text: String,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(rename = "Content-Length")]
    size: u64,
    /// Where the account has directories, `directory` for those, which are not objects.
    #[serde(rename = "ResourceType")]
    kind: Option<String>,
}

/// Reads a page.
pub(super) fn parse(body: &[u8]) -> Result<ListPage, DeError> {
    // It may begin with a byte order mark.
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let results: Results = quick_xml::de::from_reader(body)?;
    let mut objects = Vec::with_capacity(results.blobs.blobs.len());
    for blob in results.blobs.blobs {
        if blob.properties.kind.as_deref() == Some("directory") {
            continue;
        }
        let mut key = blob.name.text;
        if blob.name.encoded {
            let decoded = percent_decode_str(&key).decode_utf8();
            key = decoded
                .map_err(|_| DeError::Custom("a name is not UTF-8".to_owned()))?
                .into_owned();
        }
        objects.push(ListEntry {
            key,
            size: blob.properties.size,
        });
    }
    Ok(ListPage {
        objects,
        next: results.next_marker.filter(|marker| !marker.is_empty()),
    })
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
        assert_eq!(page.next.as_deref(), Some("2!x&"));
        assert!(page.objects.iter().all(|found| found.size == 7));
    }

    #[test]
    fn an_empty_listing_and_garbage() {
        let empty = "<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>";
        assert_eq!(parse(empty.as_bytes()).unwrap(), ListPage::default());
        for garbage in ["", "<html>hello", "{}", "<ListBucketResult/>"] {
            assert!(parse(garbage.as_bytes()).is_err(), "{garbage}");
        }
    }
}

//! The outcome of a run without Flyte, as a document beside its files: `manifest.json` after a success,
//! `failure.json` after a failure. Never both: each run deletes the other one.
//!
//! Pure: text in and out, in bounded memory. Never here: which files a run has, stores, who may write. Callers:
//! `upload` and `sidecar` (both documents), `download` (reads them), `command` (writes the failure).

mod checksum;
mod failure;
mod main_end;
mod manifest;
mod places;

use std::time::{SystemTime, UNIX_EPOCH};

use thiserror::Error;

pub use checksum::Sha256;
pub use failure::TreeFailure;
pub use main_end::MainEnd;
pub use manifest::{FileList, ListedFile, TooManyFiles, TreeManifest};
pub use places::TreePlaces;

use crate::literal::datetime;

/// The document of a success, below the prefix of the files. It exists only if all of them do.
pub const MANIFEST: &str = "manifest.json";

/// The document of a failure, below the same prefix.
pub const FAILURE: &str = "failure.json";

/// The most bytes of either document: it is in memory, when it is written and when it is read.
pub const LARGEST_DOCUMENT: u64 = 16 << 20;

/// Why a document of ours cannot be read.
#[derive(Debug, Error)]
pub enum TreeDocumentError {
    /// A later version of this program wrote it.
    #[error(
        "its format is {0:?}, which this version does not know: use a newer version of copilot"
    )]
    Version(String),
    /// It breaks the format that it names.
    #[error("it is damaged: {0}. Delete it, and run again what writes it")]
    Damaged(#[source] serde_json::Error),
}

/// The format that a document names; `None` for a document that is not one of ours. Files of these names are
/// common.
fn format_of(text: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        format: String,
    }
    serde_json::from_slice::<Named>(text)
        .ok()
        .map(|named| named.format)
}

/// Reads a document if it is of this format. `family` is the format without its version.
fn read<T: serde::de::DeserializeOwned>(
    text: &[u8],
    family: &str,
    format: &str,
) -> Result<Option<T>, TreeDocumentError> {
    match format_of(text) {
        Some(found) if found == format => serde_json::from_slice(text)
            .map(Some)
            .map_err(TreeDocumentError::Damaged),
        Some(found) if found.starts_with(family) => {
            Err(TreeDocumentError::Version(found.chars().take(60).collect()))
        }
        _ => Ok(None),
    }
}

/// A time as RFC 3339 text, in UTC. A clock that was never set gives 1970.
fn written_at(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    datetime::format(&prost_types::Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or_default(),
        // Milliseconds are enough for people.
        nanos: i32::try_from(since.subsec_millis()).unwrap_or_default() * 1_000_000,
    })
}

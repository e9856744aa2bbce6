//! Where `--timeline` goes: a file, a directory, or a prefix of a store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use tracing::warn;

use super::report_file::ReportFile;
use crate::report::{Timeline, page};
use crate::store::{Reference, ReferenceError};
use crate::transfer::{CopyError, Engine, Stop};

const JSON: &str = "timeline.json";
const HTML: &str = "timeline.html";

/// The run is over, and kubelet may be waiting for us.
const LIMIT: Duration = Duration::from_secs(10);

/// Where the times of a run go.
#[derive(Debug)]
pub(super) enum Times {
    /// The object alone, in a file of this name.
    File(Box<ReportFile>),
    /// Object and page, in a directory.
    Directory {
        /// `timeline.json`.
        json: Box<ReportFile>,
        /// `timeline.html`.
        html: Box<ReportFile>,
    },
    /// Object and page, below a prefix.
    Store(String),
}

/// Why the times cannot be put into the store.
#[derive(Debug, thiserror::Error)]
enum StoreTimesError {
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error(transparent)]
    Write(#[from] CopyError),
}

/// The store's prefix that this is, if it is one.
pub(super) fn prefix(place: &Path) -> Option<&str> {
    place.to_str().filter(|text| text.contains("://"))
}

/// The directory that a run writes to, which is not in a store.
pub(super) fn directory(place: &Path) -> PathBuf {
    if is_directory(place) {
        place.to_owned()
    } else {
        place.parent().unwrap_or(place).to_owned()
    }
}

/// Whether a path names a directory: it ends in `/`, or is one.
fn is_directory(place: &Path) -> bool {
    place.as_os_str().as_encoded_bytes().ends_with(b"/") || place.is_dir()
}

impl Times {
    /// The place that the flag names. Its directory is held from now on.
    pub(super) fn at(place: &Path) -> Self {
        if let Some(prefix) = prefix(place) {
            return Self::Store(prefix.to_owned());
        }
        if is_directory(place) {
            return Self::Directory {
                json: Box::new(ReportFile::at(&place.join(JSON))),
                html: Box::new(ReportFile::at(&place.join(HTML))),
            };
        }
        Self::File(Box::new(ReportFile::at(place)))
    }

    /// Writes them. A warning says what cannot be written: the run itself is over.
    pub(super) async fn write(&self, timeline: &Timeline, engine: &Engine) {
        let object = timeline.to_json().to_string();
        match self {
            Self::File(file) => replace(file, &object),
            Self::Directory { json, html } => {
                replace(json, &object);
                replace(html, &page(timeline));
            }
            Self::Store(prefix) => {
                let stop = Stop::after(Some(LIMIT));
                for (name, text) in [(JSON, object), (HTML, page(timeline))] {
                    if let Err(error) = put(engine, prefix, name, text, &stop).await {
                        warn!(%error, name, "cannot write the timeline");
                    }
                }
            }
        }
    }
}

fn replace(file: &ReportFile, text: &str) {
    if let Err(error) = file.replace(text.as_bytes()) {
        warn!(path = %file.path().display(), %error, "cannot write the timeline");
    }
}

async fn put(
    engine: &Engine,
    prefix: &str,
    name: &str,
    text: String,
    stop: &Stop,
) -> Result<(), StoreTimesError> {
    let reference = Reference::prefix(prefix)?.join(&[name])?;
    engine.write(&reference, Bytes::from(text), stop).await?;
    Ok(())
}

//! Prefixes without objects beneath them, where an object of exactly that key exists. For a dataset that
//! object is the data: a dataset may be one file, since an output may be one. For a directory it is a
//! mistake that must not pass for an empty directory.

use std::collections::HashSet;
use std::fmt;

use futures_util::stream;
use tracing::warn;

use super::error::DownloadError;
use crate::beneath::Place;
use crate::literal::input::{BlobInput, BlobKind};
use crate::literal::{Problems, Shown};
use crate::store::Reference;
use crate::transfer::{Copy, Engine, PlannedCopy, Stop, Summary};

/// An object where a directory is declared.
#[derive(Clone, Debug)]
pub struct LoneObject {
    variable: String,
    reference: String,
}

impl fmt::Display for LoneObject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "input {}: {} is an object with nothing beneath it, but the input is a directory; \
             give the prefix that holds the files, or declare a file (SINGLE)",
            Shown(&self.variable),
            self.reference
        )
    }
}

/// Fetches datasets of one file into the directories that `place` returns. Warns about prefixes that are
/// really empty.
pub(super) async fn fetch(
    blobs: &[BlobInput],
    place: impl Fn(&BlobInput) -> Place,
    empty: &[Reference],
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, DownloadError> {
    let empty: HashSet<&Reference> = empty.iter().collect();
    let mut copies = Vec::new();
    let mut problems = Problems::default();
    for blob in blobs.iter().filter(|blob| blob.kind != BlobKind::Object) {
        let from = super::reference(blob)?;
        if !empty.contains(&from) {
            continue;
        }
        let listed = engine.listed_key(&from, stop).await?;
        // Not the marker of an empty directory.
        let Some(key) = listed.filter(|key| !key.ends_with('/')) else {
            let prefix = from.shown();
            warn!(
                prefix,
                "no objects exist below this prefix: its directory is empty"
            );
            continue;
        };
        if blob.kind == BlobKind::Table {
            copies.push(beneath(blob, from, &key, &place(blob)));
        } else {
            problems.push_with(|| LoneObject {
                variable: blob.variable().to_owned(),
                reference: from.shown(),
            });
        }
    }
    problems.or(()).map_err(DownloadError::Lone)?;
    let outcome = engine.run(stream::iter(copies), stop).await;
    outcome.map_err(DownloadError::Transfer)
}

/// The copy of an object into the directory of its input, under the last segment of the key where it was
/// found.
fn beneath(blob: &BlobInput, from: Reference, key: &str, directory: &Place) -> PlannedCopy {
    let name = match key.rsplit('/').next() {
        // Such keys exist, and cannot be file names.
        None | Some("" | "." | "..") => "data",
        Some(name) => name,
    };
    let to = directory.join(name);
    let size = None;
    Copy::Download { from, to, size }.labelled(super::label(blob))
}

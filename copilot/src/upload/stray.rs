//! Objects beneath the directories of the outputs that are none of their files: an earlier run left them,
//! and readers would take them for files of the directory.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::UploadError;
use super::planned::{RawPrefix, names};
use crate::beneath::{FileKind, GuardedDirectory, kind};
use crate::idl::blob_type::BlobDimensionality;
use crate::literal::output::OutputPlan;
use crate::store::{ListEntry, Listing, Object, StoreError};
use crate::transfer::{CopyError, Engine, Stop};
use tracing::{info, warn};

/// The strays of a plan, found one by one. Holds one page of a listing.
pub(super) struct Strays<'a> {
    plan: &'a OutputPlan,
    raw: &'a RawPrefix,
    directory: &'a Arc<GuardedDirectory>,
    engine: &'a Engine,
    /// Index of the next blob.
    next: usize,
    tree: Option<Tree>,
}

/// A directory of the outputs.
struct Tree {
    /// Its path in the output directory.
    path: PathBuf,
    object: Object,
    listing: Listing,
    page: VecDeque<ListEntry>,
}

impl<'a> Strays<'a> {
    pub(super) fn new(
        plan: &'a OutputPlan,
        raw: &'a RawPrefix,
        directory: &'a Arc<GuardedDirectory>,
        engine: &'a Engine,
    ) -> Self {
        Self {
            plan,
            raw,
            directory,
            engine,
            next: 0,
            tree: None,
        }
    }

    /// The next stray; `None` if there are no more.
    pub(super) async fn next(&mut self) -> Option<Result<Object, StoreError>> {
        loop {
            let Some(tree) = &mut self.tree else {
                match self.open_next()? {
                    Ok(()) => continue,
                    Err(error) => return Some(Err(error)),
                }
            };
            if let Some(entry) = tree.page.pop_front() {
                let below = entry.key.strip_prefix(tree.listing.prefix());
                let below = below.unwrap_or(&entry.key);
                // The marker of a directory, which no reader takes for a file.
                let is_marker = entry.size == Some(0) && (below.is_empty() || below.ends_with('/'));
                if !is_marker && !is_file(self.directory, &tree.path, below) {
                    return Some(Ok(tree.object.at_key(&entry.key)));
                }
                continue;
            }
            match tree.listing.next_page().await {
                Ok(Some(page)) => tree.page = page.into(),
                Ok(None) => self.tree = None,
                Err(error) => {
                    self.tree = None;
                    return Some(Err(error));
                }
            }
        }
    }

    /// Opens the listing of the next directory; `None` if there are no more.
    fn open_next(&mut self) -> Option<Result<(), StoreError>> {
        let blob = loop {
            let blob = self.plan.blobs.get(self.next)?;
            self.next += 1;
            if blob.kind == BlobDimensionality::Multipart {
                break blob;
            }
        };
        // The transfer refuses a name that makes no reference.
        let prefix = self.raw.join(&names(blob)).ok()?;
        let opened = self.engine.stores().open(&prefix);
        let opened = opened.and_then(|object| Ok((object.list()?, object)));
        Some(opened.map(|(listing, object)| {
            self.tree = Some(Tree {
                path: blob.path.clone(),
                object,
                listing,
                page: VecDeque::new(),
            });
        }))
    }
}

/// Whether the tree has a file of this name.
fn is_file(directory: &GuardedDirectory, tree: &Path, below: &str) -> bool {
    // Names such as `a//b` and `a/./b` lead to a file whose object has another key.
    let is_plain = below
        .split('/')
        .all(|name| !matches!(name, "" | "." | ".."));
    let found = || directory.stat(&tree.join(below)).ok().flatten();
    is_plain && found().is_some_and(|stat| kind(&stat) == FileKind::File)
}

/// Deletes the strays of a plan.
///
/// # Errors
/// That one cannot be deleted: the outputs would hold data of two runs. Where the store does not list, a
/// warning says so.
pub(super) async fn clear(mut strays: Strays<'_>, stop: &Stop) -> Result<(), UploadError> {
    while let Some(stray) = stop
        .race(strays.next())
        .await
        .map_err(|stopped| UploadError::from_look(stopped.into()))?
    {
        let object = match stray {
            Ok(object) => object,
            Err(error) => {
                warn!(
                    %error,
                    "an earlier run has uploaded data here, and the store does not list it: objects that are \
                     not outputs of this run may lie beneath its directories"
                );
                continue;
            }
        };
        let shown = object.reference().shown();
        let deleted = stop.race(object.delete()).await;
        match deleted.map_err(|stopped| UploadError::from_look(CopyError::from(stopped)))? {
            Ok(()) => info!(
                object = shown,
                "deleted: an earlier run left it beneath a directory of the outputs"
            ),
            Err(cause) => {
                return Err(UploadError::Stray {
                    object: shown,
                    cause: Box::new(cause),
                });
            }
        }
    }
    Ok(())
}

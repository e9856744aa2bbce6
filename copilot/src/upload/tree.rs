//! The upload of a run without Flyte: every file of the output directory, then `manifest.json`.
//!
//! The same walk, engine and journal as for declared outputs. The manifest of an earlier run goes first and that of
//! this run comes last, so a manifest that exists lists files that exist, of one run. Objects that nobody's
//! manifest lists are left alone: the prefix may hold what is not ours. Never here: how main ended, and
//! `failure.json`, which the command writes. Caller: the sidecar.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream::{self, StreamExt as _};
use tracing::{debug, info, warn};

use super::eager::Early;
use super::error::UploadError;
use super::planned::{PlannedFile, RawPrefix, everything};
use super::{commit, directory, is_of_main, run_all, user_error_in};
use crate::beneath::{GuardedDirectory, SharedDirectory};
use crate::report::tree::{
    FAILURE, FileList, LARGEST_DOCUMENT, ListedFile, MANIFEST, MainEnd, Sha256, TreeManifest,
    TreePlaces,
};
use crate::report::{Occurrence, Timeline};
use crate::store::StoreError;
use crate::transfer::{CopyError, Engine, FileChecksum, Stop, Summary};

/// A file of ours in the output directory, which does not go up: the sidecar's note that main has ended well.
pub const GOOD_END: &str = ".copilot-good-end";

/// Objects that are compared with their files at once.
const AT_ONCE: usize = 8;

/// A tree to upload.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// Main's output directory.
    pub directory: &'a Arc<SharedDirectory>,
    /// Where it goes.
    pub places: &'a TreePlaces,
}

/// Uploads all files, and commits them by a manifest that says how main ended.
///
/// # Errors
/// Why nothing is committed. Then no manifest exists, unless the error is that one cannot be deleted.
pub async fn run(
    tree: Tree<'_>,
    main: &MainEnd,
    occurrence: &Occurrence,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<Summary, UploadError> {
    let directory = directory::open(tree.directory)?;
    if let Some(error) = user_error_in(&directory)? {
        return Err(UploadError::User(error));
    }
    refuse_reserved(&directory)?;
    let raw = RawPrefix::of(&tree.places.prefix);
    let mut early = Early::default();
    let taken_over = early.take_over(&directory, &raw, engine, stop).await;
    taken_over.map_err(|stopped| UploadError::from_look(stopped.into()))?;
    withdraw(tree.places, engine, stop).await?;
    // A large future: it holds those of all transfers.
    let sent = Box::pin(send(&raw, &directory, &mut early, engine, stop)).await;
    let (list, summary) = match sent {
        Ok(sent) => sent,
        Err(error) => {
            early.abandon();
            return Err(of_to(error));
        }
    };
    timeline.mark("uploaded");
    let files = list.len();
    if files == 0 {
        warn!(
            directory = %directory.path().display(),
            "main has left no file: the manifest lists none"
        );
    }
    let removed = engine
        .remove_stale(std::slice::from_ref(&tree.places.failure), stop)
        .await;
    removed.map_err(|cause| UploadError::Stale(cause.into()))?;
    let manifest = list
        .into_manifest(main, occurrence)
        .map_err(UploadError::Unwritable)?;
    commit(&tree.places.manifest, manifest, engine, stop).await?;
    timeline.mark("committed");
    early.forget();
    info!(
        files,
        bytes = summary.bytes,
        retries = summary.retries,
        bytes_per_second = summary.rate(),
        peak_in_flight_bytes = summary.peak_in_flight,
        to = tree.places.manifest.shown(),
        "the files are committed"
    );
    Ok(summary)
}

/// Sends all files, and returns the list of what the store has now.
async fn send(
    raw: &RawPrefix,
    directory: &Arc<GuardedDirectory>,
    early: &mut Early,
    engine: &Engine,
    stop: &Stop,
) -> Result<(FileList, Summary), UploadError> {
    let list = Arc::new(Mutex::new(FileList::default()));
    let files = everything(raw, directory)
        .filter(goes_up)
        .map(|file| listed(file?, &list));
    let summary = run_all(files, early, directory, engine, stop).await?;
    let list = std::mem::take(&mut *locked(&list));
    if list.is_complete() {
        Ok((list, summary))
    } else {
        Err(UploadError::Uncounted)
    }
}

/// The same file, which enters the list once it is up.
fn listed(file: PlannedFile, list: &Arc<Mutex<FileList>>) -> Result<PlannedFile, UploadError> {
    let path = file.key.to_string();
    refuse_name(&path)?;
    locked(list).expect(&path)?;
    let list = Arc::clone(list);
    Ok(file.with_checksum(move |FileChecksum { size, sha256 }| {
        locked(&list).add(ListedFile {
            path,
            bytes: size,
            sha256: Sha256(sha256),
        });
    }))
}

fn goes_up(file: &Result<PlannedFile, UploadError>) -> bool {
    let is_note = file.as_ref().is_ok_and(|file| &*file.key == GOOD_END);
    is_of_main(file) && !is_note
}

fn locked(list: &Mutex<FileList>) -> MutexGuard<'_, FileList> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses names of main's that are ours, before anything goes up.
fn refuse_reserved(directory: &GuardedDirectory) -> Result<(), UploadError> {
    for name in [MANIFEST, FAILURE] {
        // What cannot be looked at, the walk reports.
        if let Ok(Some(_)) = directory.entry(Path::new(name)) {
            refuse_name(name)?;
        }
    }
    Ok(())
}

/// A directory of such a name would be one, too, in a store of directories.
fn refuse_name(path: &str) -> Result<(), UploadError> {
    let first = path.split('/').next().unwrap_or_default();
    if [MANIFEST, FAILURE].contains(&first) {
        return Err(UploadError::ReservedName {
            path: path.to_owned(),
        });
    }
    Ok(())
}

/// Deletes the manifest of an earlier run: it would list files that are overwritten now, or that this run has not
/// made. Looks first: usually none exists, and then a role that may not delete is enough.
///
/// # Errors
/// One exists, or may exist, and cannot be deleted.
pub async fn withdraw(
    places: &TreePlaces,
    engine: &Engine,
    stop: &Stop,
) -> Result<(), UploadError> {
    let found = match engine.key(&places.manifest, stop).await {
        Ok(None) => return Ok(()),
        Err(stopped @ CopyError::Stopped(_)) => return Err(UploadError::from_look(stopped)),
        found => found,
    };
    let delete = async {
        let object = engine.stores().open(&places.manifest)?;
        object.delete().await
    };
    let deleted = stop.race(delete).await;
    let deleted = deleted.map_err(|stopped| UploadError::from_look(stopped.into()))?;
    let object = places.manifest.shown();
    match deleted {
        Ok(()) => {
            if found.is_ok() {
                warn!(
                    object,
                    "deleted: an earlier run has written it, and the files below this prefix are no longer those of \
                     that run"
                );
            }
            Ok(())
        }
        Err(cause) => Err(UploadError::Manifest {
            object,
            cause: Box::new(cause),
        }),
    }
}

/// Whether an earlier life on this host, `worker`, has committed exactly what the output directory holds, byte for
/// byte. It reads the data of both, but only if such a manifest exists.
///
/// # Errors
/// The files or the store cannot be read: then nothing is proven.
pub async fn is_committed(
    tree: Tree<'_>,
    worker: &str,
    engine: &Engine,
    stop: &Stop,
) -> Result<bool, UploadError> {
    let text = match engine
        .read(&tree.places.manifest, LARGEST_DOCUMENT, stop)
        .await
    {
        Ok(text) => text,
        Err(CopyError::Store(StoreError::NotFound { .. } | StoreError::TooLarge { .. })) => {
            return Ok(false);
        }
        Err(error) => return Err(UploadError::from_look(error)),
    };
    let Ok(Some(manifest)) = TreeManifest::parse(&text) else {
        return Ok(false);
    };
    drop(text);
    if manifest.worker != worker {
        return Ok(false);
    }
    let listed = manifest.files.iter().map(|file| (&*file.path, file.bytes));
    let mut listed: HashMap<&str, u64> = listed.collect();
    let directory = directory::open(tree.directory)?;
    let raw = RawPrefix::of(&tree.places.prefix);
    let files = everything(&raw, &directory).filter(goes_up);
    let mut compared = stream::iter(files)
        .map(|file| async {
            let file = file.map_err(of_to)?;
            let key = file.key.to_string();
            let (from, to) = file.ends();
            let is_same = engine.is_same(&to, from, stop).await;
            is_same
                .map(|is_same| (key, is_same))
                .map_err(UploadError::from_look)
        })
        .buffer_unordered(AT_ONCE);
    while let Some(file) = compared.next().await {
        let (key, is_same) = file?;
        if listed.remove(&*key).is_none() || !is_same {
            debug!(file = key, "the store does not hold this file");
            return Ok(false);
        }
    }
    Ok(listed.is_empty())
}

/// The same error; the prefix is that of another flag.
fn of_to(error: UploadError) -> UploadError {
    match error {
        UploadError::RawPrefix(cause) => UploadError::To(cause),
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_documents_are_ours() {
        for (path, is_ours) in [
            ("manifest.json", true),
            ("failure.json", true),
            ("manifest.json/part", true),
            ("a/manifest.json", false),
            ("manifest.json2", false),
            ("Manifest.json", false),
        ] {
            assert_eq!(refuse_name(path).is_err(), is_ours, "{path}");
        }
        let place = tempfile::tempdir().unwrap();
        let directory = GuardedDirectory::open(place.path()).unwrap();
        assert!(refuse_reserved(&directory).is_ok());
        // Not even a link that leads nowhere.
        std::os::unix::fs::symlink("nowhere", place.path().join("failure.json")).unwrap();
        let error = refuse_reserved(&directory).unwrap_err().to_string();
        assert!(error.contains("\"failure.json\""), "{error}");
    }
}

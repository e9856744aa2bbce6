//! A download without Flyte: the files below a prefix, or one object, before main starts.
//!
//! If `manifest.json` of a run lies there, exactly its files are fetched and compared with it; if `failure.json` does,
//! nothing is. Without either, whatever is below the prefix is fetched, as for a directory input. Never here: main.
//! Caller: `command`.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use tracing::{info, warn};

use super::job::{limits, unless_stopped};
use super::leftover::EarlierFiles;
use super::{DownloadError, input_directory};
use crate::beneath::{GuardedDirectory, Place, SharedDirectory};
use crate::literal::{Problems, Shown};
use crate::report::tree::{
    LARGEST_DOCUMENT, ListedFile, Sha256, TreeDocumentError, TreeFailure, TreeManifest, TreePlaces,
};
use crate::report::{Failure, Timeline};
use crate::store::{Reference, StoreError};
use crate::termination::Termination;
use crate::transfer::{
    Copy, CopyError, Engine, PlannedCopy, SpaceError, Stop, Summary, file_checksum, has_room,
    names_a_file, remove,
};

/// What `copilot download --from` should do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeDownloadRequest {
    /// `--from`: the prefix, or one object. Never empty.
    pub from: String,
    /// `--to-local-dir`: where the files go. Never empty.
    pub to_local_dir: PathBuf,
    /// `--volume-size-limit`: bytes to write at most, in all. `None`: as much as the volume has room for.
    pub volume_size_limit: Option<u64>,
    /// `--timeout`: time for the whole download. `None`: no deadline.
    pub timeout: Option<Duration>,
    /// `--timeline`: the file, directory or prefix for the times of the run.
    pub timeline: Option<PathBuf>,
}

/// A file that is not what the manifest says.
#[derive(Clone, Debug)]
pub struct FileDifference {
    path: String,
    rule: String,
}

impl fmt::Display for FileDifference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", Shown(&self.path), self.rule)
    }
}

/// What there is to fetch.
enum TreeSource {
    /// The files of a manifest.
    Listed(Box<TreePlaces>, TreeManifest),
    /// Whatever is below the prefix.
    Prefix,
    /// One object.
    Object(String),
}

/// Fetches all files before main starts. A signal stops the download, and nothing half-written stays.
///
/// # Errors
/// Why the files are not complete.
pub async fn run(
    request: &TreeDownloadRequest,
    engine: &Engine,
    termination: &mut Termination,
    timeline: &mut Timeline,
) -> Result<(), Failure> {
    let (cancel, stop) = limits(request.timeout);
    // A large future: it holds those of all transfers.
    let job = Box::pin(fetch(request, engine, &stop, timeline));
    let summary = unless_stopped(job, termination, &cancel).await?;
    timeline.note_transfer(
        summary.objects,
        summary.bytes,
        summary.retries,
        summary.elapsed,
    );
    Ok(())
}

async fn fetch(
    request: &TreeDownloadRequest,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<Summary, DownloadError> {
    let from = Reference::parse(&request.from).map_err(DownloadError::From)?;
    let directory = input_directory(&SharedDirectory::at(&request.to_local_dir))?;
    let earlier = EarlierFiles::look(&directory);
    let source = find(&request.from, &from, engine, stop).await?;
    let is_listed = matches!(source, TreeSource::Listed(..));
    let summary = match source {
        TreeSource::Listed(places, manifest) => {
            if earlier.are_none() {
                check_room(&manifest, &directory)?;
            }
            listed(&places, &manifest, &directory, engine, stop, timeline).await?
        }
        TreeSource::Prefix => prefix(from, &directory, engine, stop).await?,
        TreeSource::Object(key) => object(from, &key, &directory, engine, stop).await?,
    };
    timeline.mark("transferred");
    earlier.report(&directory, &[], &HashSet::new());
    timeline.mark("committed");
    info!(
        objects = summary.objects,
        bytes = summary.bytes,
        retries = summary.retries,
        bytes_per_second = summary.rate(),
        peak_in_flight_bytes = summary.peak_in_flight,
        directory = %directory.path().display(),
        verified = is_listed,
        "the files are in place"
    );
    Ok(summary)
}

/// Finds out what there is to fetch.
async fn find(
    text: &str,
    from: &Reference,
    engine: &Engine,
    stop: &Stop,
) -> Result<TreeSource, DownloadError> {
    if from.is_web() {
        // A web server has no listings.
        let key = from.url_key().unwrap_or(from.key());
        return Ok(TreeSource::Object(key.to_owned()));
    }
    // Nothing of ours lies below what `--to` refuses.
    let Ok(places) = TreePlaces::below(text) else {
        return Ok(TreeSource::Prefix);
    };
    match documents(&places, engine, stop).await {
        Ok(Some(manifest)) => Ok(TreeSource::Listed(Box::new(places), manifest)),
        Ok(None) => Ok(TreeSource::Prefix),
        // A role that may read one object only is refused whatever lies beside it.
        Err(DownloadError::Copy(CopyError::Store(error))) => match engine.key(from, stop).await {
            Ok(Some(key)) if !key.ends_with('/') => Ok(TreeSource::Object(key)),
            _ => Err(CopyError::Store(error).into()),
        },
        Err(error) => Err(error),
    }
}

/// The manifest below the prefix, if there is one.
///
/// # Errors
/// A run has failed there, or the store or a document cannot be read.
async fn documents(
    places: &TreePlaces,
    engine: &Engine,
    stop: &Stop,
) -> Result<Option<TreeManifest>, DownloadError> {
    let (failure, manifest) = tokio::join!(
        document(&places.failure, engine, stop),
        document(&places.manifest, engine, stop)
    );
    let wrong = |reference: &Reference| {
        let document = reference.shown();
        |cause: TreeDocumentError| DownloadError::Document { document, cause }
    };
    if let Some(text) = failure? {
        let failed = TreeFailure::parse(&text).map_err(wrong(&places.failure))?;
        if let Some(failed) = failed {
            let failure = failed.into_failure();
            return Err(DownloadError::RunFailed {
                document: places.failure.shown(),
                code: failure.code.into_owned(),
                message: failure.message,
            });
        }
    }
    match manifest? {
        Some(text) => TreeManifest::parse(&text).map_err(wrong(&places.manifest)),
        None => Ok(None),
    }
}

/// A document, if it exists and is not larger than those that we write.
async fn document(
    reference: &Reference,
    engine: &Engine,
    stop: &Stop,
) -> Result<Option<Bytes>, DownloadError> {
    match engine.read(reference, LARGEST_DOCUMENT, stop).await {
        Ok(text) => Ok(Some(text)),
        Err(CopyError::Store(StoreError::NotFound { .. } | StoreError::TooLarge { .. })) => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses files that do not fit together, before the first one is fetched. Where files are replaced, only the engine
/// knows what becomes free, and refuses the first file that does not fit.
fn check_room(
    manifest: &TreeManifest,
    directory: &Arc<GuardedDirectory>,
) -> Result<(), DownloadError> {
    let sizes = manifest.files.iter().map(|file| file.bytes);
    let bytes = sizes.fold(0, u64::saturating_add);
    has_room(directory, bytes).map_err(|error| {
        let path = directory.path().to_owned();
        CopyError::from(SpaceError { path, ..error }).into()
    })
}

/// Fetches the files of a manifest, and compares them with it. What else lies below the prefix is of other runs.
async fn listed(
    places: &TreePlaces,
    manifest: &TreeManifest,
    directory: &Arc<GuardedDirectory>,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<Summary, DownloadError> {
    for file in &manifest.files {
        names_a_file(&file.path).map_err(|rule| DownloadError::ListedName {
            document: places.manifest.shown(),
            path: file.path.clone(),
            rule,
        })?;
    }
    if manifest.files.is_empty() {
        warn!(
            manifest = places.manifest.shown(),
            "the manifest lists no file: the directory is empty"
        );
    }
    // A name that makes no reference is missed by the comparison.
    let copies = manifest.files.iter().filter_map(|file| {
        Some(PlannedCopy::from(Copy::Download {
            from: places.prefix.join(&[&file.path]).ok()?,
            to: Place::new(directory, &file.path),
            size: Some(file.bytes),
        }))
    });
    let summary = transfer(copies, engine, stop).await?;
    timeline.mark("fetched");
    let problems = differences(&manifest.files, directory, stop).await?;
    problems.or(()).map_err(|problems| DownloadError::Differs {
        document: places.manifest.shown(),
        problems,
    })?;
    Ok(summary)
}

/// The files that are not what the manifest says. They are removed: nobody shall use them.
async fn differences(
    files: &[ListedFile],
    directory: &Arc<GuardedDirectory>,
    stop: &Stop,
) -> Result<Problems<FileDifference>, DownloadError> {
    let mut problems = Problems::default();
    for file in files {
        let found = checksum(file, directory, stop).await?;
        let rule = match found {
            Ok((size, _)) if size != file.bytes => {
                format!("has {size} bytes, and the list says {}", file.bytes)
            }
            Ok((_, sha256)) if sha256 == file.sha256 => continue,
            Ok((_, sha256)) => {
                format!(
                    "has the checksum {sha256}, and the list says {}",
                    file.sha256
                )
            }
            Err(rule) => rule,
        };
        remove(&Place::new(directory, &file.path))?;
        problems.push_with(|| FileDifference {
            path: file.path.clone(),
            rule,
        });
    }
    Ok(problems)
}

/// Size and checksum of a file in its place, or why it cannot be read.
async fn checksum(
    file: &ListedFile,
    directory: &GuardedDirectory,
    stop: &Stop,
) -> Result<Result<(u64, Sha256), String>, DownloadError> {
    let opened = match directory.open_file(Path::new(&file.path)) {
        Ok(opened) => opened,
        Err(error) => return Ok(Err(format!("cannot be read: {error}"))),
    };
    let read = stop.race(file_checksum(&opened)).await;
    let found = read.map_err(CopyError::from)?;
    Ok(found
        .map(|found| (found.size, Sha256(found.sha256)))
        .map_err(|error| format!("cannot be read: {error}")))
}

/// Fetches whatever is below the prefix; one object, if only that has the key.
async fn prefix(
    from: Reference,
    directory: &Arc<GuardedDirectory>,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, DownloadError> {
    let copy = Copy::DownloadPrefix {
        from: from.clone(),
        to: Place::new(directory, ""),
    };
    let summary = transfer(std::iter::once(copy.into()), engine, stop).await?;
    if summary.empty_prefixes.is_empty() {
        return Ok(summary);
    }
    // Not the marker of an empty directory.
    let listed = engine.listed_key(&from, stop).await?;
    match listed.filter(|key| !key.ends_with('/')) {
        Some(key) => object(from, &key, directory, engine, stop).await,
        None => Err(DownloadError::Nothing {
            reference: from.shown(),
        }),
    }
}

/// Fetches one object, under the last segment of its key.
async fn object(
    from: Reference,
    key: &str,
    directory: &Arc<GuardedDirectory>,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, DownloadError> {
    let name = key.rsplit('/').next().unwrap_or_default();
    // Such keys exist, and cannot be file names.
    let name = names_a_file(name).map_or("data", |()| name);
    let copy = Copy::Download {
        from,
        to: Place::new(directory, name),
        size: None,
    };
    transfer(std::iter::once(copy.into()), engine, stop).await
}

async fn transfer(
    copies: impl Iterator<Item = PlannedCopy> + Send,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, DownloadError> {
    let outcome = engine.run(stream::iter(copies), stop).await;
    outcome.map_err(DownloadError::Transfer)
}

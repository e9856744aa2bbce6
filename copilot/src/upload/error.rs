//! Why an upload failed.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::beneath::SharedError;
use crate::limits;
use crate::literal::Shown;
use crate::literal::output::{ErrorFileError, OutputError, UserError};
use crate::report::tree::TooManyFiles;
use crate::store::{ReferenceError, StoreError};
use crate::transfer::{CopyError, TransferError};

/// What to do about an output directory that cannot be opened.
const VOLUME: &str = "It must be the volume that the main container writes its outputs to, and our user must be able \
                      to read it (set `fsGroup` for that)";

/// Why an upload failed.
#[derive(Debug, Error)]
pub enum UploadError {
    /// Main reported an error in the file `_ERROR`.
    #[error("{0}")]
    User(UserError),
    /// That file cannot be read.
    #[error(transparent)]
    ErrorFile(#[from] ErrorFileError),
    /// The output directory cannot be opened.
    #[error(
        "{path} (--from-local-dir) cannot be opened: {cause}. {advice}",
        path = .path.display(),
        advice = limits::advice(.cause).unwrap_or_else(|| VOLUME.to_owned())
    )]
    Directory {
        /// The path, as the user gave it.
        path: PathBuf,
        /// The kernel's error.
        #[source]
        cause: io::Error,
    },
    /// Something else is in the place of the output directory.
    #[error("{path} (--from-local-dir) is not read: {cause}", path = .path.display())]
    Replaced {
        /// The path, as the user gave it.
        path: PathBuf,
        /// What is there.
        #[source]
        cause: SharedError,
    },
    /// Outputs are missing or wrong.
    #[error(transparent)]
    Outputs(#[from] OutputError),
    /// The prefix for files and directories is not a reference.
    #[error("--to-raw-output: {0}")]
    RawPrefix(#[source] ReferenceError),
    /// An output has data, but no prefix is given for it.
    #[error(
        "an output is a file or directory, and --to-raw-output names no prefix for its data. Pass \
         the prefix"
    )]
    NoRawPrefix,
    /// Files could not be uploaded.
    #[error("output data could not be uploaded: {0}")]
    Transfer(#[source] TransferError),
    /// An error document of an earlier run cannot be deleted.
    #[error("the outputs' data was uploaded, but the outputs are not committed: {0}")]
    Stale(#[source] Box<CopyError>),
    /// A file went up early, no output names it any more, and its object cannot be deleted.
    #[error(
        "the outputs' data was uploaded, but the outputs are not committed: {object} went up while \
         main ran, main has removed its file since, and the object cannot be deleted: {cause}. Readers \
         would take it for a file of the output. Allow it (s3:DeleteObject), or use --upload-mode \
         UPLOAD_ON_EXIT"
    )]
    Leftover {
        /// The object's reference.
        object: String,
        /// Why it stays.
        #[source]
        cause: Box<StoreError>,
    },
    /// An earlier run left an object beneath a directory of the outputs, and it cannot be deleted.
    #[error(
        "the outputs' data was uploaded, but the outputs are not committed: {object} is of an earlier run \
         and lies beneath a directory of the outputs, and it cannot be deleted: {cause}. Readers would take \
         it for a file of the directory. Allow it (s3:DeleteObject), or give each run a prefix of its own"
    )]
    Stray {
        /// The object's reference.
        object: String,
        /// Why it stays.
        #[source]
        cause: Box<StoreError>,
    },
    /// The upload failed after it overwrote data of an earlier run whose commit cannot be deleted.
    #[error(
        "{failure}. {commit} of an earlier run exists and cannot be deleted ({cause}): it may lead to data of \
         both runs. Allow it (s3:DeleteObject), or delete the object"
    )]
    Mixed {
        /// Why the upload failed.
        #[source]
        failure: Box<UploadError>,
        /// The commit's reference.
        commit: String,
        /// Why it stays.
        cause: Box<StoreError>,
    },
    /// The prefix for a tree is not one.
    #[error("--to: {0}")]
    To(#[source] ReferenceError),
    /// Main has written a file whose name below the prefix is ours.
    #[error(
        "{} has a name that stands for the outcome of the run below --to, and is not main's to write. Rename it, or \
         put it into a directory",
        Shown(path)
    )]
    ReservedName {
        /// Its path in the output directory.
        path: String,
    },
    /// The manifest would be too large.
    #[error("the files cannot be uploaded: {0}")]
    TooManyFiles(#[from] TooManyFiles),
    /// The manifest of an earlier run cannot be deleted.
    #[error(
        "an earlier run may have left {object}, which cannot be deleted: {cause}. Nothing is uploaded, since readers \
         would take its list for the files of this run. Allow it (s3:DeleteObject), or give each run a prefix of its own"
    )]
    Manifest {
        /// The manifest's reference.
        object: String,
        /// Why it cannot be deleted.
        #[source]
        cause: Box<StoreError>,
    },
    /// The checksum of a file is not known after the upload.
    #[error(
        "the files were uploaded, but not all of their checksums are known: run it again, and report this"
    )]
    Uncounted,
    /// The manifest has no text.
    #[error("manifest.json cannot be made: {0}")]
    Unwritable(#[source] serde_json::Error),
    /// The store could not be read to learn what it holds.
    #[error("what the store holds is not known: {0}")]
    Look(#[source] Box<CopyError>),
    /// The last step failed: the data is up, but the outputs are not committed.
    #[error("the outputs' data was uploaded, but {reference} could not be written: {cause}")]
    Commit {
        /// The object that holds the outputs' literals.
        reference: String,
        /// Why it could not be written.
        #[source]
        cause: Box<CopyError>,
    },
}

impl UploadError {
    pub(super) fn from_look(error: CopyError) -> Self {
        Self::Look(Box::new(error))
    }

    /// Whether the user's program has caused it: outputs are missing or wrong.
    #[must_use]
    pub fn is_of_user(&self) -> bool {
        match self {
            Self::Outputs(error) => error.is_of_user(),
            Self::ReservedName { .. } | Self::TooManyFiles(_) => true,
            _ => false,
        }
    }

    /// Whether the commit was tried: the store may have it although the run failed.
    #[must_use]
    pub fn is_at_commit(&self) -> bool {
        match self {
            Self::Commit { .. } => true,
            Self::Mixed { failure, .. } => failure.is_at_commit(),
            _ => false,
        }
    }

    /// The store's error, if only the store failed.
    #[must_use]
    pub fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Transfer(error) => error.store_error(),
            Self::Leftover { cause, .. }
            | Self::Stray { cause, .. }
            | Self::Manifest { cause, .. } => Some(cause),
            Self::Mixed { failure, .. } => failure.store_error(),
            Self::Stale(cause) | Self::Look(cause) | Self::Commit { cause, .. } => {
                cause.store_error()
            }
            _ => None,
        }
    }
}

//! Why outputs did not go up.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::literal::output::{ErrorFileError, OutputError, UserError};
use crate::store::{ReferenceError, StoreError};
use crate::transfer::{CopyError, TransferError};

/// Why outputs did not go up.
#[derive(Debug, Error)]
pub enum UploadError {
    /// Main itself reported an error, by the file `_ERROR`.
    #[error("{0}")]
    User(UserError),
    /// That file cannot be read.
    #[error(transparent)]
    ErrorFile(#[from] ErrorFileError),
    /// The output directory cannot be opened.
    #[error(
        "{path} (--from-local-dir) cannot be opened: {cause}. It must be the volume that the main \
         container writes its outputs to, readable for our user (a volume's `fsGroup` sees to that)",
        path = .path.display()
    )]
    Directory {
        /// As given.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Outputs are missing or wrong.
    #[error(transparent)]
    Outputs(#[from] OutputError),
    /// The prefix for files and directories is no reference.
    #[error("--to-raw-output: {0}")]
    RawPrefix(ReferenceError),
    /// There are files to upload and nowhere to put them.
    #[error("an output is a file or directory, and --to-raw-output names no prefix for its data")]
    NoRawPrefix,
    /// Files could not be uploaded.
    #[error("output data could not be uploaded: {0}")]
    Transfer(TransferError),
    /// An error document of an earlier run stays.
    #[error("the outputs' data was uploaded, but the outputs are not committed: {0}")]
    Stale(Box<CopyError>),
    /// A file that went up early is no output any more, and its object stays among those that are.
    #[error(
        "the outputs' data was uploaded, but the outputs are not committed: {object} went up while \
         main ran, main has removed its file since, and it cannot be deleted: {cause}. It would be \
         a file of the output for whoever reads it. Allow it (s3:DeleteObject), or use --upload-mode \
         UPLOAD_ON_EXIT"
    )]
    Leftover {
        /// The object's reference.
        object: String,
        /// Why it stays.
        cause: Box<StoreError>,
    },
    /// The last step failed: the data is there, the outputs are not.
    #[error("the outputs' data was uploaded, but {reference} could not be written: {cause}")]
    Commit {
        /// The object that holds the outputs' literals.
        reference: String,
        /// Why.
        cause: Box<CopyError>,
    },
}

impl UploadError {
    /// The store's error, if it was the store and nothing else.
    #[must_use]
    pub fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Transfer(error) => error.store_error(),
            Self::Leftover { cause, .. } => Some(cause),
            Self::Stale(cause) | Self::Commit { cause, .. } => cause.store_error(),
            _ => None,
        }
    }
}

//! Why inputs did not come down.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::idl::DecodeError;
use crate::literal::input::{BlobInput, InputError, InputPlan, OffloadedError};
use crate::store::ReferenceError;
use crate::transfer::{CopyError, TransferError};

/// Why inputs did not come down.
#[derive(Debug, Error)]
pub enum DownloadError {
    /// The inputs' map could not be fetched.
    #[error("the task's inputs could not be fetched from {reference} (--from-remote): {cause}")]
    Inputs {
        /// Where they should be.
        reference: String,
        /// Why.
        #[source]
        cause: Box<DownloadError>,
    },
    /// What is there is no map of inputs.
    #[error("{reference} (--from-remote) holds no LiteralMap: {cause}")]
    NotInputs {
        /// Where it lies.
        reference: String,
        /// What is wrong with it.
        cause: DecodeError,
    },
    /// An offloaded literal could not be fetched.
    #[error("input {variable}: the offloaded literal at {uri} could not be fetched: {cause}")]
    Offloaded {
        /// The variable that needs it.
        variable: String,
        /// Where it should be.
        uri: String,
        /// Why.
        #[source]
        cause: Box<DownloadError>,
    },
    /// The references between offloaded literals cannot be followed.
    #[error(transparent)]
    Offloading(#[from] OffloadedError),
    /// The inputs cannot be laid out as files.
    #[error(transparent)]
    Plan(#[from] InputError),
    /// A text is no reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A blob's uri is no reference.
    #[error("input {variable}: {cause}")]
    Blob {
        /// The variable.
        variable: String,
        /// What is wrong with its uri.
        cause: ReferenceError,
    },
    /// The input directory has no absolute path.
    #[error("{path} (--to-local-dir) cannot be used: {cause}", path = .path.display())]
    Directory {
        /// As given.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// One small thing could not be read or written.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The data of inputs could not be fetched.
    #[error("input data could not be fetched{variables}: {cause}")]
    Transfer {
        /// The inputs concerned, in words.
        variables: String,
        /// What failed.
        #[source]
        cause: TransferError,
    },
}

impl DownloadError {
    pub(super) fn directory(path: &Path, cause: io::Error) -> Self {
        Self::Directory {
            path: path.to_owned(),
            cause,
        }
    }

    /// Names the variables whose data failed: the engine knows references and paths only.
    pub(super) fn of_transfer(plan: &InputPlan, directory: &Path, cause: TransferError) -> Self {
        let text = cause.to_string();
        let mut failed: Vec<&str> = plan
            .blobs
            .iter()
            .filter(|blob| {
                text.contains(&blob.uri)
                    || text.contains(&*directory.join(&blob.path).to_string_lossy())
            })
            .map(BlobInput::variable)
            .collect();
        failed.dedup();
        let variables = match failed.as_slice() {
            [] => String::new(),
            names => format!(" (variable {})", names.join(", ")),
        };
        Self::Transfer { variables, cause }
    }
}

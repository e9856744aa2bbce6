//! Why a download failed.

use std::path::PathBuf;

use thiserror::Error;

use super::lone::LoneObject;
use super::tree::FileDifference;
use crate::beneath::SharedError;
use crate::idl::DecodeError;
use crate::literal::input::{InputError, OffloadedError};
use crate::literal::{Problems, Shown};
use crate::report::one_line;
use crate::report::tree::TreeDocumentError;
use crate::store::{ReferenceError, StoreError};
use crate::transfer::{CopyError, TransferError};

/// Why a download failed.
#[derive(Debug, Error)]
pub enum DownloadError {
    /// The inputs' `LiteralMap` could not be fetched.
    #[error("the task's inputs could not be fetched from {reference} (--from-remote): {cause}")]
    Inputs {
        /// The reference of the inputs.
        reference: String,
        /// Why the fetch failed.
        #[source]
        cause: Box<DownloadError>,
    },
    /// The object is not a `LiteralMap`.
    #[error("{reference} (--from-remote) holds no LiteralMap: {cause}")]
    NotInputs {
        /// The reference of the object.
        reference: String,
        /// What is wrong with it.
        #[source]
        cause: DecodeError,
    },
    /// An offloaded literal could not be fetched.
    #[error(
        "input {}: the offloaded literal at {} could not be fetched: {cause}",
        Shown(variable),
        Shown(uri)
    )]
    Offloaded {
        /// The variable that needs it.
        variable: String,
        /// The literal's uri.
        uri: String,
        /// Why the fetch failed.
        #[source]
        cause: Box<DownloadError>,
    },
    /// The references between offloaded literals cannot be followed.
    #[error(transparent)]
    Offloading(#[from] OffloadedError),
    /// The inputs cannot be laid out as files.
    #[error(transparent)]
    Plan(#[from] InputError),
    /// A text is not a reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A blob's uri is not a reference.
    #[error("input {}: {cause}", Shown(variable))]
    Blob {
        /// The variable that has the blob.
        variable: String,
        /// What is wrong with its uri.
        #[source]
        cause: ReferenceError,
    },
    /// Objects where directories are declared.
    #[error("{0}")]
    Lone(Problems<LoneObject>),
    /// Something else is in the place of the input directory.
    #[error("{path} (--to-local-dir) cannot be used: {cause}", path = .path.display())]
    Directory {
        /// The path, as the user gave it.
        path: PathBuf,
        /// What is there.
        #[source]
        cause: SharedError,
    },
    /// `--from` is not a reference.
    #[error("--from: {0}")]
    From(#[source] ReferenceError),
    /// The run that wrote the files has failed.
    #[error(
        "{document} says that the run which wrote below this prefix has failed ({}): {}. Run it again, or name another \
         prefix with --from",
        one_line(code),
        one_line(message)
    )]
    RunFailed {
        /// The reference of `failure.json`.
        document: String,
        /// The error code.
        code: String,
        /// What happened.
        message: String,
    },
    /// A manifest or `failure.json` cannot be read.
    #[error("{document}: {cause}")]
    Document {
        /// Its reference.
        document: String,
        /// What is wrong with it.
        #[source]
        cause: TreeDocumentError,
    },
    /// A manifest lists what cannot become a file.
    #[error(
        "{document} lists {}, which cannot become a file: {rule}. Run again what writes it",
        Shown(path)
    )]
    ListedName {
        /// The reference of the manifest.
        document: String,
        /// The path in it.
        path: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// The files are not those of the manifest.
    #[error(
        "the files differ from the list in {document}: {problems}. Another run may be writing below this prefix: try \
         again when it has ended"
    )]
    Differs {
        /// The reference of the manifest.
        document: String,
        /// The files.
        problems: Problems<FileDifference>,
    },
    /// Nothing is there to fetch.
    #[error(
        "--from {reference}: no object has this key, and none has a key that begins with it and a slash. Check the \
         reference, and that what writes it has run"
    )]
    Nothing {
        /// The reference.
        reference: String,
    },
    /// A single object or file could not be read or written.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The data of inputs could not be fetched.
    #[error("input data could not be fetched: {0}")]
    Transfer(#[source] TransferError),
}

impl DownloadError {
    /// The store's error, if only the store failed.
    #[must_use]
    pub fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Inputs { cause, .. } | Self::Offloaded { cause, .. } => cause.store_error(),
            Self::Copy(error) => error.store_error(),
            Self::Transfer(error) => error.store_error(),
            _ => None,
        }
    }
}

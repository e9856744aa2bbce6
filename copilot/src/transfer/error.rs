//! How transfers fail: one copy, and a whole run.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::progress::Summary;
use super::space::SpaceError;
use super::stop::Stopped;
use crate::store::StoreError;
use crate::{limits, permission};

/// One copy failed.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The store could not serve it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be written.
    #[error("{path} cannot be written: {source}. {advice}", path = .path.display(), advice = writing(path, source))]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The kernel's error.
        source: io::Error,
    },
    /// A file does not fit.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// A file could not be read.
    #[error("{name} cannot be read: {source}. {advice}", advice = reading(source))]
    Read {
        /// The path of the file, for messages.
        name: String,
        /// The kernel's error.
        source: io::Error,
    },
    /// The size of a file changed during its upload.
    #[error(
        "{name} had {before} bytes when its upload began and {after} when it ended. Write outputs before the container ends, and do not change them afterwards"
    )]
    SourceChanged {
        /// The path of the file, for messages.
        name: String,
        /// Bytes at the beginning.
        before: u64,
        /// Bytes at the end.
        after: u64,
    },
    /// A file was written to during its upload, and has the size that it had.
    #[error(
        "{name} was changed while it was uploaded. Write outputs before the container ends, and do not change them afterwards"
    )]
    SourceRewritten {
        /// The path of the file, for messages.
        name: String,
    },
    /// A file needs larger parts than the memory allows.
    #[error(
        "{name} has {size} bytes. A store allows 10000 parts, so a part needs {part} bytes, but transfers have only {memory} bytes of memory. Raise them to {part} at least (--max-memory, and the container's limit with it)"
    )]
    TooLargeForParts {
        /// The path of the file, for messages.
        name: String,
        /// Its size in bytes.
        size: u64,
        /// The budget in bytes.
        memory: u64,
        /// The least size of a part, in bytes.
        part: u64,
    },
    /// A key beneath a prefix cannot become a file.
    #[error("{object} cannot become a file beneath {directory}: {rule}. Rename or remove the object", directory = .directory.display())]
    Name {
        /// The object's reference.
        object: String,
        /// Where it should go.
        directory: PathBuf,
        /// The rule that its key breaks.
        rule: &'static str,
    },
    /// A body has fewer bytes than the store announced.
    #[error(
        "{object} ended after {got} bytes of {expected}. Try again; if it recurs, the store or a proxy cuts answers short"
    )]
    Incomplete {
        /// The object's reference.
        object: String,
        /// The bytes that arrived.
        got: u64,
        /// The bytes that the store announced.
        expected: u64,
    },
    /// An object that broke cannot go on where it broke.
    #[error(
        "{object} was begun {times} times and never arrived whole. Where it broke it could not go on: the store does not prove that the rest is of the same version (by an ETag, or by its size and a Last-Modified of at least a minute ago){cause}. Try again, or put the object into a store that names versions",
        cause = because(cause.as_deref())
    )]
    Unproven {
        /// The object's reference.
        object: String,
        /// How often it was begun.
        times: u32,
        /// What broke it last, if its connection broke.
        #[source]
        cause: Option<Box<CopyError>>,
    },
    /// Readings of an object whose end only the end of the connection marks have different lengths.
    #[error(
        "{object} was read {times} times, and no two readings had one length: the last one had {got} bytes. The server says neither how long it is nor where it ends, so a cut answer looks like a whole one. Let the server send a Content-Length"
    )]
    Unmarked {
        /// The object's reference.
        object: String,
        /// How often it was read.
        times: u32,
        /// The bytes of the last reading.
        got: u64,
    },
    /// The outcome of an earlier run lies where this run writes its own, and cannot be deleted.
    #[error(
        "{object} is the outcome of an earlier run, and readers would take it for the outcome of this one, but it cannot be deleted: {cause}. Allow it (s3:DeleteObject), or delete the object"
    )]
    Stale {
        /// The object's reference.
        object: String,
        /// Why it cannot be deleted.
        #[source]
        cause: Box<StoreError>,
    },
    /// The copy was stopped before its end.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The cause as a part of a sentence.
fn because(cause: Option<&CopyError>) -> String {
    cause.map_or_else(String::new, |cause| {
        format!(". The last one ended so: {cause}")
    })
}

/// What to do about a file or directory that cannot be written.
fn writing(path: &Path, source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::AlreadyExists
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory => {
            "Something else has its name: a store may hold both `a` and `a/b`, a directory may not. \
             Rename one of them, or empty the directory"
                .to_owned()
        }
        // In our own words: what somebody has put there.
        io::ErrorKind::Other => "Others may change this directory, so we only write and remove where \
             nobody can lead us elsewhere. Put real files and directories there, and let nobody move them \
             before all inputs are in place"
            .to_owned(),
        // Files are written beside their place: the directory decides.
        io::ErrorKind::PermissionDenied => permission::advice(path.parent().unwrap_or(path)),
        _ => limits::advice(source)
            .unwrap_or_else(|| "Check its directory's permissions".to_owned()),
    }
}

/// What to do about a file that cannot be read.
fn reading(source: &io::Error) -> String {
    limits::advice(source).unwrap_or_else(|| {
        format!(
            "It must be a regular file that our user may read: {}",
            permission::ourselves()
        )
    })
}

impl CopyError {
    /// The store's error, if it is one.
    #[must_use]
    pub fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Stale { cause, .. } => Some(cause),
            Self::Unproven { cause, .. } => cause.as_ref()?.store_error(),
            _ => None,
        }
    }

    /// Whether the bytes of an object are not proven to be of one version, so that it must be read anew.
    pub(super) fn begins_anew(&self) -> bool {
        matches!(
            self,
            Self::Unproven { .. } | Self::Store(StoreError::Changed { .. })
        )
    }
}

/// A copy that failed, and what it was for.
#[derive(Debug)]
pub struct CopyFailure {
    /// The label of its entry in the plan.
    pub label: Option<Arc<str>>,
    /// Why it failed.
    pub error: CopyError,
}

impl fmt::Display for CopyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = &self.label {
            write!(f, "{label}: ")?;
        }
        write!(f, "{}", self.error)
    }
}

/// A run ended before everything was copied.
#[derive(Debug)]
pub struct TransferError {
    /// The failures in their order; only the first ones if there were many.
    pub failures: Vec<CopyFailure>,
    /// The number of failures.
    pub failed: u64,
    /// Why the run was stopped from outside, if it was.
    pub stopped: Option<Stopped>,
    /// What was copied all the same.
    pub summary: Box<Summary>,
}

impl TransferError {
    /// Failures that are kept: more than a person reads.
    pub(super) const KEPT: usize = 20;

    /// The store's error, if only store errors occurred: the worst one, which is an error that does not
    /// pass by itself.
    #[must_use]
    pub fn store_error(&self) -> Option<&StoreError> {
        if self.stopped.is_some() {
            return None;
        }
        let errors: Option<Vec<_>> = self
            .failures
            .iter()
            .map(|failure| failure.error.store_error())
            .collect();
        let errors = errors?;
        let lasting = errors.iter().find(|error| !error.recoverable());
        lasting.or(errors.first()).copied()
    }
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.stopped, self.failures.as_slice()) {
            (Some(stopped), _) => write!(f, "{stopped} after {} objects", self.summary.objects)?,
            (None, [only]) => return write!(f, "{only}"),
            (None, _) => write!(f, "{} objects failed", self.failed)?,
        }
        for failure in &self.failures {
            write!(f, "\n{failure}")?;
        }
        match self.failed.saturating_sub(self.failures.len() as u64) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for TransferError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.failures.as_slice() {
            [only] => Some(&only.error),
            _ => None,
        }
    }
}

//! A file that tells others how the run ended: the timeline, the termination log. Its directory may be one that
//! main can change, so it is held from the start of the run.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::beneath::{SharedDirectory, SharedError};
use crate::transfer::{CopyError, write_file};

/// Why a report cannot be written.
#[derive(Debug, Error)]
pub(super) enum ReportFileError {
    /// Its directory is not what it was.
    #[error(transparent)]
    Directory(#[from] SharedError),
    /// The file cannot be replaced.
    #[error(transparent)]
    Write(#[from] CopyError),
    /// The file cannot be opened or written.
    #[error(transparent)]
    File(#[from] io::Error),
}

impl ReportFileError {
    /// Whether the file or its directory does not exist.
    pub(super) fn is_missing(&self) -> bool {
        match self {
            Self::Directory(SharedError::Open(error)) | Self::File(error) => {
                error.kind() == io::ErrorKind::NotFound
            }
            _ => false,
        }
    }
}

/// A file for a report.
#[derive(Debug)]
pub(super) struct ReportFile {
    directory: SharedDirectory,
    name: OsString,
}

impl ReportFile {
    /// The file at this path, whose directory is held from now on.
    pub(super) fn at(path: &Path) -> Self {
        let above = path.parent().filter(|above| !above.as_os_str().is_empty());
        Self {
            directory: SharedDirectory::at(above.unwrap_or(Path::new("."))),
            name: path.file_name().unwrap_or(OsStr::new("")).to_owned(),
        }
    }

    /// Its path.
    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    /// Puts a new file in its place, whole.
    pub(super) fn replace(&self, text: &[u8]) -> Result<(), ReportFileError> {
        let place = self.directory.place(&self.name)?;
        Ok(write_file(&place, |out| out.write_all(text))?)
    }

    /// Writes into the file, which somebody else has made. Never creates it.
    pub(super) fn overwrite(&self, text: &[u8]) -> Result<(), ReportFileError> {
        let directory = self.directory.open()?;
        let mut file = directory.open_to_overwrite(&self.name)?;
        file.set_len(0)?;
        Ok(file.write_all(text)?)
    }
}

//! The file that an upload reads.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;

use super::notes::UploadNotes;
use crate::transfer::copy::LocalFile;
use crate::transfer::error::CopyError;
use crate::transfer::memory::MemoryBudget;

/// An opened file, and how much of it an upload sends.
#[derive(Debug)]
pub struct OpenFile {
    /// The name that messages use.
    pub name: String,
    /// The file to read.
    pub file: File,
    /// Bytes to send, from the file's beginning: its size when the upload begins.
    pub size: u64,
    /// Where multipart uploads of the file are noted.
    pub notes: Option<Arc<dyn UploadNotes>>,
}

impl OpenFile {
    /// Opens a file to send all of it.
    pub(in crate::transfer) fn open(from: LocalFile) -> Result<Self, CopyError> {
        let notes = from.notes();
        let (name, opened) = from.open();
        let opened = opened.and_then(|file| {
            let meta = file.metadata()?;
            if !meta.is_file() {
                let message = "it is not a regular file";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            Ok((file, meta.len()))
        });
        match opened {
            Ok((file, size)) => Ok(Self {
                name,
                file,
                size,
                notes,
            }),
            Err(source) => Err(CopyError::Read { name, source }),
        }
    }

    /// Reads `length` bytes from `offset` on, into memory that `budget` reserves until the last user
    /// of the bytes drops them.
    pub(super) async fn read(
        &self,
        budget: &MemoryBudget,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, CopyError> {
        // One part, which fits in the memory.
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut buffer = budget.buffer(length).await;
        match self.file.read_exact_at(buffer.bytes(), offset) {
            Ok(()) => Ok(buffer.freeze()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.check()?;
                Err(self.unreadable(error))
            }
            Err(error) => Err(self.unreadable(error)),
        }
    }

    /// Refuses a file whose size has changed since the upload began.
    pub(super) fn check(&self) -> Result<(), CopyError> {
        let meta = self
            .file
            .metadata()
            .map_err(|error| self.unreadable(error))?;
        if meta.len() == self.size {
            return Ok(());
        }
        Err(CopyError::SourceChanged {
            name: self.name.clone(),
            before: self.size,
            after: meta.len(),
        })
    }

    pub(super) fn unreadable(&self, source: io::Error) -> CopyError {
        CopyError::Read {
            name: self.name.clone(),
            source,
        }
    }
}

//! The entries of a plan.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::checksum::FileChecksum;
use super::error::CopyError;
use super::upload::{MultipartUpload, OpenFile, UploadNotes};
use crate::beneath::Place;
use crate::store::Reference;

/// One entry of a plan: a copy, and what it is for.
#[derive(Debug)]
pub struct PlannedCopy {
    /// The beginning of each message about the copy, such as `input "x"`; none where references and
    /// paths say enough.
    pub label: Option<Arc<str>>,
    /// What moves from where to where.
    pub copy: Copy,
}

impl From<Copy> for PlannedCopy {
    fn from(copy: Copy) -> Self {
        Self { label: None, copy }
    }
}

/// What moves from where to where.
#[derive(Debug)]
pub enum Copy {
    /// An object becomes the file `to`.
    Download {
        /// The object to read.
        from: Reference,
        /// The file. Missing parent directories are created, an existing file is replaced.
        to: Place,
        /// Size in bytes where the plan knows it. The engine then asks for a small object as a whole.
        size: Option<u64>,
    },
    /// The objects beneath a prefix become the directory `to`, which exists even if there are none.
    DownloadPrefix {
        /// The prefix; it ends at a `/` whether written or not.
        from: Reference,
        /// The directory; names beneath the prefix are kept.
        to: Place,
    },
    /// A file becomes the object `to`.
    Upload {
        /// The file to read.
        from: LocalFile,
        /// The object; replaced if it exists.
        to: Reference,
        /// A multipart upload to this object that has begun: its parts are not sent again if the file
        /// still holds them.
        resume: Option<Box<MultipartUpload>>,
    },
}

impl Copy {
    /// The copy, for something that has a name: messages about it begin with that.
    #[must_use]
    pub fn labelled(self, label: Arc<str>) -> PlannedCopy {
        PlannedCopy {
            label: Some(label),
            copy: self,
        }
    }
}

/// Is told what the object holds that a file became.
type ChecksumReceiver = Box<dyn FnOnce(FileChecksum) + Send>;

/// A file to upload. The engine opens it when it runs the copy, so that a plan of many files holds no
/// descriptors; the caller decides how to open a path safely.
pub struct LocalFile {
    name: String,
    opener: Box<dyn FnOnce() -> io::Result<File> + Send>,
    notes: Option<Arc<dyn UploadNotes>>,
    checksum: Option<ChecksumReceiver>,
}

impl LocalFile {
    /// A file called `name` in messages, opened by `opener`.
    pub fn new(
        name: impl Into<String>,
        opener: impl FnOnce() -> io::Result<File> + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            opener: Box::new(opener),
            notes: None,
            checksum: None,
        }
    }

    /// The same file; a multipart upload of it is noted there.
    #[must_use]
    pub fn noted(self, notes: Option<Arc<dyn UploadNotes>>) -> Self {
        Self { notes, ..self }
    }

    /// The same file; `receive` is told the size and the checksum of the object once it exists. The file is read
    /// a second time for that, and the copy fails if it does not hold any more what was sent.
    #[must_use]
    pub fn with_checksum(self, receive: impl FnOnce(FileChecksum) + Send + 'static) -> Self {
        Self {
            checksum: Some(Box::new(receive)),
            ..self
        }
    }

    /// Who is told the checksum.
    pub(super) fn take_checksum_receiver(&mut self) -> Option<ChecksumReceiver> {
        self.checksum.take()
    }

    /// Where multipart uploads of the file are noted.
    pub(super) fn notes(&self) -> Option<Arc<dyn UploadNotes>> {
        self.notes.clone()
    }

    /// Its size in bytes. Opens it as an upload does, and closes it again.
    ///
    /// # Errors
    /// It cannot be opened, or it is not a regular file.
    pub fn size(self) -> Result<u64, CopyError> {
        Ok(OpenFile::open(self)?.size)
    }

    /// Its name, and the file opened now.
    pub fn open(self) -> (String, io::Result<File>) {
        (self.name, (self.opener)())
    }
}

impl std::fmt::Debug for LocalFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LocalFile").field(&self.name).finish()
    }
}

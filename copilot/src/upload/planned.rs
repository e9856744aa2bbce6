//! The entries of an upload's plan, one for each file: where it is, and where it goes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directory::local_file;
use super::error::UploadError;
use super::walk;
use crate::beneath::GuardedDirectory;
use crate::literal::Shown;
use crate::literal::output::BlobOutput;
use crate::store::Reference;
use crate::transfer::{Copy, FileChecksum, LocalFile, MultipartUpload, PlannedCopy, UploadNotes};

/// A file to upload.
#[derive(Debug)]
pub(super) struct PlannedFile {
    /// Its name below the raw prefix: segments, joined by `/`.
    pub(super) key: Box<str>,
    /// Its path in the output directory.
    pub(super) path: PathBuf,
    label: Arc<str>,
    from: LocalFile,
    to: Reference,
}

impl PlannedFile {
    /// Its copy; `resume` is a multipart upload that has begun for it, and `notes` keeps those that begin.
    pub(super) fn copy(
        self,
        resume: Option<MultipartUpload>,
        notes: Option<Arc<dyn UploadNotes>>,
    ) -> PlannedCopy {
        let (from, to) = (self.from.noted(notes), self.to);
        let resume = resume.map(Box::new);
        Copy::Upload { from, to, resume }.labelled(self.label)
    }

    /// The same file; `receive` is told the checksum of what went up.
    pub(super) fn with_checksum(self, receive: impl FnOnce(FileChecksum) + Send + 'static) -> Self {
        Self {
            from: self.from.with_checksum(receive),
            ..self
        }
    }

    /// The file, and the object that it becomes.
    pub(super) fn ends(self) -> (LocalFile, Reference) {
        (self.from, self.to)
    }
}

/// `--to-raw-output`, which an interface of simple types does not need.
#[derive(Clone, Debug)]
pub(super) struct RawPrefix(Option<Reference>);

impl RawPrefix {
    /// Reads the prefix of data that references will name.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, UploadError> {
        let parsed = text.map(Reference::data_prefix).transpose();
        parsed.map(Self).map_err(UploadError::RawPrefix)
    }

    /// Reads a prefix beneath which no reference leads.
    pub(super) fn of_any_text(text: Option<&str>) -> Result<Self, UploadError> {
        let parsed = text.map(Reference::prefix).transpose();
        parsed.map(Self).map_err(UploadError::RawPrefix)
    }

    /// A prefix that was read before.
    pub(super) fn of(prefix: &Reference) -> Self {
        Self(Some(prefix.clone()))
    }

    pub(super) fn join(&self, names: &[&str]) -> Result<Reference, UploadError> {
        let prefix = self.0.as_ref().ok_or(UploadError::NoRawPrefix)?;
        prefix.join(names).map_err(UploadError::RawPrefix)
    }

    /// The uri of a blob. Before anything is uploaded, the caller checks that a prefix exists.
    pub(super) fn uri(&self, names: &[String]) -> String {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.join(&names)
            .map_or_else(|_| String::new(), |reference| reference.to_string())
    }
}

/// A single file.
pub(super) fn file(
    blob: &BlobOutput,
    raw: &RawPrefix,
    directory: &Arc<GuardedDirectory>,
) -> Result<PlannedFile, UploadError> {
    let names = names(blob);
    Ok(PlannedFile {
        key: names.join("/").into(),
        path: blob.path.clone(),
        label: label(blob),
        from: local_file(directory, &blob.path),
        to: raw.join(&names)?,
    })
}

/// All files below a directory, found one by one.
pub(super) fn tree(
    blob: &BlobOutput,
    raw: &RawPrefix,
    directory: &Arc<GuardedDirectory>,
) -> impl Iterator<Item = Result<PlannedFile, UploadError>> {
    let label = label(blob);
    walk::TreeWalk::new(Arc::clone(directory), &blob.path).map(move |file| {
        let below = file.names.iter().map(String::as_str);
        let names: Vec<&str> = names(blob).into_iter().chain(below).collect();
        Ok(PlannedFile {
            key: names.join("/").into(),
            path: file.path,
            label: Arc::clone(&label),
            from: file.content,
            to: raw.join(&names)?,
        })
    })
}

/// All files of the output directory, as they are.
pub(super) fn everything(
    raw: &RawPrefix,
    directory: &Arc<GuardedDirectory>,
) -> impl Iterator<Item = Result<PlannedFile, UploadError>> {
    walk::TreeWalk::new(Arc::clone(directory), Path::new(".")).map(|file| {
        let names: Vec<&str> = file.names.iter().map(String::as_str).collect();
        let key = names.join("/");
        Ok(PlannedFile {
            label: format!("the file {}", Shown(&key)).into(),
            key: key.into(),
            path: file.path,
            from: file.content,
            to: raw.join(&names)?,
        })
    })
}

fn label(blob: &BlobOutput) -> Arc<str> {
    format!("output {}", Shown(&blob.variable)).into()
}

/// The segments of a blob's name.
pub(super) fn names(blob: &BlobOutput) -> Vec<&str> {
    blob.remote.iter().map(String::as_str).collect()
}

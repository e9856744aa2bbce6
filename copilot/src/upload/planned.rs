//! The entries of a plan, one for each file: where it lies, and where it goes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directory::Directory;
use super::error::UploadError;
use super::walk;
use crate::literal::Shown;
use crate::literal::output::BlobOutput;
use crate::store::Reference;
use crate::transfer::{Copy, Labelled, LocalFile};

/// A file to upload.
#[derive(Debug)]
pub(super) struct Planned {
    /// Its name below the raw prefix, segments joined by `/`.
    pub(super) key: Box<str>,
    /// Where it lies in the output directory.
    pub(super) path: PathBuf,
    label: Arc<str>,
    from: LocalFile,
    to: Reference,
}

impl Planned {
    /// Its copy.
    pub(super) fn copy(self) -> Labelled {
        let (from, to) = (self.from, self.to);
        Copy::Upload { from, to }.labelled(self.label)
    }
}

/// `--to-raw-output`, which an interface of simple types does without.
#[derive(Clone, Debug)]
pub(super) struct RawPrefix(Option<Reference>);

impl RawPrefix {
    pub(super) fn parse(text: Option<&str>) -> Result<Self, UploadError> {
        let parsed = text.map(Reference::parse).transpose();
        parsed.map(Self).map_err(UploadError::RawPrefix)
    }

    pub(super) fn join(&self, names: &[&str]) -> Result<Reference, UploadError> {
        let prefix = self.0.as_ref().ok_or(UploadError::NoRawPrefix)?;
        prefix.join(names).map_err(UploadError::RawPrefix)
    }

    /// The uri of a blob. That there is a prefix is checked before anything is uploaded.
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
    directory: &Arc<Directory>,
) -> Result<Planned, UploadError> {
    let names = names(blob);
    Ok(Planned {
        key: names.join("/").into(),
        path: blob.path.clone(),
        label: label(blob),
        from: directory.local_file(&blob.path),
        to: raw.join(&names)?,
    })
}

/// All files below a directory, found when their turn comes.
pub(super) fn tree(
    blob: &BlobOutput,
    raw: &RawPrefix,
    directory: &Arc<Directory>,
) -> impl Iterator<Item = Result<Planned, UploadError>> {
    let label = label(blob);
    walk::Walk::new(Arc::clone(directory), &blob.path).map(move |file| {
        let below = file.names.iter().map(String::as_str);
        let names: Vec<&str> = names(blob).into_iter().chain(below).collect();
        Ok(Planned {
            key: names.join("/").into(),
            path: file.path,
            label: Arc::clone(&label),
            from: file.content,
            to: raw.join(&names)?,
        })
    })
}

/// All files of the output directory, as they lie there.
pub(super) fn everything(
    raw: &RawPrefix,
    directory: &Arc<Directory>,
) -> impl Iterator<Item = Result<Planned, UploadError>> {
    walk::Walk::new(Arc::clone(directory), Path::new(".")).map(|file| {
        let names: Vec<&str> = file.names.iter().map(String::as_str).collect();
        let key = names.join("/");
        Ok(Planned {
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

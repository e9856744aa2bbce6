//! `_ERROR`: how a program says that it failed, in its own words (spec §4.2).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::problem::advice;
use super::view::{EntryKind, OutputView};

const NAME: &str = "_ERROR";
/// The largest file that is reported whole, in bytes.
const LIMIT: u64 = 1 << 20;
/// How much of a larger one is reported, in bytes.
const EXCERPT: usize = 16 << 10;

/// What the program wrote. Shown as the reference shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// The content of the file, not trimmed; what is not UTF-8 is replaced by U+FFFD.
    pub text: String,
}

impl fmt::Display for UserError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "User Error: {}", self.text)
    }
}

/// Why an existing `_ERROR` says nothing.
#[derive(Debug, Error)]
pub enum ErrorFileError {
    /// It is no file.
    #[error("the error file {} is a {kind}; write a file", path.display())]
    NotAFile {
        /// What it is.
        kind: &'static str,
        /// Where it lies.
        path: PathBuf,
    },
    /// The operating system refuses.
    #[error("cannot read the error file {}: {cause}{}", path.display(), advice(cause))]
    Unreadable {
        /// Where it lies.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
}

/// Reads `_ERROR`; none if there is no such file.
///
/// Of a file of more than 1 MiB the beginning is reported, with its size.
pub fn user_error(view: &impl OutputView) -> Result<Option<UserError>, ErrorFileError> {
    let path = || view.root().join(NAME);
    let unreadable = |cause| ErrorFileError::Unreadable {
        path: path(),
        cause,
    };
    let Some(entry) = view.stat(Path::new(NAME)).map_err(unreadable)? else {
        return Ok(None);
    };
    let kind = match entry.kind {
        EntryKind::File => {
            let content = view.read(Path::new(NAME), LIMIT + 1).map_err(unreadable)?;
            return Ok(Some(UserError {
                text: report(&content, entry.size),
            }));
        }
        EntryKind::Directory => "directory",
        EntryKind::Special(kind) => kind,
    };
    Err(ErrorFileError::NotAFile { kind, path: path() })
}

fn report(content: &[u8], size: u64) -> String {
    if content.len() as u64 <= LIMIT {
        return String::from_utf8_lossy(content).into_owned();
    }
    let size = size.max(content.len() as u64);
    let beginning = String::from_utf8_lossy(&content[..EXCERPT]);
    format!(
        "error file too large: {size} bytes, at most {LIMIT} are reported; it begins: {beginning}"
    )
}

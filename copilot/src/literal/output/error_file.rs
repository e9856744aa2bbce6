//! `_ERROR`: how a program says that it failed, in its own words (spec §4.2).
//!
//! Text, as in the reference; or a JSON object (`declared`), which can say more.

mod declared;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use self::declared::Declared;
use super::problem::advice;
use super::view::{EntryKind, OutputView};
use crate::idl::container_error::Kind;
use crate::idl::execution_error::ErrorKind;

const NAME: &str = "_ERROR";
/// The largest file that is reported whole, in bytes.
const LIMIT: u64 = 1 << 20;
/// How much of a larger one is reported, in bytes.
const EXCERPT: usize = 16 << 10;

/// What the program wrote. Displayed as the error document says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// The program's own word for it, if it gave one.
    pub code: Option<String>,
    /// Whether another attempt may help; text says nothing of it and counts as recoverable, as in
    /// the reference.
    pub kind: Kind,
    /// Whose failure it is: the program's, unless it says otherwise.
    pub origin: ErrorKind,
    /// What happened: the JSON's `message`; or, after the reference's words, the whole file, not
    /// trimmed. What is not UTF-8 is replaced by U+FFFD.
    pub message: String,
    /// Why a file that looks like JSON is taken as text.
    pub warning: Option<String>,
}

impl fmt::Display for UserError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
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
            return Ok(Some(UserError::read(&content, entry.size)));
        }
        EntryKind::Directory => "directory",
        EntryKind::Special(kind) => kind,
    };
    Err(ErrorFileError::NotAFile { kind, path: path() })
}

impl UserError {
    /// From what was read of a file of `size` bytes.
    fn read(content: &[u8], size: u64) -> Self {
        if content.len() as u64 > LIMIT {
            let size = size.max(content.len() as u64);
            let beginning = String::from_utf8_lossy(&content[..EXCERPT]);
            let text = format!(
                "error file too large: {size} bytes, at most {LIMIT} are reported; it begins: \
                 {beginning}"
            );
            return Self::of_text(&text, None);
        }
        let text = String::from_utf8_lossy(content).into_owned();
        match Declared::parse(&text) {
            None => Self::of_text(&text, None),
            Some(Err(reason)) => Self::of_text(&text, Some(reason)),
            Some(Ok(declared)) => Self {
                code: declared.code,
                kind: declared.kind,
                origin: declared.origin,
                message: declared.message,
                warning: None,
            },
        }
    }

    fn of_text(text: &str, warning: Option<String>) -> Self {
        Self {
            code: None,
            kind: Kind::Recoverable,
            origin: ErrorKind::User,
            message: format!("User Error: {text}"),
            warning,
        }
    }
}

//! `_ERROR`: the file in which a program reports its own failure (spec §4.2).
//!
//! It holds text, as in the reference, or a JSON object (`declared`), which can say more.

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
/// The largest file that is reported in full, in bytes.
const LIMIT: u64 = 1 << 20;
/// How much of a larger file is reported, in bytes.
const EXCERPT: usize = 16 << 10;

/// What the program wrote. `Display` gives the message of the error document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// The program's own error code, if it gave one.
    pub code: Option<String>,
    /// Whether another attempt may help. Text counts as recoverable, as in the reference.
    pub kind: Kind,
    /// Who caused the failure: the user's program, unless it says otherwise.
    pub origin: ErrorKind,
    /// What happened: the `message` of the JSON object; or the reference's prefix and the whole file,
    /// untrimmed. U+FFFD replaces what is not UTF-8.
    pub message: String,
    /// Why a file that looks like JSON is read as text.
    pub warning: Option<String>,
}

impl fmt::Display for UserError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

/// Why an existing `_ERROR` cannot be read.
#[derive(Debug, Error)]
pub enum ErrorFileError {
    /// It is not a file.
    #[error("the error file {} is a {kind}; write a file", path.display())]
    NotAFile {
        /// What it is.
        kind: &'static str,
        /// Its path.
        path: PathBuf,
    },
    /// The operating system refuses to read it.
    #[error("cannot read the error file {}: {cause}{}", path.display(), advice(cause))]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
}

/// Reads `_ERROR`; none if the file does not exist.
///
/// Of a file larger than 1 MiB it reports the size and the beginning.
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
    /// From the content, or the beginning of it, of a file of `size` bytes.
    fn read(content: &[u8], size: u64) -> Self {
        if content.len() as u64 > LIMIT {
            let size = size.max(content.len() as u64);
            let beginning = String::from_utf8_lossy(&content[..EXCERPT]);
            let text = format!(
                "error file too large: {size} bytes, at most {LIMIT} are reported; it begins: \
                 {beginning}"
            );
            return Self::from_text(&text, None);
        }
        let text = String::from_utf8_lossy(content).into_owned();
        match Declared::parse(&text) {
            None => Self::from_text(&text, None),
            Some(Err(error)) => Self::from_text(&text, Some(error.to_string())),
            Some(Ok(declared)) => Self {
                code: declared.code,
                kind: declared.kind,
                origin: declared.origin,
                message: declared.message,
                warning: None,
            },
        }
    }

    fn from_text(text: &str, warning: Option<String>) -> Self {
        Self {
            code: None,
            kind: Kind::Recoverable,
            origin: ErrorKind::User,
            message: format!("User Error: {text}"),
            warning,
        }
    }
}

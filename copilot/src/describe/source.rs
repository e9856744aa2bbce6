//! What a person names on the command line: a file, standard input (`-`), base64, or a reference to an object.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// The largest document, in bytes: the same as of an input message.
const LARGEST: u64 = 64 << 20;

/// Where a document comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    StandardInput,
    /// An object in a store, or on the web.
    Object(String),
    /// The bytes themselves, from base64.
    Bytes(Vec<u8>),
}

/// Why a source cannot be read.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The text is nothing that can be read.
    #[error(
        "{0:?} is neither a file that exists, nor a reference such as s3://bucket/key, nor base64: correct it"
    )]
    Unknown(String),
    /// A file cannot be read.
    #[error("{path} cannot be read: {cause}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// A file is larger than any message.
    #[error("{path} has more than {LARGEST} bytes: no message of the platform is as large", path = .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

impl Source {
    /// What a text names. A file that exists comes first.
    ///
    /// # Errors
    /// The text names nothing.
    pub fn of(text: &str) -> Result<Self, SourceError> {
        if text == "-" {
            return Ok(Self::StandardInput);
        }
        if text.contains("://") {
            return Ok(Self::Object(text.to_owned()));
        }
        let path = Path::new(text);
        // An interface in base64 may be longer than any path.
        if !text.is_empty() && path.try_exists().unwrap_or(false) {
            return Ok(Self::File(path.to_owned()));
        }
        let dense: String = text.split_whitespace().collect();
        match STANDARD.decode(&dense) {
            Ok(bytes) if !dense.is_empty() => Ok(Self::Bytes(bytes)),
            _ => Err(SourceError::Unknown(text.chars().take(80).collect())),
        }
    }

    /// The name of its file or object, which may tell what it is; empty if it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::File(path) => path.file_name().and_then(|name| name.to_str()),
            Self::Object(reference) => reference.rsplit('/').next(),
            Self::StandardInput | Self::Bytes(_) => None,
        }
        .unwrap_or_default()
    }
}

/// The bytes of a file; of standard input if the path is `-`.
///
/// # Errors
/// It cannot be read, or is larger than any message.
pub fn read_file(path: &Path) -> Result<Vec<u8>, SourceError> {
    let unreadable = |cause| SourceError::Unreadable {
        path: path.to_owned(),
        cause,
    };
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    read.map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(SourceError::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

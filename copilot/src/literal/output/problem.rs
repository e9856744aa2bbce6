//! Why outputs cannot be uploaded: every rule, with the path and what to do.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::Utf8Error;

use thiserror::Error;

use super::text::TextError;
use crate::idl::LiteralType;
use crate::limits;
use crate::literal::name::{NameError, Shown};
use crate::literal::problems::Problems;

/// All outputs that are missing or wrong, each with its variable.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct OutputError(pub Problems<OutputProblem>);

impl OutputError {
    /// Whether the program has caused all of it. A file that cannot be read may be the fault of the node.
    #[must_use]
    pub fn is_of_user(&self) -> bool {
        let is_readable =
            |problem: &OutputProblem| !matches!(problem.rule, OutputRule::Unreadable { .. });
        self.0.kept().iter().all(is_readable)
    }
}

/// One output that is missing or wrong.
#[derive(Debug, Error)]
#[error("output {}: {rule}", Shown(variable))]
pub struct OutputProblem {
    /// The variable.
    pub variable: String,
    /// The rule that it breaks.
    pub rule: OutputRule,
}

/// The rules for outputs.
#[derive(Debug, Error)]
pub enum OutputRule {
    /// The variable's name cannot be a file name.
    #[error("{0}; rename it in the task's interface")]
    Name(#[from] NameError),
    /// A type that cannot be uploaded.
    #[error("the type {0} is not supported as an output")]
    Unsupported(String),
    /// The file does not exist.
    #[error("file not found at {}, and no single file matches {}; {there}; the program must write it", path.display(), Shown(pattern))]
    Missing {
        /// The expected path.
        path: PathBuf,
        /// The name with any extension.
        pattern: String,
        /// What is there instead.
        there: DirectoryNames,
    },
    /// Several files have the variable's name and an extension.
    #[error("ambiguous: {} does not exist, but several files of this name have an extension: {}; keep one", path.display(), candidates.join(", "))]
    Ambiguous {
        /// The expected path.
        path: PathBuf,
        /// The first of the possible files.
        candidates: Vec<String>,
    },
    /// The operating system refuses to read it.
    #[error("cannot read {}: {cause}{}", path.display(), advice(cause))]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// A directory where a file must be.
    #[error("its type is {declared}, but {} is a directory; write a file", path.display())]
    IsDirectory {
        /// The declared type in words.
        declared: String,
        /// Its path.
        path: PathBuf,
    },
    /// A file where a directory must be.
    #[error("its type is {declared}, but {} is a file; write a directory", path.display())]
    IsFile {
        /// The declared type in words.
        declared: String,
        /// Its path.
        path: PathBuf,
    },
    /// Neither a file nor a directory.
    #[error("{} is a {kind}; write a file or a directory", path.display())]
    Special {
        /// Its kind, such as `named pipe`.
        kind: &'static str,
        /// Its path.
        path: PathBuf,
    },
    /// A value that is too large for `outputs.pb`.
    #[error(
        "{} has {size} bytes, but a value of type {declared} may have at most {limit}; raise --max-simple-size or declare a file", path.display()
    )]
    TooLarge {
        /// The declared type in words.
        declared: String,
        /// Its path.
        path: PathBuf,
        /// Its size in bytes; a file that grew while it was read may be larger.
        size: u64,
        /// The largest size in bytes.
        limit: u64,
    },
    /// A text that is not a value of its type.
    #[error("{}: {cause}", path.display())]
    Text {
        /// Its path.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: TextError,
    },
    /// A member of a list or a map in a file is not a value of its type.
    #[error("{}, at {at}: {rule}", path.display())]
    Member {
        /// The file.
        path: PathBuf,
        /// The path to the member: `$`, then indexes and keys.
        at: String,
        /// The rule that it breaks.
        rule: String,
    },
    /// No variant of a union fits.
    #[error("its type is {declared}, but {} fits none of them", path.display())]
    NoVariant {
        /// The declared type in words.
        declared: String,
        /// Its path.
        path: PathBuf,
    },
    /// A list's directory holds something besides elements.
    #[error("the elements of a list are named 0, 1, …, but {} also holds {}; remove or rename it", path.display(), Shown(name))]
    Stray {
        /// The list's directory.
        path: PathBuf,
        /// The name of the other file.
        name: String,
    },
    /// An element of a list is missing.
    #[error("the list in the directory {} has {count} elements, but element {index} is missing; name the elements 0, 1, … without a gap", path.display())]
    Gap {
        /// The list's directory.
        path: PathBuf,
        /// The first index that is missing.
        index: usize,
        /// The number of elements.
        count: usize,
    },
    /// A file that must hold a reference and does not.
    #[error(
        "{}: {rule}; with --upload-mode DO_NOT_UPLOAD the program uploads the data itself, and this file must hold the reference to it on one line, such as s3://bucket/key", path.display()
    )]
    Reference {
        /// Its path.
        path: PathBuf,
        /// The rule that the content breaks.
        #[source]
        rule: ReferenceRule,
    },
    /// More values than the platform reads.
    #[error(
        "the outputs hold more than {values} values (eight members of structs count as one, and an object in a struct as one), or values, names and references of more than {bytes} bytes; declare a file or a directory instead"
    )]
    TooMany {
        /// The largest number of values.
        values: usize,
        /// The largest number of bytes that they may have together.
        bytes: u64,
    },
    /// A file or directory that was just listed is gone.
    #[error("{} disappeared while it was read; write outputs before the program ends", path.display())]
    Vanished {
        /// Its path.
        path: PathBuf,
    },
    /// A file name that cannot stand in a reference.
    #[error("the name of {} is not UTF-8; rename the file", path.display())]
    FileName {
        /// Its path.
        path: PathBuf,
    },
}

impl OutputRule {
    /// The error for a type that we do not know.
    pub(super) fn unsupported(declared: &LiteralType) -> Self {
        Self::Unsupported(declared.to_string())
    }
}

/// Some names in the output directory, for people who look for a file there.
#[derive(Clone, Debug, Default)]
pub struct DirectoryNames {
    /// The first ones.
    shown: Vec<String>,
    /// How many there are.
    count: usize,
}

impl DirectoryNames {
    /// How many names a message shows.
    const SHOWN: usize = 8;

    /// Adds a name. Copilot's own files do not count.
    pub(super) fn add(&mut self, name: &OsStr) {
        let name = name.to_string_lossy();
        if name.starts_with(".copilot") {
            return;
        }
        self.count += 1;
        if self.shown.len() < Self::SHOWN {
            self.shown.push(Shown(&name).to_string());
        }
    }
}

impl fmt::Display for DirectoryNames {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = self.count - self.shown.len();
        let mut shown = self.shown.clone();
        shown.sort();
        match (self.count, more) {
            (0, _) => out.write_str("the directory is empty"),
            (_, 0) => write!(out, "the directory holds {}", shown.join(", ")),
            _ => write!(
                out,
                "the directory holds {} and {more} more",
                shown.join(", ")
            ),
        }
    }
}

/// The rules for a file that holds a reference.
#[derive(Debug, Error)]
pub enum ReferenceRule {
    /// It must be a file.
    #[error("it is a directory")]
    Directory,
    /// A reference has a largest size.
    #[error("it has {size} bytes, but a reference has at most {limit}")]
    TooLong {
        /// The size in bytes.
        size: u64,
        /// The largest size in bytes.
        limit: u64,
    },
    /// A reference is text.
    #[error("its content is not UTF-8: {0}")]
    NotUtf8(#[from] Utf8Error),
    /// A reference is not empty.
    #[error("it is empty")]
    Empty,
    /// A reference is one line.
    #[error("it has several lines")]
    SeveralLines,
    /// Others must be able to follow it.
    #[error("{0}")]
    NotFollowable(String),
}

/// What to do about an error of the operating system, beginning with `; ` or `. `; empty if nothing helps.
#[must_use]
pub fn advice(cause: &io::Error) -> Cow<'static, str> {
    match (cause.kind(), limits::advice(cause)) {
        (_, Some(advice)) => format!(". {advice}").into(),
        (io::ErrorKind::PermissionDenied, None) => {
            "; give the sidecar the capability DAC_READ_SEARCH, which counts for uid 0 (`drop: [ALL]` takes it from root \
             as well), make it readable for all (mode 644, directories 755), or let the pod's fsGroup be a group that \
             may read it"
                .into()
        }
        _ => "".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_user_has_three_remedies() {
        let advice = advice(&io::ErrorKind::PermissionDenied.into());
        for word in ["DAC_READ_SEARCH", "mode 644", "fsGroup"] {
            assert!(advice.contains(word), "{word}: {advice}");
        }
        let other = super::advice(&io::ErrorKind::InvalidData.into());
        assert_eq!(other, "");
    }
}

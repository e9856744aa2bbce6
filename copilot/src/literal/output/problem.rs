//! Why outputs cannot be uploaded: every rule, with the path and the way out.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::text::TextError;
use crate::literal::name::{NameError, Shown};
use crate::literal::problems::Problems;

/// Outputs that are missing or wrong: all of them, each with its variable.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct OutputError(pub Problems<OutputProblem>);

/// One of them.
#[derive(Debug, Error)]
#[error("output {}: {rule}", Shown(variable))]
pub struct OutputProblem {
    /// The variable.
    pub variable: String,
    /// The rule that it breaks.
    pub rule: OutputRule,
}

/// What every output must keep to.
#[derive(Debug, Error)]
pub enum OutputRule {
    /// The variable's name is no file name.
    #[error("{0}; rename it in the task's interface")]
    Name(#[from] NameError),
    /// A type that cannot be uploaded.
    #[error("the type {0} is not supported as an output")]
    Unsupported(String),
    /// Nothing is there.
    #[error("file not found at {}, nor exactly one called {}; the program must write it", path.display(), Shown(pattern))]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
        /// The name with any extension.
        pattern: String,
    },
    /// Several files have the variable's name and an extension.
    #[error("ambiguous: at {} there is no file, but several with an extension: {}; keep one", path.display(), candidates.join(", "))]
    Ambiguous {
        /// Where it was looked for.
        path: PathBuf,
        /// The files that could be meant; the first ones.
        candidates: Vec<String>,
    },
    /// The operating system refuses.
    #[error("cannot read {}: {cause}{}", path.display(), advice(cause))]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A directory where a file is due.
    #[error("its type is {declared}, and {} is a directory; write a file", path.display())]
    IsDirectory {
        /// The declared type in words.
        declared: String,
        /// Where it lies.
        path: PathBuf,
    },
    /// A file where a directory is due.
    #[error("its type is {declared}, and {} is a file; write a directory", path.display())]
    IsFile {
        /// The declared type in words.
        declared: String,
        /// Where it lies.
        path: PathBuf,
    },
    /// Neither a file nor a directory.
    #[error("{} is a {kind}; write a file or a directory", path.display())]
    Special {
        /// What it is.
        kind: &'static str,
        /// Where it lies.
        path: PathBuf,
    },
    /// A value that is too large to stand in a message.
    #[error(
        "{} has {size} bytes, and a value of type {declared} at most {limit}; raise --max-simple-size or declare a file", path.display()
    )]
    TooLarge {
        /// The declared type in words.
        declared: String,
        /// Where it lies.
        path: PathBuf,
        /// Its size in bytes; at least that if it grew while it was read.
        size: u64,
        /// The largest size in bytes.
        limit: u64,
    },
    /// A text that its type does not allow.
    #[error("{}: {cause}", path.display())]
    Text {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: TextError,
    },
    /// A member of a file that holds a list or a map, which its type does not allow.
    #[error("{}, at {at}: {rule}", path.display())]
    Member {
        /// The file.
        path: PathBuf,
        /// The way to the member: `$`, then indexes and keys.
        at: String,
        /// The rule that it breaks.
        rule: String,
    },
    /// No variant of a union can be what is there.
    #[error("its type is {declared}, and {} is none of them", path.display())]
    NoVariant {
        /// The declared type in words.
        declared: String,
        /// Where it lies.
        path: PathBuf,
    },
    /// In a list's directory lies something that is no element.
    #[error("a list's elements are called 0, 1, …, and {} holds {}; remove or rename it", path.display(), Shown(name))]
    Stray {
        /// The list's directory.
        path: PathBuf,
        /// What lies there.
        name: String,
    },
    /// An element of a list is missing.
    #[error("the directory {} holds {count} elements of a list, and {index} is not among them; they are called 0, 1, … without a gap", path.display())]
    Gap {
        /// The list's directory.
        path: PathBuf,
        /// The first index that is missing.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A file that should hold a reference and does not.
    #[error(
        "{}: {rule}; with --upload-mode DO_NOT_UPLOAD the program puts the data into a store itself, and this file holds its reference, one line such as s3://bucket/key", path.display()
    )]
    Reference {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong with it.
        rule: String,
    },
    /// More values than the platform would read.
    #[error(
        "the outputs hold more than {values} values, or more than {bytes} bytes of them; declare a file or a directory instead"
    )]
    TooMany {
        /// The largest number of values.
        values: usize,
        /// The largest number of bytes that they may have together.
        bytes: u64,
    },
    /// What was listed a moment ago is gone.
    #[error("{} vanished while it was looked at; write outputs before the program ends", path.display())]
    Vanished {
        /// Where it lay.
        path: PathBuf,
    },
    /// A file name that no reference can hold.
    #[error("the name of {} is not UTF-8; rename the file", path.display())]
    FileName {
        /// Where it lies.
        path: PathBuf,
    },
}

/// What helps against an error of the operating system; begins with `; ` if there is anything.
#[must_use]
pub fn advice(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::PermissionDenied => {
            "; make it readable for all (mode 644, directories 755), or let the pod's fsGroup be a group that may read it"
        }
        _ => "",
    }
}

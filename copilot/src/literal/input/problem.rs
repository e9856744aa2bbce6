//! Why inputs cannot be laid out: every rule that a name or value may break, with the way out.

use thiserror::Error;

use crate::literal::name::{NameError, Shown};
use crate::literal::problems::Problems;

/// How deep literals may nest. One message cannot reach it; offloaded ones in each other could.
pub(super) const DEPTH: usize = 100;

/// The longest path that Linux takes, in bytes.
pub(super) const LONGEST_PATH: usize = 4095;
/// What the paths of a plan may take together, in bytes: values beneath long names would else make a
/// plan of any size from a small message.
pub(super) const MOST_PATHS: usize = 128 << 20;

/// Inputs that cannot be laid out: all reasons, each with its variable.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the inputs cannot be laid out as files: {0}")]
pub struct InputError(pub Problems<InputProblem>);

/// One reason.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("input {}: {rule}", Shown(variable))]
pub struct InputProblem {
    /// The variable, with keys and indexes after it.
    pub variable: String,
    /// The rule that it breaks.
    pub rule: InputRule,
}

/// What every input must keep to.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InputRule {
    /// A variable's or key's name is no file name.
    #[error("{0}; rename it in the workflow")]
    Name(#[from] NameError),
    /// The last part of a reference is no file name.
    #[error(
        "the layout NAMED_DIR takes the file's name from {}, and that fails: {error}; use the layout DIRECT",
        Shown(uri)
    )]
    BaseName {
        /// The reference.
        uri: String,
        /// Why its last part is no file name.
        error: NameError,
    },
    /// The name belongs to a metadata file.
    #[error(
        "a metadata file has this name and would overwrite it; rename the variable or choose another --format"
    )]
    MetadataName,
    /// The name belongs to a marker file.
    #[error(
        "with --download-mode DOWNLOAD_STREAM a file of this name says how far the inputs have come; rename the variable or choose another --download-mode"
    )]
    MarkerName,
    /// The directory's own path cannot stand in a message.
    #[error(
        "the input directory's path is not UTF-8, so the metadata cannot hold it; choose another --to-local-dir"
    )]
    Directory,
    /// A reference without a target.
    #[error("its reference is empty, so there is nothing to fetch")]
    NoUri,
    /// Neither one object nor many.
    #[error("its blob has the unknown dimensionality {0}; known are 0 (SINGLE) and 1 (MULTIPART)")]
    Dimensionality(i32),
    /// A literal of a kind that this program does not know.
    #[error("it holds no value of a known kind; it may come from a newer platform")]
    NoValue,
    /// An offloaded literal that nobody fetched.
    #[error("it still lies in the store, at {}", Shown(.0))]
    Offloaded(String),
    /// A path that no system call takes.
    #[error(
        "its path has {0} bytes, and a path at most {LONGEST_PATH}; nest less deep, or use shorter names"
    )]
    PathTooLong(usize),
    /// Paths that take more memory than there is.
    #[error(
        "from here on the paths of directories and files take more than {MOST_PATHS} bytes; nest less deep, or use shorter names"
    )]
    TooManyPaths,
    /// More levels than anybody can use.
    #[error("its values nest more than {DEPTH} deep")]
    TooDeep,
}

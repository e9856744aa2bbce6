//! Why inputs cannot be laid out: every rule that a name or value may break, with what to do.

use thiserror::Error;

use crate::literal::name::{NameError, Shown};
use crate::literal::problems::Problems;

/// How deep literals may nest. One message cannot nest this deep; offloaded literals could.
pub(super) const DEPTH: usize = 100;

/// The longest path that Linux takes, in bytes.
pub(super) const LONGEST_PATH: usize = 4095;
/// How many bytes the paths of a plan may have together. Without a limit, values beneath long names make
/// a plan of any size from a small message.
pub(super) const MOST_PATHS: usize = 128 << 20;

/// All reasons why inputs cannot be laid out, each with its variable.
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

/// The rules for inputs.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InputRule {
    /// A variable's or key's name cannot be a file name.
    #[error("{0}; rename it in the workflow")]
    Name(#[from] NameError),
    /// Other elements of a list have every name that an object could get.
    #[error(
        "the layout NAMED_DIR finds no free name for {}: other elements of its list have them all; use --file-input-layout DIRECT",
        Shown(.0)
    )]
    NoFreeName(String),
    /// A metadata file has this name.
    #[error(
        "a metadata file has this name and would overwrite it; rename the variable or choose another --format"
    )]
    MetadataName,
    /// A marker file has this name.
    #[error(
        "with --download-mode DOWNLOAD_STREAM a file of this name shows the progress of the inputs; rename the variable or choose another --download-mode"
    )]
    MarkerName,
    /// The metadata cannot hold the directory's path.
    #[error(
        "the input directory's path is not UTF-8, so the metadata cannot hold it; choose another --to-local-dir"
    )]
    Directory,
    /// A reference without a target.
    #[error("its reference is empty; the task that made it must set the URI")]
    NoUri,
    /// A blob that is neither one object nor many.
    #[error("its blob has the unknown dimensionality {0}; known are 0 (SINGLE) and 1 (MULTIPART)")]
    Dimensionality(i32),
    /// A literal of an unknown kind.
    #[error("it holds no value of a known kind; it may come from a newer platform")]
    NoValue,
    /// An offloaded literal that was not fetched.
    #[error("it is still in the store, at {}", Shown(.0))]
    Offloaded(String),
    /// A path that is too long for the system.
    #[error(
        "its path has {0} bytes, but a path has at most {LONGEST_PATH}; nest less deep, or use shorter names"
    )]
    PathTooLong(usize),
    /// Paths that take too much memory together.
    #[error(
        "with this one, the paths of directories and files have more than {MOST_PATHS} bytes together; nest less deep, or use shorter names"
    )]
    TooManyPaths,
    /// Too many levels.
    #[error("its values nest more than {DEPTH} levels deep")]
    TooDeep,
}

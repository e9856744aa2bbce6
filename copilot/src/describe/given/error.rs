//! Why arguments give no inputs.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::describe::error::DescribeError;
use crate::describe::source::SourceError;
use crate::describe::type_parser::TypeWordsError;
use crate::literal::output::TextError;

/// Why an argument gives no input.
#[derive(Debug, Error)]
pub enum GivenError {
    /// It has no name.
    #[error("{0:?} has no name: write NAME=VALUE, NAME:TYPE=VALUE or NAME:TYPE")]
    NoName(String),
    /// It has neither a type nor a value.
    #[error("{0:?} has neither a type nor a value: write NAME=VALUE, NAME:TYPE=VALUE or NAME:TYPE")]
    NameOnly(String),
    /// The type's words are wrong.
    #[error("{name}: {cause}")]
    Type {
        /// The variable.
        name: String,
        /// The rule.
        #[source]
        cause: TypeWordsError,
    },
    /// The same name twice.
    #[error("{0} is given twice: give it once")]
    Twice(String),
    /// An input without a value.
    #[error("{0} has a type and no value: write {0}:TYPE=VALUE")]
    NoValue(String),
    /// The text is not of the type.
    #[error("{name}: {cause}")]
    Text {
        /// The variable.
        name: String,
        /// The rule.
        #[source]
        cause: TextError,
    },
    /// The value is not of the type, or shows none.
    #[error(transparent)]
    Value(#[from] DescribeError),
    /// A file that the value names cannot be read.
    #[error("{name}: {cause}")]
    Source {
        /// The variable.
        name: String,
        /// Why not.
        #[source]
        cause: SourceError,
    },
    /// A file or directory that is an input cannot be looked at.
    #[error("{name}: {path} cannot be read: {cause}", path = .path.display())]
    Data {
        /// The variable.
        name: String,
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// A directory where a file is declared, or the reverse.
    #[error("{name}: {path} is a {found}, but the type is {declared}", path = .path.display())]
    Kind {
        /// The variable.
        name: String,
        /// The file or directory.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// The type in words.
        declared: String,
    },
    /// A path that cannot stand in a reference.
    #[error("{name}: the path {path} is not UTF-8, so no reference can name it: rename it", path = .path.display())]
    NotUtf8 {
        /// The variable.
        name: String,
        /// The file or directory.
        path: PathBuf,
    },
    /// A file is declared, and the value is not one.
    #[error(
        "{name}: {text:?} names no {declared}: write {name}=@PATH for a local one, or a reference such as \
         s3://bucket/key"
    )]
    NotData {
        /// The variable.
        name: String,
        /// The value.
        text: String,
        /// The type in words.
        declared: String,
    },
    /// The interface does not have the input.
    #[error("the interface has no input {name}: it has {known}")]
    Undeclared {
        /// The variable.
        name: String,
        /// Those that it has.
        known: String,
    },
    /// The interface has inputs that are not given.
    #[error("the interface has inputs that are not given: {0}. Give each with --input NAME=VALUE")]
    Missing(String),
    /// The argument names another type than the interface.
    #[error("{name} is given as {given}, but the interface says {declared}: leave the type out")]
    OtherType {
        /// The variable.
        name: String,
        /// The type of the argument.
        given: String,
        /// The type of the interface.
        declared: String,
    },
}

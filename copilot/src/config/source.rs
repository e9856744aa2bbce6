//! Where the value of a setting was found.

use std::fmt;
use std::path::PathBuf;

/// Where a value was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// The setting's flag.
    Flag,
    /// The environment variable of this name.
    Environment(String),
    /// A file.
    File {
        /// Its path.
        path: PathBuf,
        /// The line of the key, from 1; none if the value came by an alias or a merge key.
        line: Option<usize>,
    },
    /// The default: no flag, variable or file sets it.
    Default,
}

impl fmt::Display for SettingSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => formatter.write_str("its flag"),
            Self::Environment(name) => write!(formatter, "environment variable {name}"),
            Self::File { path, line } => {
                write!(formatter, "file {}", path.display())?;
                match line {
                    Some(line) => write!(formatter, ", line {line}"),
                    None => Ok(()),
                }
            }
            Self::Default => formatter.write_str("default"),
        }
    }
}

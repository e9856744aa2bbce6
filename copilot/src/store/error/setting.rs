//! Why the settings of a store, or what they point to, cannot be used.

use std::io;
use std::sync::Arc;

use crate::store::http::AuthoritiesError;

/// A setting that cannot be used. Its text names the setting and never a secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SettingError {
    /// A value breaks a rule, or a value is missing.
    #[error("{0}")]
    Rule(String),
    /// A setting holds others, and one of them breaks a rule.
    #[error("{setting}: {source}")]
    Within {
        /// The outer setting: a key, a variable, a file.
        setting: String,
        /// What is wrong inside it.
        source: Box<SettingError>,
    },
    /// A file that a setting names cannot be read.
    #[error("{setting}: {source}")]
    File {
        /// The setting and the file's path.
        setting: String,
        /// What the file system says.
        source: Arc<io::Error>,
    },
    /// A file of certificate authorities cannot be used.
    #[error(transparent)]
    Authorities(#[from] AuthoritiesError),
    /// The store library does not accept the settings.
    #[error("{0}")]
    Library(#[source] Arc<object_store::Error>),
}

impl SettingError {
    /// The same error inside an outer setting.
    pub(in crate::store) fn within(self, setting: impl Into<String>) -> Self {
        Self::Within {
            setting: setting.into(),
            source: Box::new(self),
        }
    }

    /// The error of a file that `setting` names.
    pub(in crate::store) fn file(setting: impl Into<String>, source: io::Error) -> Self {
        Self::File {
            setting: setting.into(),
            source: Arc::new(source),
        }
    }
}

impl From<String> for SettingError {
    fn from(rule: String) -> Self {
        Self::Rule(rule)
    }
}

impl From<&str> for SettingError {
    fn from(rule: &str) -> Self {
        Self::Rule(rule.to_owned())
    }
}

impl From<object_store::Error> for SettingError {
    fn from(error: object_store::Error) -> Self {
        Self::Library(Arc::new(error))
    }
}

//! Environment variables, read once.
//!
//! Stores ask this and not the process, so a test (or `doctor`) decides what it holds.

use crate::config::SecretPairs;

/// The variables that credentials may come from.
#[derive(Clone, Debug, Default)]
pub struct Environment(SecretPairs);

impl Environment {
    /// The variables of this process; a value that is not UTF-8 counts as absent.
    #[must_use]
    pub fn from_process() -> Self {
        let text = |value: std::ffi::OsString| value.into_string().ok();
        std::env::vars_os()
            .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
            .collect()
    }

    /// A variable's value; an empty one counts as absent (spec §1.7).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

//! Texts that are secret: no message shows them, and their memory is overwritten when they are dropped.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

use zeroize::{Zeroize as _, Zeroizing};

use super::{HIDDEN, Redacted};

/// A secret text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Deref for Secret {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

/// Texts by name, some of which may be secret: a backend's keys, headers, variables. `Debug` shows those that
/// are known to be harmless.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretPairs(BTreeMap<String, String>);

impl Deref for SecretPairs {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for SecretPairs {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl From<BTreeMap<String, String>> for SecretPairs {
    fn from(pairs: BTreeMap<String, String>) -> Self {
        Self(pairs)
    }
}

impl<const COUNT: usize> From<[(String, String); COUNT]> for SecretPairs {
    fn from(pairs: [(String, String); COUNT]) -> Self {
        Self(pairs.into())
    }
}

impl PartialEq<BTreeMap<String, String>> for SecretPairs {
    fn eq(&self, other: &BTreeMap<String, String>) -> bool {
        self.0 == *other
    }
}

impl FromIterator<(String, String)> for SecretPairs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Drop for SecretPairs {
    fn drop(&mut self) {
        self.0.values_mut().for_each(String::zeroize);
    }
}

impl fmt::Debug for SecretPairs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Redacted(self).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_to_nobody() {
        let secret = Secret::from("hunter2");
        assert_eq!(format!("{secret:?}"), HIDDEN);
        assert_eq!(&*secret, "hunter2");
        let pairs: SecretPairs = [("secret_key", "hunter2"), ("region", "eu-1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let shown = format!("{pairs:?}");
        assert!(
            shown.contains("eu-1") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}

//! Hides secrets. A backend's keys are an open set, so a list names the keys that may be shown, and every
//! other value counts as a secret.

use std::collections::BTreeMap;
use std::fmt;

/// Keys of `storage.stow.config` (spec §6.4) whose values may appear in logs and messages.
const PUBLIC: &[&str] = &[
    "account",
    "addressing",
    "api_version",
    "auth_type",
    "authorization_endpoint",
    "base_url",
    "disable_ssl",
    "domain_suffix",
    "endpoint",
    "path",
    "project_id",
    "region",
    "scopes",
    "secret_key_path",
    "sign_payload",
    "tenant_auth_url",
    "tenant_name",
    "upload_checksum",
    "upload_concurrency",
    "use_https",
    "v2_signing",
];

/// Whether a value must be hidden: its key is not known to be harmless, or it is a URL with a user part.
fn is_secret(key: &str, value: &str) -> bool {
    !PUBLIC.contains(&key) || value.contains('@')
}

/// The text that replaces a hidden value.
pub(crate) const HIDDEN: &str = "(hidden)";

/// Shows a map of a backend's keys without its secrets.
pub(crate) struct Redacted<'a>(pub &'a BTreeMap<String, String>);

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(key, value)| {
            let hidden = is_secret(key, value);
            (key, if hidden { HIDDEN } else { value.as_str() })
        });
        formatter.debug_map().entries(shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_values_are_shown() {
        let pairs = BTreeMap::from(
            [
                ("region", "eu-1"),
                ("secret_key", "hunter2"),
                ("new_thing", "hunter2"),
                ("endpoint", "http://me:hunter2@store:9000"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        let shown = format!("{:?}", Redacted(&pairs));
        assert!(shown.contains("eu-1"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

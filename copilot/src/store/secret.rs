//! Secrets from variables and files: the same rule as for secrets in settings (`config::secret`), with a warning
//! that names the variable or file, once. Never here: which variable or file applies. Callers: the kinds of
//! stores.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::config::secret::{SecretForm, known};
use crate::store::error::SettingError;

/// Sources that a warning has named. Files are read again while we run.
static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A secret without the white space around it; `source` is its variable or file.
///
/// # Errors
/// It holds a character that it cannot have. The error does not show the secret.
pub(in crate::store) fn clean<'a>(
    source: &str,
    form: SecretForm,
    secret: &'a str,
) -> Result<&'a str, SettingError> {
    let clean = form
        .clean(secret)
        .map_err(|rule| SettingError::from(format!("{source}: {rule}")))?;
    if clean.is_trimmed {
        let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(source.to_owned()) {
            tracing::warn!(
                source,
                "the secret has white space around it, which is left out"
            );
        }
    }
    // A key's id helps to tell which key a store refuses.
    if !(source.ends_with("_ID") || source == "AWS_ACCESS_KEY") {
        known::remember(clean.text);
    }
    Ok(clean.text)
}

/// The secret that a file holds; `setting` names the file.
///
/// # Errors
/// The file cannot be read, or holds more than a secret.
pub(in crate::store) fn from_file(
    setting: &str,
    form: SecretForm,
    path: &str,
) -> Result<String, SettingError> {
    let source = format!("{setting}={path}");
    match std::fs::read_to_string(path) {
        Ok(secret) => clean(&source, form, &secret).map(str::to_owned),
        Err(error) => Err(SettingError::file(source, error)),
    }
}

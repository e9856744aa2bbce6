//! Names of settings in the environment (spec §1.7): the key in upper case with its dots kept,
//! as in the reference (`STORAGE.STOW.KIND`). Shells cannot set such a name, so `_` may stand for a
//! dot as well, and for a `-`. A variable that looks like a setting but does not name one leads to a warning: the
//! person who set it believes that it is read.

use std::ffi::OsString;

use super::error::{ConfigError, Warning};
use super::key::{KEYS, Key};
use super::layer::SettingValue;
use super::source::SettingSource;
use super::syntax::SyntaxError;

/// The names under which the environment may set `key`. The first name that is set wins.
pub(super) fn names(key: &Key) -> Vec<String> {
    let dotted = key.name.to_ascii_uppercase();
    let mut names = vec![
        dotted.clone(),
        dotted.replace('-', "_"),
        dotted.replace('.', "_"),
        dotted.replace(['.', '-'], "_"),
    ];
    names.dedup();
    names
}

/// The value of `key` in the environment. An empty variable counts as not set.
pub(super) fn read(
    environment: &dyn Fn(&str) -> Option<OsString>,
    key: &Key,
) -> Result<Option<(SettingValue, SettingSource)>, ConfigError> {
    // A setting without a flag cannot be written as one text.
    if !key.flag {
        return Ok(None);
    }
    for name in names(key) {
        let Some(text) = environment(&name).filter(|text| !text.is_empty()) else {
            continue;
        };
        let origin = SettingSource::Environment(name);
        let value = text
            .into_string()
            .map_err(|_| SyntaxError::new("the text is not UTF-8"))
            .and_then(|text| SettingValue::read_relaxed(key.kind, &text))
            .map_err(|rule| ConfigError::Value {
                key: key.name.to_owned(),
                origin: origin.clone(),
                rule,
            })?;
        return Ok(Some((value, origin)));
    }
    Ok(None)
}

/// The name of a setting's variable that every shell can set.
#[must_use]
pub fn variable(key: &Key) -> String {
    key.name.to_ascii_uppercase().replace(['.', '-'], "_")
}

/// How like a name must be to a setting's name to be taken for a misspelt one.
const NEAR: f64 = 0.96;

/// A warning for each of these variables that looks like a setting of `storage`, `logger` or `copilot` but does not
/// name one. Variables that Kubernetes makes for a service of such a name do not count, nor do those of other programs.
#[must_use]
pub fn unknown_variables(names: impl Iterator<Item = String>) -> Vec<Warning> {
    names
        .filter(|name| {
            let sections = ["STORAGE", "LOGGER", "COPILOT_", "COPILOT."];
            sections.iter().any(|section| name.starts_with(section))
        })
        .filter_map(|name| advice(&name).map(|advice| Warning::UnknownVariable { name, advice }))
        .collect()
}

/// What to do instead of setting this variable; none if it is read, or does not look like a setting.
fn advice(name: &str) -> Option<String> {
    let plain = |name: &str| name.to_ascii_uppercase().replace(['.', '-'], "_");
    let this = plain(name);
    if let Some(key) = KEYS.iter().find(|key| plain(key.name) == this) {
        return (!key.flag).then(|| format!("only a file of --config sets {}", key.name));
    }
    let is_of_a_service = ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"]
        .iter()
        .any(|part| this.contains(part));
    if is_of_a_service && !name.contains('.') {
        return None;
    }
    if let Some(own) = this.strip_prefix("COPILOT_") {
        // Our tests set these.
        return (!own.starts_with("TEST_")).then(|| instead_of_own(own));
    }
    if let Some(entry) = this.strip_prefix("STORAGE_STOW_CONFIG_") {
        let entry = entry.to_ascii_lowercase();
        return Some(format!(
            "a key of a store cannot be set alone; write STORAGE_STOW_CONFIG={entry}=VALUE, with further keys \
             behind commas"
        ));
    }
    let settings = || {
        let sections = ["storage.", "logger."];
        let is_in = move |key: &&Key| sections.iter().any(|section| key.name.starts_with(section));
        KEYS.iter().filter(|key| key.flag).filter(is_in)
    };
    let likeness = |key: &&Key| strsim::jaro_winkler(&this, &plain(key.name));
    let nearest = settings().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    // `STORAGE_LIMITS_`: nobody else has names that begin so.
    let is_beneath = |key: &Key| {
        let section = key.name.rsplit_once('.').map_or("", |(section, _)| section);
        section.contains('.') && this.starts_with(&format!("{}_", plain(section)))
    };
    let is_dotted = name.starts_with("STORAGE.") || name.starts_with("LOGGER.");
    if is_dotted || settings().any(is_beneath) || likeness(&nearest) >= NEAR {
        return Some(format!("did you mean {}?", plain(nearest.name)));
    }
    None
}

/// What to do instead of setting `COPILOT_` with this name behind it: the prefix is ours, so it was meant for us.
fn instead_of_own(name: &str) -> String {
    let path = format!("copilot.{}", name.to_ascii_lowercase().replace('_', "-"));
    match Key::nearest(&path).as_deref().and_then(Key::find) {
        Some(key) => format!("did you mean {}?", variable(key)),
        None => "no setting has this name; only flags set what belongs to one run".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_look_like_settings_do_not_vanish() {
        for (name, words) in [
            ("STORAGE_STOW_CONFIG_PATH", "STORAGE_STOW_CONFIG=path=VALUE"),
            ("STORAGE_STOW_KINDS", "STORAGE_STOW_KIND?"),
            ("STORAGE_CONTAINERS", "STORAGE_CONTAINER?"),
            ("STORAGE.BUCKET", "did you mean STORAGE_"),
            ("STORAGE_LIMITS_MAX", "STORAGE_LIMITS_MAXDOWNLOADMBS?"),
            ("LOGGER_LEVELS", "LOGGER_LEVEL?"),
            ("STORAGE_SCHEMES", "only a file"),
            ("COPILOT_WATCHERS", "did you mean COPILOT_WATCHER?"),
            ("COPILOT.MAX_MEMROY", "did you mean COPILOT_MAX_MEMORY?"),
            ("COPILOT_FROM_REMOTE", "no setting has this name"),
        ] {
            let warnings = unknown_variables(std::iter::once(name.to_owned()));
            let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
            assert!(
                said.len() == 1 && said[0].contains(words),
                "{name}: {said:?}"
            );
            assert!(said[0].contains(name), "{said:?}");
        }
        for name in [
            "STORAGE_CONTAINER",
            "STORAGE.STOW.KIND",
            "STORAGE_ENABLE_MULTICONTAINER",
            "STORAGE_EMULATOR_HOST",
            "STORAGE_SERVICE_HOST",
            "STORAGE_PORT_80_TCP_ADDR",
            "STORAGE_STOW_SERVICE_PORT",
            "LOGGER_NAME",
            "OTEL_SERVICE_NAME",
            "PATH",
            "COPILOT_WATCHER",
            "COPILOT.POLL-FAST",
            "COPILOT_PORT",
            "COPILOT_SERVICE_HOST",
            "COPILOT_WEB_PORT_80_TCP_ADDR",
            "COPILOT_TEST_PODS",
            "COPILOTS",
        ] {
            let warnings = unknown_variables(std::iter::once(name.to_owned()));
            assert_eq!(warnings, [], "{name}");
        }
    }

    #[test]
    fn dots_and_dashes_have_two_spellings_each() {
        assert_eq!(
            names(Key::find("storage.enable-multicontainer").unwrap()),
            [
                "STORAGE.ENABLE-MULTICONTAINER",
                "STORAGE.ENABLE_MULTICONTAINER",
                "STORAGE_ENABLE-MULTICONTAINER",
                "STORAGE_ENABLE_MULTICONTAINER",
            ]
        );
        assert_eq!(
            names(Key::find("logger.level").unwrap()),
            ["LOGGER.LEVEL", "LOGGER_LEVEL"]
        );
    }
}

//! Names of settings in the environment (spec §1.7): the key in upper case with its dots kept,
//! as in the reference (`STORAGE.STOW.KIND`). Shells cannot set such a name, so `_` may stand for a
//! dot as well, and for a `-`. A variable that looks like a setting but does not name one leads to a warning: the
//! person who set it believes that it is read.

use super::error::Warning;
use super::key::{KEYS, Key};

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

/// The name of a setting's variable that every shell can set.
#[must_use]
pub fn variable(key: &Key) -> String {
    key.name.to_ascii_uppercase().replace(['.', '-'], "_")
}

/// How like a name must be to a setting's name to be taken for a misspelt one.
const NEAR: f64 = 0.96;

/// A warning for each of these variables that looks like a setting of `storage` or `logger` but does not name one. Variables
/// that Kubernetes makes for a service called `storage` or `logger` do not count, nor do those of other programs.
#[must_use]
pub fn unknown_variables(names: impl Iterator<Item = String>) -> Vec<Warning> {
    names
        .filter(|name| name.starts_with("STORAGE") || name.starts_with("LOGGER"))
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
    if let Some(entry) = this.strip_prefix("STORAGE_STOW_CONFIG_") {
        let entry = entry.to_ascii_lowercase();
        return Some(format!(
            "a key of a store cannot be set alone; write STORAGE_STOW_CONFIG={entry}=VALUE, with further keys \
             behind commas"
        ));
    }
    let ours = || {
        KEYS.iter()
            .filter(|key| key.flag && !key.name.starts_with("otel."))
    };
    let likeness = |key: &&Key| strsim::jaro_winkler(&this, &plain(key.name));
    let nearest = ours().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    // `STORAGE_LIMITS_`: nobody else has names that begin so.
    let is_beneath = |key: &Key| {
        let section = key.name.rsplit_once('.').map_or("", |(section, _)| section);
        section.contains('.') && this.starts_with(&format!("{}_", plain(section)))
    };
    let is_dotted = name.starts_with("STORAGE.") || name.starts_with("LOGGER.");
    if is_dotted || ours().any(is_beneath) || likeness(&nearest) >= NEAR {
        return Some(format!("did you mean {}?", plain(nearest.name)));
    }
    None
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

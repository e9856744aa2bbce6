//! The settings, for people.

use crate::config::Settings;
use crate::doctor::facts::SettingFacts;

/// Those that say where the data is. Secrets are hidden.
#[must_use]
pub fn settings(settings: &Settings) -> SettingFacts {
    let is_storage = |name: &str| name.starts_with("storage.");
    SettingFacts {
        files: settings.files.clone(),
        warnings: settings.warnings.iter().map(ToString::to_string).collect(),
        storage: settings
            .shown()
            .filter(|setting| is_storage(&setting.name))
            .collect(),
    }
}

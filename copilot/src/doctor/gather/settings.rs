//! The settings, for people.

use crate::config::Settings;
use crate::doctor::facts::SettingFacts;

/// Those that say where the data is, and our own. Secrets are hidden.
#[must_use]
pub fn settings(settings: &Settings) -> SettingFacts {
    let is_told = |name: &str| name.starts_with("storage.") || name.starts_with("copilot.");
    SettingFacts {
        files: settings.files.clone(),
        warnings: settings.warnings.iter().map(ToString::to_string).collect(),
        values: settings
            .shown()
            .filter(|setting| is_told(&setting.name))
            .collect(),
    }
}

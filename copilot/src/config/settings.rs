//! What loading takes, and the settings that it gives.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::error::Warning;
use super::layer::FlagLayer;
use super::logger::LoggerSettings;
use super::source::SettingSource;
use super::storage::StorageSettings;

/// Where settings come from, the strongest source first.
pub struct SettingSources<'a> {
    /// The settings given as flags.
    pub flags: &'a FlagLayer,
    /// Reads an environment variable; `std::env::var_os` in the binary.
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// `--config`: a path, or a pattern as Go's `filepath.Glob` reads it.
    pub pattern: Option<&'a str>,
    /// The files to read if the pattern is empty or matches nothing. Files that do not exist are
    /// skipped. See [`default_files`](super::default_files).
    pub default_files: &'a [PathBuf],
}

/// The map whose entries have no sources of their own.
const SCHEMES: &str = "storage.schemes";

/// All settings, with the source of each.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `storage` section.
    pub storage: StorageSettings,
    /// The `logger` section.
    pub logger: LoggerSettings,
    /// Warnings about the sources, for the log.
    pub warnings: Vec<Warning>,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
    pub(super) sources: BTreeMap<String, SettingSource>,
    pub(super) shown: BTreeMap<String, String>,
}

/// A setting, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownSetting {
    /// Its dotted name, with the entry of a map.
    pub name: String,
    /// Its value; secrets are hidden.
    pub value: String,
    /// Where the value was found.
    pub source: SettingSource,
}

impl Settings {
    /// The source of a setting's value. `name` is a dotted key as in [`KEYS`](super::KEYS), or such a
    /// key with an entry of its map (`storage.stow.config.region`). None for a setting that does not
    /// exist, or that has neither a value nor a default.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&SettingSource> {
        self.sources.get(name)
    }

    /// Each setting that has a value and an effect, by name. Secrets are hidden.
    pub fn shown(&self) -> impl Iterator<Item = ShownSetting> {
        self.shown.iter().filter_map(|(name, value)| {
            // The entries of some maps have the source of the whole.
            let whole = || name.starts_with(SCHEMES).then(|| self.sources.get(SCHEMES));
            let source = self.sources.get(name).or_else(|| whole().flatten())?;
            Some(ShownSetting {
                name: name.clone(),
                value: value.clone(),
                source: source.clone(),
            })
        })
    }

    /// Each setting that has a value, with its source, by name.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &SettingSource)> {
        self.sources
            .iter()
            .map(|(name, source)| (name.as_str(), source))
    }
}

//! Loading: finds the files, reads them, and asks each source in turn (spec §1.7). Settings are
//! read once, at the start; a file that changes later changes nothing in a run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::{ConfigError, Warning};
use super::extract::FileLayer;
use super::layer::FlagLayer;
use super::logger::LoggerSettings;
use super::resolve::Resolution;
use super::storage::StorageSettings;
use super::{file, glob};

/// Where settings come from, the strongest first.
pub struct Sources<'a> {
    /// The settings given as flags.
    pub flags: &'a FlagLayer,
    /// The value of an environment variable, `std::env::var_os` in the binary.
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// `--config`: a path or a pattern as Go's `filepath.Glob` reads it.
    pub pattern: Option<&'a str>,
    /// The files to read where the pattern is empty or matches nothing; those that do not exist
    /// are passed over. See [`default_files`].
    pub default_files: &'a [PathBuf],
}

/// Where a value was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The flag of that name.
    Flag,
    /// The environment variable of this name.
    Environment(String),
    /// This file.
    File(PathBuf),
    /// Nobody gave one.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => formatter.write_str("its flag"),
            Self::Environment(name) => write!(formatter, "environment variable {name}"),
            Self::File(path) => write!(formatter, "file {}", path.display()),
            Self::Default => formatter.write_str("default"),
        }
    }
}

/// All settings, with the source of each.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `storage` section.
    pub storage: StorageSettings,
    /// The `logger` section.
    pub logger: LoggerSettings,
    /// What a person should know about the sources; for the log.
    pub warnings: Vec<Warning>,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
    pub(super) sources: BTreeMap<String, Source>,
}

impl Settings {
    /// Where the value of a setting comes from. `name` is a dotted key as in [`super::KEYS`], or
    /// one of those with an entry of its map (`storage.stow.config.region`). None for a setting
    /// that does not exist or has neither value nor default.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.get(name)
    }

    /// Each setting that has a value, with where it comes from, by name.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.sources
            .iter()
            .map(|(name, source)| (name.as_str(), source))
    }
}

/// The reference's default places: `config.yaml` in the working directory, the one below
/// `/etc/flyte/config`, and one in the Go workspace.
#[must_use]
pub fn default_files(environment: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let mut files = vec![
        PathBuf::from("config.yaml"),
        PathBuf::from("/etc/flyte/config/config.yaml"),
    ];
    if let Some(workspace) = environment("GOPATH").filter(|value| !value.is_empty()) {
        let below = "src/github.com/lyft/flytestdlib/config.yaml";
        files.push(Path::new(&workspace).join(below));
    }
    files
}

/// Reads all sources and puts them together.
pub fn load(sources: &Sources<'_>) -> Result<Settings, ConfigError> {
    let pattern = sources.pattern.unwrap_or_default();
    let mut layer = FileLayer::default();
    let mut files = read_all(glob::expand(pattern)?, &mut layer)?;
    if files.is_empty() {
        if !pattern.is_empty() {
            layer.warnings.push(Warning::NothingMatched {
                pattern: pattern.to_owned(),
            });
        }
        let existing = sources.default_files.iter().filter(|path| path.is_file());
        files = read_all(existing.cloned().collect(), &mut layer)?;
    }
    Resolution::new(sources, layer)?.settings(files)
}

/// Reads the files among `paths` into `layer`, in order, and returns those.
fn read_all(paths: Vec<PathBuf>, layer: &mut FileLayer) -> Result<Vec<PathBuf>, ConfigError> {
    let mut files = Vec::new();
    for path in paths {
        if let Some(tree) = file::read(&path)? {
            layer.add(&path, &tree)?;
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests;

//! Loading: finds the files, reads them, and asks each source in turn (spec §1.7). Settings are read
//! once, at the start; a later change of a file has no effect on the run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::environment;
use super::error::{ConfigError, Warning};
use super::extract::FileLayer;
use super::key::Key;
use super::own::{OwnSetting, OwnSettings};
use super::resolve::Resolution;
use super::settings::{SettingSources, Settings};
use super::{file, glob};

/// The reference's default files: `config.yaml` in the working directory, in `/etc/flyte/config`, and in
/// the Go workspace.
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

/// Reads all sources and merges them.
pub fn load(sources: &SettingSources<'_>) -> Result<Settings, ConfigError> {
    let (layer, files) = read_files(sources)?;
    Resolution::new(sources, layer)?.settings(files)
}

/// Reads our own settings from environment and files, for a command line that does not give them.
pub fn load_own(sources: &SettingSources<'_>) -> Result<OwnSettings, ConfigError> {
    let (mut layer, _) = read_files(sources)?;
    let mut settings = OwnSettings::default();
    for key in Key::all_own() {
        let in_file = || {
            Some((
                layer.values.remove(key.name)?,
                layer.origins.remove(key.name)?,
            ))
        };
        let found = environment::read(sources.environment, key)?.or_else(in_file);
        if let Some((value, source)) = found {
            settings.0.push(OwnSetting { key, value, source });
        }
    }
    Ok(settings)
}

/// Reads the files that `--config` names, else the default ones.
fn read_files(sources: &SettingSources<'_>) -> Result<(FileLayer, Vec<PathBuf>), ConfigError> {
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
    Ok((layer, files))
}

/// Reads the files among `paths` into `layer`, in order, and returns their paths.
fn read_all(paths: Vec<PathBuf>, layer: &mut FileLayer) -> Result<Vec<PathBuf>, ConfigError> {
    let mut files = Vec::new();
    for path in paths {
        if let Some(file) = file::read(&path)? {
            layer.add(&file)?;
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests;

//! Loading: finds the files, reads them, and asks each source in turn (spec §1.7). Settings are read
//! once, at the start; a later change of a file has no effect on the run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::{ConfigError, Warning};
use super::extract::FileLayer;
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

/// Reads the files among `paths` into `layer`, in order, and returns their paths.
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

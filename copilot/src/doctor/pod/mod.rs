//! `copilot doctor --pod`: judges the manifest of a pod, without a cluster.
//!
//! [`manifest`] reads what matters of it, `parts` tells the containers apart, `judge` and its neighbours judge. What
//! an argument means is the command line's business ([`ArgumentReader`]), and who is main that of the tracker's own
//! rules. Never here: this machine, a cluster. Called by `command`.

mod fields;
mod judge;
mod main_container;
pub mod manifest;
mod mounts;
mod parts;
mod quantity;
mod rights;
mod sidecar;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use thiserror::Error;

use self::manifest::{Manifest, ManifestError};
use super::{ArgumentReader, Finding};

/// The API server takes no larger object.
const LARGEST: u64 = 3 << 20;

/// Why a manifest cannot be judged.
#[derive(Debug, Error)]
pub enum PodError {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// The API server takes no larger object.
    #[error("it is larger than 3 MiB, and no manifest is")]
    TooLarge,
    /// It is not the manifest of a pod.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// Judges the manifest in a file: YAML or JSON, of a pod or of something with a pod template.
///
/// # Errors
/// The file cannot be read, or is not such a manifest.
pub fn examine(path: &Path, read: ArgumentReader) -> Result<Vec<Finding>, PodError> {
    let mut text = String::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(PodError::TooLarge);
    }
    Ok(judge::judge(&Manifest::parse(&text)?, read))
}

#[cfg(test)]
mod tests;

//! A path in a directory that others may change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::guarded::GuardedDirectory;

/// Where a file or directory goes: a held directory, and a path beneath it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The directory.
    pub directory: Arc<GuardedDirectory>,
    /// The path beneath it; empty for the directory itself.
    pub path: PathBuf,
}

impl Place {
    /// A path beneath a directory.
    pub fn new(directory: &Arc<GuardedDirectory>, path: impl Into<PathBuf>) -> Self {
        Self {
            directory: Arc::clone(directory),
            path: path.into(),
        }
    }

    /// A path beneath this one.
    #[must_use]
    pub fn join(&self, path: impl AsRef<Path>) -> Self {
        Self::new(&self.directory, self.path.join(path))
    }

    /// The full path, for messages.
    #[must_use]
    pub fn shown(&self) -> PathBuf {
        if self.path.as_os_str().is_empty() {
            return self.directory.path().to_owned();
        }
        self.directory.path().join(&self.path)
    }

    /// Makes the directory and those above it, and holds it.
    ///
    /// # Errors
    /// The kernel's, or that a link is on the way.
    pub fn make_directory(&self) -> io::Result<Arc<GuardedDirectory>> {
        if self.path.as_os_str().is_empty() {
            return Ok(Arc::clone(&self.directory));
        }
        Ok(Arc::new(self.directory.make_directory(&self.path)?))
    }

    /// Removes what is there. Nothing there is not an error.
    ///
    /// # Errors
    /// The kernel's, or that a link is on the way.
    pub fn remove(&self) -> io::Result<()> {
        self.directory.remove(&self.path)
    }
}

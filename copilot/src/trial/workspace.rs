//! The directories of one run: `inputs` and `outputs`, as a pod has them, and `task`, which stands for the store
//! where nothing is uploaded. The run's own ones are removed at its end, unless that would lose something.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf, absolute};

use tracing::warn;

use super::error::TrialError;
use crate::store::is_portable;

/// How often a new name is tried.
const ATTEMPTS: u32 = 16;

/// The directories of a run.
#[derive(Debug)]
pub(super) struct Workspace {
    root: PathBuf,
    /// It is ours: made for this run, and nobody has named it.
    is_temporary: bool,
    keep: bool,
}

impl Workspace {
    /// Makes the directories: in `given`, or in a new directory for temporary files. `is_shared`: programs of other
    /// users write outputs.
    pub(super) fn make(
        given: Option<&Path>,
        keep: bool,
        is_shared: bool,
    ) -> Result<Self, TrialError> {
        let is_temporary = given.is_none();
        let root = match given {
            Some(path) => absolute(path).map_err(|error| cannot(path, "cannot be used", error))?,
            None => temporary(is_shared)?,
        };
        // Dropped on the way out, it removes what it made.
        let workspace = Self {
            root,
            is_temporary,
            keep,
        };
        workspace.check_name()?;
        let made = [workspace.inputs(), workspace.outputs(), workspace.task()];
        for directory in &made {
            empty(directory)?;
        }
        if is_shared {
            let outputs = workspace.outputs();
            fs::set_permissions(&outputs, Permissions::from_mode(0o777))
                .map_err(|error| cannot(&outputs, "cannot be opened to all users", error))?;
        }
        Ok(workspace)
    }

    /// References name the directories, so that their path must be able to stand in one.
    fn check_name(&self) -> Result<(), TrialError> {
        match self.root.to_str() {
            Some(text) if is_portable(text) => Ok(()),
            _ => Err(TrialError::Unnameable(self.root.clone())),
        }
    }

    /// The input directory.
    pub(super) fn inputs(&self) -> PathBuf {
        self.root.join("inputs")
    }

    /// The output directory.
    pub(super) fn outputs(&self) -> PathBuf {
        self.root.join("outputs")
    }

    /// What the store of the platform would hold.
    pub(super) fn task(&self) -> PathBuf {
        self.root.join("task")
    }

    /// Ends the run: `loses` says that the directories hold something that is nowhere else. Returns the directory,
    /// if it stays.
    pub(super) fn end(mut self, loses: bool) -> Option<PathBuf> {
        self.keep |= loses;
        (self.keep || !self.is_temporary).then(|| self.root.clone())
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if self.keep || !self.is_temporary {
            return;
        }
        match fs::remove_dir_all(&self.root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => warn!(
                directory = %self.root.display(),
                %error,
                "the directory of the run cannot be removed"
            ),
            _ => {}
        }
    }
}

/// A new directory for temporary files, which only we may enter unless it is shared.
fn temporary(is_shared: bool) -> Result<PathBuf, TrialError> {
    let mode = if is_shared { 0o755 } else { 0o700 };
    let above = std::env::temp_dir();
    let mut attempt = 0;
    loop {
        let path = above.join(format!("copilot-run-{:08x}", rand::random::<u32>()));
        match DirBuilder::new().mode(mode).create(&path) {
            Ok(()) => return absolute(&path).map_err(|error| cannot(&path, "has no path", error)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS => {
                attempt += 1;
            }
            Err(error) => return Err(cannot(&path, "cannot be made", error)),
        }
    }
}

/// Makes a directory, which must be empty if it exists.
fn empty(path: &Path) -> Result<(), TrialError> {
    fs::create_dir_all(path).map_err(|error| cannot(path, "cannot be made", error))?;
    let mut entries = fs::read_dir(path).map_err(|error| cannot(path, "cannot be read", error))?;
    if entries.next().is_some() {
        return Err(TrialError::NotEmpty(path.to_owned()));
    }
    Ok(())
}

fn cannot(path: &Path, rule: &'static str, cause: io::Error) -> TrialError {
    TrialError::Directory {
        path: path.to_owned(),
        rule,
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_one_goes_unless_something_would_be_lost() {
        let workspace = Workspace::make(None, false, false).unwrap();
        let root = workspace.root.clone();
        assert!(workspace.inputs().is_dir() && workspace.outputs().is_dir());
        let mode = fs::metadata(&root).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(workspace.end(false), None);
        assert!(!root.exists());
        let workspace = Workspace::make(None, false, true).unwrap();
        let kept = workspace.end(true).unwrap();
        assert!(kept.join("outputs").is_dir());
        fs::remove_dir_all(kept).unwrap();
    }

    #[test]
    fn a_named_one_stays_and_must_be_empty() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("work");
        let workspace = Workspace::make(Some(&root), false, false).unwrap();
        assert_eq!(workspace.end(false), Some(root.clone()));
        fs::write(root.join("outputs/y"), "1").unwrap();
        let error = Workspace::make(Some(&root), false, false).unwrap_err();
        assert!(error.to_string().contains("is not empty"), "{error}");
        assert!(root.join("outputs/y").exists());
        let odd = place.path().join("a#b");
        let error = Workspace::make(Some(&odd), false, false).unwrap_err();
        assert!(error.to_string().contains("#, ?, %"), "{error}");
    }
}

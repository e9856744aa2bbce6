//! The planner's view of the output directory.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::Dir;

use super::directory::entry_kind;
use crate::beneath::GuardedDirectory;
use crate::literal::output::{OutputEntry, OutputView};

/// The output directory, as the planner sees it.
#[derive(Debug)]
pub struct OutputDirectory(Arc<GuardedDirectory>);

impl OutputDirectory {
    /// A view of an opened directory.
    #[must_use]
    pub(super) fn new(directory: Arc<GuardedDirectory>) -> Self {
        Self(directory)
    }
}

impl OutputView for OutputDirectory {
    fn root(&self) -> &Path {
        self.0.path()
    }

    fn stat(&self, path: &Path) -> io::Result<Option<OutputEntry>> {
        let found = self.0.stat(path)?;
        Ok(found.map(|stat| OutputEntry {
            kind: entry_kind(&stat),
            size: u64::try_from(stat.st_size).unwrap_or(0),
        }))
    }

    fn names(
        &self,
        directory: &Path,
        see: &mut dyn FnMut(&OsStr) -> ControlFlow<()>,
    ) -> io::Result<()> {
        see_names(&self.0, directory, see)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.0
            .open_file(path)?
            .take(limit)
            .read_to_end(&mut content)?;
        Ok(content)
    }
}

/// Shows the names in a directory, without `.` and `..`, until `see` stops.
fn see_names(
    directory: &GuardedDirectory,
    path: &Path,
    see: &mut dyn FnMut(&OsStr) -> ControlFlow<()>,
) -> io::Result<()> {
    for entry in Dir::read_from(directory.open_directory(path)?)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." && see(OsStr::from_bytes(name)).is_break() {
            break;
        }
    }
    Ok(())
}

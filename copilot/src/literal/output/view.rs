//! The output directory as the planner sees it. The implementation guards it: no path may lead out of
//! the directory, whatever main does to it meanwhile.

use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

/// Read access to the output directory. All paths are relative to it and hold no `..`.
pub trait OutputView {
    /// The directory's name in messages, for example `/var/flyte/outputs`.
    fn root(&self) -> &Path;

    /// What is at `path`, or none. Follows links inside the directory.
    ///
    /// A link that leads out of the directory, in circles or nowhere is an error that says so.
    fn stat(&self, path: &Path) -> io::Result<Option<OutputEntry>>;

    /// Shows the names in a directory to `see`, in any order, without `.` and `..`, until `see` stops:
    /// there may be millions. The empty path is the output directory itself.
    fn names(
        &self,
        directory: &Path,
        see: &mut dyn FnMut(&OsStr) -> ControlFlow<()>,
    ) -> io::Result<()>;

    /// The first `limit` bytes of a regular file, or all of a shorter one. Must not block on anything
    /// else, such as a pipe.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputEntry {
    /// Its kind.
    pub kind: EntryKind,
    /// Its size in bytes, as far as a file has one.
    pub size: u64,
}

/// The kinds of things that a directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Something without content to upload, in words: `named pipe`, `socket`, `device`.
    Special(&'static str),
}

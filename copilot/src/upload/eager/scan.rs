//! Repeated scans of the output directory, and what has changed between two of them.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Dir, FileType, fstat};
use tokio::time::Instant;
use tracing::debug;

use super::limit::NameCount;
use super::stamp::Stamp;
use crate::beneath::{GuardedDirectory, remote_kind};

/// Time between two scans.
const PAUSE: Duration = Duration::from_secs(2);

/// The pause after a scan, as a multiple of the time that the scan took.
const SHARE: u32 = 20;

/// An entry of a directory.
pub enum ScannedEntry {
    /// A directory to scan as well.
    Directory(PathBuf),
    /// A regular file.
    File(PathBuf),
}

/// Paths, as many as go up early. Others are dropped: they wait for main's end.
#[derive(Debug, Default)]
pub struct PathList {
    paths: Vec<PathBuf>,
    count: NameCount,
}

impl PathList {
    /// Adds a path, if there is room for it.
    pub fn push(&mut self, path: PathBuf) {
        if self.count.add(path.as_os_str().len()) {
            self.paths.push(path);
        }
    }

    /// Takes the last path.
    pub fn pop(&mut self) -> Option<PathBuf> {
        let path = self.paths.pop()?;
        self.count.remove(path.as_os_str().len());
        Some(path)
    }

    /// Whether half of the room is taken.
    pub fn is_half_full(&self) -> bool {
        self.count.is_half_full()
    }

    /// The paths.
    pub fn into_paths(self) -> Vec<PathBuf> {
        self.paths
    }
}

/// Repeated scans.
#[derive(Debug, Default)]
pub struct Scan {
    seen: HashMap<PathBuf, Stamp>,
    next: Option<Instant>,
}

impl Scan {
    /// When the next scan is due.
    pub fn next(&self) -> Instant {
        self.next.unwrap_or_else(Instant::now)
    }

    /// Makes the next scan return every file, as the first one does.
    pub fn forget(&mut self) {
        self.seen.clear();
    }

    /// Scans, and returns the files that are new or have changed; `None` if the directory is gone.
    pub fn run(&mut self, directory: &GuardedDirectory, names: &[String]) -> Option<Vec<PathBuf>> {
        let began = Instant::now();
        let root = directory.open_directory(Path::new("")).ok()?;
        if fstat(&root).ok()?.st_nlink == 0 {
            return None;
        }
        let mut before = std::mem::take(&mut self.seen);
        let (mut changed, mut todo) = (PathList::default(), PathList::default());
        todo.push(PathBuf::new());
        let mut count = NameCount::default();
        while let Some(path) = todo.pop() {
            let listed = list(directory, &path, names, |entry| {
                let file = match entry {
                    ScannedEntry::Directory(path) => return todo.push(path),
                    ScannedEntry::File(file) => file,
                };
                let Ok(Some(stat)) = directory.stat(&file) else {
                    return;
                };
                let now = Stamp::from_stat(&stat);
                if before.remove(&file) != Some(now) {
                    changed.push(file.clone());
                }
                if count.add(file.as_os_str().len()) {
                    self.seen.insert(file, now);
                }
            });
            if let Err(error) = listed {
                debug!(%error, path = directory.shown(&path), "not listed");
            }
        }
        let changed = changed.into_paths();
        self.next = Some(Instant::now() + PAUSE.max(began.elapsed() * SHARE));
        Some(changed)
    }
}

/// Lists a directory without following links. In the output directory itself it skips entries that belong
/// to none of the variables `names`.
pub fn list(
    directory: &GuardedDirectory,
    path: &Path,
    names: &[String],
    mut found: impl FnMut(ScannedEntry),
) -> io::Result<()> {
    for entry in Dir::read_from(directory.open_directory(path)?)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let name = OsStr::from_bytes(name);
        if path.as_os_str().is_empty() && !is_of_interest(name, names) {
            continue;
        }
        let path = path.join(name);
        match entry.file_type() {
            FileType::Directory => found(ScannedEntry::Directory(path)),
            FileType::RegularFile => found(ScannedEntry::File(path)),
            FileType::Unknown => match directory.stat(&path)?.map(|stat| stat.st_mode) {
                Some(mode) if FileType::from_raw_mode(mode) == FileType::Directory => {
                    found(ScannedEntry::Directory(path));
                }
                Some(mode) if FileType::from_raw_mode(mode) == FileType::RegularFile => {
                    found(ScannedEntry::File(path));
                }
                _ => {}
            },
            _ => {}
        }
    }
    Ok(())
}

/// Whether a name can belong to a variable, with or without an extension.
pub fn is_of_interest(name: &OsStr, variables: &[String]) -> bool {
    let name = name.as_encoded_bytes();
    variables.iter().any(|variable| {
        let rest = name.strip_prefix(variable.as_bytes());
        rest.is_some_and(|rest| rest.first().is_none_or(|next| *next == b'.'))
    })
}

/// Why the kernel may not notice all changes in the directory, if that is so.
pub fn remote_reason(directory: &GuardedDirectory) -> Option<String> {
    let opened = directory.open_directory(Path::new("")).ok()?;
    let kind = remote_kind(&opened)?;
    Some(format!("it lies on {kind}, which other nodes can change"))
}

//! Objects that are not complete yet, under names that no listing shows.
//!
//! Each is locked by its process. So the next process that writes into a directory tells what a killed one left
//! there from what another one still writes, and removes it.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, open, renameat, statat, unlinkat};
use tracing::{debug, info};

use crate::beneath::{create_locked, remote_kind, remove_unless_locked, sync_if_remote};

/// The beginning of the names of unfinished objects.
const UNFINISHED: &str = ".copilot-unfinished.";

/// How many names are tried: containers that share a volume may have the same pids.
const NAMES: u64 = 1000;

/// How many directories are cleared at most: each takes eight bytes of memory.
const MOST: usize = 10_000;

/// A file server may not tell other nodes of our locks. There only files are removed that nobody has touched for
/// this long.
const ABANDONED: Duration = Duration::from_hours(24);

/// Whether a name is one of unfinished objects.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED)
}

/// A file that becomes an object when it is complete. Dropped before that, it is removed.
#[derive(Debug)]
pub(super) struct UnfinishedFile {
    file: File,
    parent: OwnedFd,
    name: OsString,
    becomes: PathBuf,
}

impl UnfinishedFile {
    /// Begins the file that will be `becomes`, whose directory exists.
    pub(super) fn create(becomes: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let parent = directory(becomes.parent().unwrap_or(Path::new("/")))?;
        let own = std::process::id();
        let names = (0..NAMES).map(|_| {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            OsString::from(format!("{UNFINISHED}{own}.{count}"))
        });
        let (file, name) = create_locked(parent.as_fd(), names)?;
        Ok(Self {
            file,
            parent,
            name,
            becomes: becomes.to_owned(),
        })
    }

    /// The path of the object.
    pub(super) fn becomes(&self) -> &Path {
        &self.becomes
    }

    /// Writes `data` at `offset`.
    pub(super) fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }

    /// Makes the object visible.
    pub(super) fn publish(&self) -> io::Result<()> {
        sync_if_remote(&self.file)?;
        let name = self.becomes.file_name().unwrap_or_default();
        Ok(renameat(&self.parent, &*self.name, &self.parent, name)?)
    }
}

impl Drop for UnfinishedFile {
    fn drop(&mut self) {
        // After a rename this name is free already.
        let _ = unlinkat(&self.parent, &*self.name, AtFlags::empty());
    }
}

/// The directories in which this process has removed what killed ones left.
#[derive(Debug, Default)]
pub(super) struct ClearedDirectories(Mutex<HashSet<u64>>);

impl ClearedDirectories {
    /// Clears a directory, unless that was done before.
    pub(super) fn once(&self, path: &Path) {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        let mut cleared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cleared.len() >= MOST || !cleared.insert(hasher.finish()) {
            return;
        }
        drop(cleared);
        if let Err(error) = clear(path) {
            debug!(path = %path.display(), %error, "cannot look for unfinished objects of killed processes");
        }
    }
}

/// Removes what killed processes did not finish in a directory.
fn clear(path: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let listed = open(path, flags, Mode::empty())?;
    let parent = listed.try_clone()?;
    let is_remote = remote_kind(&parent).is_some();
    for entry in Dir::new(listed)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if !is_unfinished(name) || (is_remote && !is_abandoned(&parent, name)) {
            continue;
        }
        match remove_unless_locked(parent.as_fd(), name.as_ref()) {
            Ok(true) => info!(
                path = %path.join(name).display(),
                "removed: a process that was killed did not finish it"
            ),
            Ok(false) => {}
            Err(error) => {
                debug!(path = %path.join(name).display(), %error, "an unfinished object stays");
            }
        }
    }
    Ok(())
}

fn is_abandoned(parent: &OwnedFd, name: &str) -> bool {
    let touched = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| stat.st_mtime);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let (Ok(touched), Ok(now)) = (touched, now) else {
        return false;
    };
    let age = now
        .as_secs()
        .saturating_sub(u64::try_from(touched).unwrap_or(0));
    age > ABANDONED.as_secs()
}

fn directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(open(path, flags, Mode::empty())?)
}

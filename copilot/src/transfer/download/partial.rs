//! A file or directory that is written beside its target, and renamed to it when it is complete.
//!
//! All downloads reach the disk this way. The directory of the target is held by its descriptor, so that
//! nobody can lead us elsewhere between two steps. The name of the unfinished file follows from the target's
//! name, so that the next run finds and replaces what a killed run left behind. It is locked as long as its
//! process lives.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufWriter, Write as _};
use std::ops::Range;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, renameat, unlinkat};
use tracing::debug;

use crate::beneath::{
    GuardedDirectory, Parent, Place, create_locked, is_at, make_locked, remove_unless_locked,
    sync_if_remote,
};
use crate::transfer::error::CopyError;
use crate::transfer::memory::WriteBack;
use crate::transfer::space::{Claim, SpaceError};

/// The beginning of the names of unfinished files; no target may have such a name.
const PREFIX: &str = ".copilot-partial.";

/// How many processes may write one target at once.
const WRITERS: u64 = 16;

/// An unfinished file; removed when dropped.
#[derive(Debug)]
pub(in crate::transfer) struct PartialFile {
    file: File,
    entry: PartialEntry,
    claim: Option<Claim>,
    /// The end of the last byte that was written: the file's size.
    end: AtomicU64,
    published: bool,
}

/// What is written under one name, and gets another one.
#[derive(Debug)]
struct PartialEntry {
    /// The directory that holds both.
    parent: Parent,
    name: OsString,
    becomes: OsString,
    /// The full path of the target, for messages.
    target: PathBuf,
}

impl PartialEntry {
    /// Gives it the target's name, if `is_ours` holds.
    fn publish(&self, is_ours: bool) -> io::Result<()> {
        if !is_ours {
            return Err(io::Error::other(
                "somebody has removed the unfinished file, or put something else in its place",
            ));
        }
        let parent = &self.parent;
        Ok(renameat(parent, &*self.name, parent, &*self.becomes)?)
    }

    fn is(&self, file: impl std::os::fd::AsFd) -> bool {
        is_at(file, self.parent.as_fd(), &self.name)
    }

    fn failed(&self, source: io::Error) -> CopyError {
        failed(&self.target, source)
    }
}

impl PartialFile {
    /// Begins the file `target`, readable by any user as far as the umask allows, in the room that was
    /// claimed for it. Creates missing parent directories.
    pub(in crate::transfer) fn create(
        target: &Place,
        claim: Option<Claim>,
    ) -> Result<Self, CopyError> {
        let shown = target.shown();
        let begin = || {
            let names = names_beside(&target.path)?;
            let (parent, becomes) = target.directory.parent(&target.path, true)?;
            if let Some(claim) = &claim
                && !claim.has_room_for_both(&shown)
            {
                debug!(file = %shown.display(), "no room for the old file and the new one: the old one goes first");
                // If it stays, the kernel says so when the new one is written.
                let _ = unlinkat(&parent, &*becomes, AtFlags::empty());
            }
            let (file, name) = create_locked(parent.as_fd(), names)?;
            Ok((file, parent, name, becomes))
        };
        let (file, parent, name, becomes) = begin().map_err(|source| failed(&shown, source))?;
        if let Some(claim) = &claim {
            claim.created();
        }
        Ok(Self {
            file,
            entry: PartialEntry {
                parent,
                name,
                becomes,
                target: shown,
            },
            claim,
            end: AtomicU64::new(0),
            published: false,
        })
    }

    /// Writes `data` at `offset`.
    pub(in crate::transfer) fn write_at(&self, data: &[u8], offset: u64) -> Result<(), CopyError> {
        let written = self.file.write_all_at(data, offset);
        written.map_err(|source| self.entry.failed(source))?;
        let end = offset + data.len() as u64;
        self.end.fetch_max(end, Ordering::Relaxed);
        match &self.claim {
            Some(claim) => Ok(claim.landed(&self.entry.target, end, data.len() as u64)?),
            None => Ok(()),
        }
    }

    /// Notes that `part` was written, and returns where the next part begins.
    pub(in crate::transfer) fn written(&self, write_back: &WriteBack, part: Range<u64>) -> u64 {
        match &self.claim {
            Some(claim) if !claim.is_in_memory() => write_back.written(&self.file, part),
            _ => part.end,
        }
    }

    /// Renames the file of `size` bytes to its target, and replaces an earlier file.
    pub(in crate::transfer) fn publish(mut self, size: u64) -> Result<(), CopyError> {
        let publish = || -> io::Result<()> {
            // A web server may have sent a shorter version after a long one broke.
            if self.end.load(Ordering::Relaxed) != size {
                self.file.set_len(size)?;
            }
            sync_if_remote(&self.file)?;
            self.entry.publish(self.entry.is(&self.file))
        };
        publish().map_err(|source| self.entry.failed(source))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.published {
            let _ = unlinkat(&self.entry.parent, &*self.entry.name, AtFlags::empty());
        }
    }
}

/// An unfinished directory; dropping it removes it and all that it holds.
#[derive(Debug)]
pub struct PartialDirectory {
    entry: PartialEntry,
    directory: Arc<GuardedDirectory>,
    /// The open directory, which carries the lock.
    lock: OwnedFd,
}

impl PartialDirectory {
    /// Begins the directory `target`, and removes what an earlier run left of it.
    ///
    /// # Errors
    /// That it cannot be created.
    pub fn create(target: &Place) -> Result<Self, CopyError> {
        let begin = || {
            let names = names_beside(&target.path)?;
            let (parent, becomes) = target.directory.parent(&target.path, true)?;
            let (lock, name) = make_locked(parent.as_fd(), names)?;
            let directory = Arc::new(GuardedDirectory::behind(&lock, target.shown())?);
            Ok((parent, name, becomes, directory, lock))
        };
        let shown = target.shown();
        let (parent, name, becomes, directory, lock) =
            begin().map_err(|source| failed(&shown, source))?;
        Ok(Self {
            entry: PartialEntry {
                parent,
                name,
                becomes,
                target: shown,
            },
            directory,
            lock,
        })
    }

    /// The unfinished directory.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::new(&self.directory, "")
    }

    /// Renames it to its target, which must not exist yet.
    ///
    /// # Errors
    /// That it cannot be renamed.
    pub fn publish(self) -> Result<(), CopyError> {
        let published = self.entry.publish(self.entry.is(&self.lock));
        published.map_err(|source| self.entry.failed(source))
    }
}

impl Drop for PartialDirectory {
    fn drop(&mut self) {
        // After a rename nothing has that name. Our own lock does not keep us from it.
        let _ = crate::beneath::remove(self.entry.parent.as_fd(), &self.entry.name);
    }
}

/// Removes a file, or a directory and all that it holds. A missing one is not an error.
///
/// # Errors
/// That it cannot be removed.
pub fn remove(place: &Place) -> Result<(), CopyError> {
    place
        .remove()
        .map_err(|source| failed(&place.shown(), source))
}

/// Removes what an earlier run did not finish. Returns `false` if a live process still writes it.
///
/// # Errors
/// That it cannot be removed.
pub fn remove_unfinished(place: &Place) -> Result<bool, CopyError> {
    let removed = place
        .directory
        .parent(&place.path, false)
        .and_then(|(parent, name)| remove_unless_locked(parent.as_fd(), &name));
    removed.map_err(|source| failed(&place.shown(), source))
}

/// Writes a small file whole: beside its target, then renamed. `write` gets a buffered writer.
///
/// # Errors
/// That the file cannot be written.
pub fn write_file(
    target: &Place,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), CopyError> {
    let partial = PartialFile::create(target, None)?;
    let written = || -> io::Result<u64> {
        let mut out = BufWriter::new(&partial.file);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        Ok(partial.file.metadata()?.len())
    };
    let size = written().map_err(|source| partial.entry.failed(source))?;
    partial.end.store(size, Ordering::Relaxed);
    partial.publish(size)
}

/// Makes a directory and those above it, open to any user as far as the umask allows.
///
/// # Errors
/// That it cannot be made.
pub fn make_directory(place: &Place) -> Result<Arc<GuardedDirectory>, CopyError> {
    let made = place.make_directory();
    made.map_err(|source| failed(&place.shown(), source))
}

/// The error of a file or directory that cannot be written.
pub(in crate::transfer) fn failed(path: &Path, source: io::Error) -> CopyError {
    if SpaceError::is_full(&source) {
        return SpaceError::from_full(path).into();
    }
    CopyError::Write {
        path: path.to_owned(),
        source,
    }
}

/// The names under which `target` may be written until it is complete; each has another one if processes write
/// it at the same time. They have a fixed length, since a suffix would make the longest names too long.
fn names_beside(target: &Path) -> io::Result<impl Iterator<Item = OsString>> {
    let invalid = |message| io::Error::new(io::ErrorKind::InvalidInput, message);
    let name = target
        .file_name()
        .ok_or_else(|| invalid("the path names no file"))?;
    if name.as_bytes().starts_with(PREFIX.as_bytes()) {
        return Err(invalid("its name is reserved for unfinished files"));
    }
    let name = name.to_owned();
    Ok((0..WRITERS).map(move |writer| {
        let mut hasher = DefaultHasher::new();
        name.as_bytes().hash(&mut hasher);
        if writer > 0 {
            writer.hash(&mut hasher);
        }
        format!("{PREFIX}{:016x}", hasher.finish()).into()
    }))
}

/// Whether a name is one of unfinished files and directories.
#[must_use]
pub fn is_partial(name: &OsStr) -> bool {
    let rest = name.as_bytes().strip_prefix(PREFIX.as_bytes());
    rest.is_some_and(|rest| rest.len() == 16 && rest.iter().all(u8::is_ascii_hexdigit))
}

//! A file, or a directory, that is being written beside its place and put there when it is complete.
//!
//! The only way from a transfer to the disk. The unfinished file's name follows from the target's, so
//! that a run after one that was killed finds and replaces what that left behind.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufWriter, Write as _};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::CopyError;
use super::space::{Claim, SpaceError};
use super::write_back::WriteBack;

/// The beginning of the names of unfinished files; no target may have such a name.
const PREFIX: &str = ".copilot-partial.";

/// An unfinished file; removed when dropped.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    target: PathBuf,
    claim: Option<Claim>,
    /// The end of what was written: its size, known without asking.
    end: AtomicU64,
    published: bool,
}

impl Partial {
    /// Begins the file `target`, readable by any user as far as the umask allows, in the room that
    /// was claimed for it. Directories on the way are made.
    pub(super) fn create(target: &Path, claim: Option<Claim>) -> Result<Self, CopyError> {
        let path = beside(target).map_err(|source| failed(target, source))?;
        let file = open(&path).map_err(|source| failed(target, source))?;
        if let Some(claim) = &claim {
            claim.created();
        }
        Ok(Self {
            file,
            path,
            target: target.to_owned(),
            claim,
            end: AtomicU64::new(0),
            published: false,
        })
    }

    /// Writes `data` at `offset`.
    pub(super) fn write_at(&self, data: &[u8], offset: u64) -> Result<(), CopyError> {
        let written = self.file.write_all_at(data, offset);
        written.map_err(|source| failed(&self.target, source))?;
        let end = offset + data.len() as u64;
        self.end.fetch_max(end, Ordering::Relaxed);
        match &self.claim {
            Some(claim) => Ok(claim.landed(&self.target, end, data.len() as u64)?),
            None => Ok(()),
        }
    }

    /// Takes note that all of `part` was written, and gives where the next part begins.
    pub(super) fn written(&self, write_back: &WriteBack, part: Range<u64>) -> u64 {
        match &self.claim {
            Some(claim) if !claim.is_in_memory() => write_back.written(&self.file, part),
            _ => part.end,
        }
    }

    /// Puts the file of `size` bytes in its place, where it replaces an earlier one.
    pub(super) fn publish(mut self, size: u64) -> Result<(), CopyError> {
        let publish = || -> io::Result<()> {
            // A web server may have begun anew with a shorter version.
            if self.end.load(Ordering::Relaxed) != size {
                self.file.set_len(size)?;
            }
            fs::rename(&self.path, &self.target)
        };
        publish().map_err(|source| failed(&self.target, source))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.published {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// An unfinished directory; removed with all that is in it when dropped.
#[derive(Debug)]
pub struct PartialDirectory {
    path: PathBuf,
    target: PathBuf,
}

impl PartialDirectory {
    /// Begins the directory `target`. What an earlier run has left of it is removed.
    ///
    /// # Errors
    /// That it cannot be made, whatever the reason.
    pub fn create(target: &Path) -> Result<Self, CopyError> {
        let path = beside(target).map_err(|source| failed(target, source))?;
        remove(&path)?;
        make_directory(&path)?;
        Ok(Self {
            path,
            target: target.to_owned(),
        })
    }

    /// Where it is for now.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in its place, where nothing may be yet.
    ///
    /// # Errors
    /// That it cannot be put there, whatever the reason.
    pub fn publish(self) -> Result<(), CopyError> {
        let published = fs::rename(&self.path, &self.target);
        published.map_err(|source| failed(&self.target, source))
    }
}

impl Drop for PartialDirectory {
    fn drop(&mut self) {
        // After a rename there is nothing of that name.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes a file, or a directory and all that is in it; that it is missing is as good.
///
/// # Errors
/// That it stays, whatever the reason.
pub fn remove(path: &Path) -> Result<(), CopyError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, error)),
        _ => Ok(()),
    }
}

/// Writes a small file whole: beside its place, then put there. `write` is given a buffered writer.
///
/// # Errors
/// That it cannot be written, whatever the reason.
pub fn write_file(
    target: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), CopyError> {
    let partial = Partial::create(target, None)?;
    let written = || -> io::Result<u64> {
        let mut out = BufWriter::new(&partial.file);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        Ok(partial.file.metadata()?.len())
    };
    let size = written().map_err(|source| failed(target, source))?;
    partial.end.store(size, Ordering::Relaxed);
    partial.publish(size)
}

/// Makes a directory and those above it, open to any user as far as the umask allows.
///
/// # Errors
/// That it cannot be made, whatever the reason.
pub fn make_directory(path: &Path) -> Result<(), CopyError> {
    let made = DirBuilder::new().recursive(true).create(path);
    made.map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> CopyError {
    if SpaceError::is_meant_by(&source) {
        return SpaceError::of_full(path).into();
    }
    CopyError::Write {
        path: path.to_owned(),
        source,
    }
}

/// Where `target` is written until it is complete. The name has a fixed length: a suffix would make
/// the longest names too long.
fn beside(target: &Path) -> io::Result<PathBuf> {
    let invalid = |message| io::Error::new(io::ErrorKind::InvalidInput, message);
    let name = target
        .file_name()
        .ok_or_else(|| invalid("it is no file name"))?;
    if name.as_bytes().starts_with(PREFIX.as_bytes()) {
        return Err(invalid("its name is reserved for unfinished files"));
    }
    let mut hasher = DefaultHasher::new();
    name.as_bytes().hash(&mut hasher);
    Ok(target.with_file_name(format!("{PREFIX}{:016x}", hasher.finish())))
}

/// Opens a file that nobody else has: what lies there from an earlier run, or by anybody's malice a
/// link, is removed and not followed.
fn open(path: &Path) -> io::Result<File> {
    let create = || {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o666)
            .open(path)
    };
    match create() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().unwrap_or(Path::new("/"));
            DirBuilder::new().recursive(true).create(parent)?;
            create()
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create()
        }
        opened => opened,
    }
}

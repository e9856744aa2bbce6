//! A file or directory that is written beside its target, and renamed to it when it is complete.
//!
//! All downloads reach the disk this way. The name of the unfinished file follows from the target's
//! name, so that the next run finds and replaces what a killed run left behind.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufWriter, Write as _};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::transfer::error::CopyError;
use crate::transfer::memory::WriteBack;
use crate::transfer::space::{Claim, SpaceError};

/// The beginning of the names of unfinished files; no target may have such a name.
const PREFIX: &str = ".copilot-partial.";

/// An unfinished file; removed when dropped.
#[derive(Debug)]
pub(in crate::transfer) struct PartialFile {
    file: File,
    path: PathBuf,
    target: PathBuf,
    claim: Option<Claim>,
    /// The end of the last byte that was written: the file's size.
    end: AtomicU64,
    published: bool,
}

impl PartialFile {
    /// Begins the file `target`, readable by any user as far as the umask allows, in the room that was
    /// claimed for it. Creates missing parent directories.
    pub(in crate::transfer) fn create(
        target: &Path,
        claim: Option<Claim>,
    ) -> Result<Self, CopyError> {
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
    pub(in crate::transfer) fn write_at(&self, data: &[u8], offset: u64) -> Result<(), CopyError> {
        let written = self.file.write_all_at(data, offset);
        written.map_err(|source| failed(&self.target, source))?;
        let end = offset + data.len() as u64;
        self.end.fetch_max(end, Ordering::Relaxed);
        match &self.claim {
            Some(claim) => Ok(claim.landed(&self.target, end, data.len() as u64)?),
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
            fs::rename(&self.path, &self.target)
        };
        publish().map_err(|source| failed(&self.target, source))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.published {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// An unfinished directory; dropping it removes it and all that it holds.
#[derive(Debug)]
pub struct PartialDirectory {
    path: PathBuf,
    target: PathBuf,
}

impl PartialDirectory {
    /// Begins the directory `target`, and removes what an earlier run left of it.
    ///
    /// # Errors
    /// That it cannot be created.
    pub fn create(target: &Path) -> Result<Self, CopyError> {
        let path = beside(target).map_err(|source| failed(target, source))?;
        remove(&path)?;
        make_directory(&path)?;
        Ok(Self {
            path,
            target: target.to_owned(),
        })
    }

    /// The path of the unfinished directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renames it to its target, which must not exist yet.
    ///
    /// # Errors
    /// That it cannot be renamed.
    pub fn publish(self) -> Result<(), CopyError> {
        let published = fs::rename(&self.path, &self.target);
        published.map_err(|source| failed(&self.target, source))
    }
}

impl Drop for PartialDirectory {
    fn drop(&mut self) {
        // After a rename nothing has that name.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes a file, or a directory and all that it holds. A missing one is not an error.
///
/// # Errors
/// That it cannot be removed.
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

/// Writes a small file whole: beside its target, then renamed. `write` gets a buffered writer.
///
/// # Errors
/// That the file cannot be written.
pub fn write_file(
    target: &Path,
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
    let size = written().map_err(|source| failed(target, source))?;
    partial.end.store(size, Ordering::Relaxed);
    partial.publish(size)
}

/// Creates a directory and its parents, open to any user as far as the umask allows.
///
/// # Errors
/// That it cannot be created.
pub fn make_directory(path: &Path) -> Result<(), CopyError> {
    let made = DirBuilder::new().recursive(true).create(path);
    made.map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> CopyError {
    if SpaceError::is_full(&source) {
        return SpaceError::from_full(path).into();
    }
    CopyError::Write {
        path: path.to_owned(),
        source,
    }
}

/// The path where `target` is written until it is complete. Its name has a fixed length, since a suffix
/// would make the longest names too long.
fn beside(target: &Path) -> io::Result<PathBuf> {
    let invalid = |message| io::Error::new(io::ErrorKind::InvalidInput, message);
    let name = target
        .file_name()
        .ok_or_else(|| invalid("the path names no file"))?;
    if name.as_bytes().starts_with(PREFIX.as_bytes()) {
        return Err(invalid("its name is reserved for unfinished files"));
    }
    let mut hasher = DefaultHasher::new();
    name.as_bytes().hash(&mut hasher);
    Ok(target.with_file_name(format!("{PREFIX}{:016x}", hasher.finish())))
}

/// Whether a name is one of unfinished files and directories.
#[must_use]
pub fn is_partial(name: &OsStr) -> bool {
    let rest = name.as_bytes().strip_prefix(PREFIX.as_bytes());
    rest.is_some_and(|rest| rest.len() == 16 && rest.iter().all(u8::is_ascii_hexdigit))
}

/// Creates a file that nobody else has open. An earlier run may have left something there, or an attacker
/// a link: it is removed, not followed.
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

//! Main's output directory, opened once. Everything in it is opened beneath it, and nowhere else.
//!
//! Main can change the directory while we read it, and we may have rights that main lacks. A path that is
//! checked first and opened then could lead elsewhere in between. So each path is opened by one system
//! call that cannot leave the directory (`openat2`, 5.6) and follows no magic links, and the opened file
//! is checked, not the path.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, open, openat, openat2, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use super::error::UploadError;
use crate::literal::output::{EntryKind, advice};
use crate::transfer::LocalFile;

/// How often a call is repeated that the kernel answers with `EAGAIN`: something was renamed at that very
/// moment. Thousands in a row are not an accident.
const TRIES: u32 = 10_000;

/// How a directory on the way is opened.
const THROUGH: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// Main's output directory.
#[derive(Debug)]
pub struct GuardedDirectory {
    root: OwnedFd,
    path: PathBuf,
}

impl GuardedDirectory {
    /// Opens main's output directory.
    pub fn open(path: &Path) -> Result<Self, UploadError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = open(path, flags, Mode::empty()).map_err(|error| UploadError::Directory {
            path: path.to_owned(),
            cause: error.into(),
        })?;
        Ok(Self {
            root,
            path: path.to_owned(),
        })
    }

    /// Its path, as the user gave it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The full path of something in it, for messages.
    pub fn shown(&self, path: &Path) -> String {
        self.path.join(path).display().to_string()
    }

    /// A file in it to upload; the transfer opens it.
    pub fn local_file(self: &Arc<Self>, path: &Path) -> LocalFile {
        let (directory, path) = (Arc::clone(self), path.to_owned());
        LocalFile::new(directory.shown(&path), move || {
            directory.open_file(&path).map_err(advised)
        })
    }

    /// Opens a regular file for reading. Refuses everything else without blocking.
    pub fn open_file(&self, path: &Path) -> io::Result<File> {
        // Non-blocking: opening a named pipe without a writer would never return.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened =
            self.beneath(path, flags)
                .map_err(|error| match Errno::from_io_error(&error) {
                    Some(Errno::NXIO) => {
                        io::Error::other("it is a socket, or a device without a driver")
                    }
                    Some(Errno::ACCESS) => self.denied(path, error),
                    _ => error,
                })?;
        match kind(&fstat(&opened)?) {
            EntryKind::File => Ok(opened.into()),
            EntryKind::Directory => Err(io::Error::other("it is a directory")),
            EntryKind::Special(kind) => Err(io::Error::other(format!("it is a {kind}"))),
        }
    }

    /// Opens a file of the sidecar directly in it, for reading and appending. Creates it if it is missing.
    pub fn open_own(&self, name: &str) -> io::Result<File> {
        // Main may have put anything there: a link to elsewhere, a pipe.
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW;
        let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = openat(&self.root, name, flags, Mode::RUSR | Mode::WUSR)?;
        match kind(&fstat(&opened)?) {
            EntryKind::File => Ok(opened.into()),
            _ => Err(io::Error::other("it is not a regular file")),
        }
    }

    /// Removes a file of the sidecar.
    pub fn remove_own(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.root, name, AtFlags::empty())?)
    }

    /// Opens a directory for listing; the empty path is the output directory itself.
    pub fn open_directory(&self, path: &Path) -> io::Result<OwnedFd> {
        self.beneath(path, OFlags::RDONLY | OFlags::DIRECTORY)
            .map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied => self.denied(path, error),
                _ => error,
            })
    }

    /// The error of a denied open, with the file's owner and our own user: what a person asks next.
    fn denied(&self, path: &Path, error: io::Error) -> io::Error {
        // Permission to stat does not need permission to read.
        let looked = self.beneath(path, OFlags::PATH).map(fstat);
        let Ok(Ok(stat)) = looked else {
            return error;
        };
        let (user, group) = (geteuid().as_raw(), getegid().as_raw());
        let text = format!(
            "{error} (its mode is {:04o}, its user {}, its group {}; we are user {user}, group {group})",
            stat.st_mode & 0o7777,
            stat.st_uid,
            stat.st_gid
        );
        io::Error::new(io::ErrorKind::PermissionDenied, text)
    }

    /// What is at a path, after following links; `None` if nothing exists there.
    pub fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        match self.beneath(path, OFlags::PATH) {
            Ok(found) => Ok(Some(fstat(&found)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.dangling(path).map(|()| None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the last component of a path is a link.
    pub fn is_link(&self, path: &Path) -> io::Result<bool> {
        let found = self.beneath(path, OFlags::PATH | OFlags::NOFOLLOW)?;
        Ok(is_link(&fstat(&found)?))
    }

    /// A dangling link is an error; a missing path is not.
    fn dangling(&self, path: &Path) -> io::Result<()> {
        match self.beneath(path, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(_) => Err(io::Error::other("it is a link that leads nowhere")),
            Err(_) => Ok(()),
        }
    }

    fn beneath(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let flags = flags | OFlags::CLOEXEC;
        match self.at_once(path, flags) {
            // Kernels before 5.6; and sandboxes that do not know the call and answer `PERM`.
            Err(Errno::NOSYS | Errno::PERM) => self.step_by_step(path, flags),
            Err(Errno::XDEV) => Err(io::Error::other(
                "a link on its path leads out of the output directory",
            )),
            Err(Errno::LOOP) => Err(io::Error::other("the links on its path lead in a circle")),
            opened => Ok(opened?),
        }
    }

    /// Opens a path by the one call that cannot leave the directory.
    fn at_once(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let mut tries = 0;
        loop {
            match openat2(&self.root, path, flags, Mode::empty(), resolve) {
                // A rename anywhere makes the kernel give up on a `..` in a link.
                Err(Errno::AGAIN) if tries < TRIES => {
                    tries += 1;
                    std::thread::yield_now();
                }
                opened => return opened,
            }
        }
    }

    /// Opens a path without that call: one component after the other, following no links at all.
    fn step_by_step(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let no_links = || {
            io::Error::other(
                "its path contains a link, and this kernel or sandbox has no safe way to follow links \
                 (openat2); put a file there instead",
            )
        };
        let mut at = openat(&self.root, ".", THROUGH | OFlags::DIRECTORY, Mode::empty())?;
        let mut components = path.components().peekable();
        while let Some(component) = components.next() {
            let name = match component {
                Component::CurDir => Path::new("."),
                Component::Normal(name) => Path::new(name),
                _ => {
                    return Err(io::Error::other(
                        "its path leads out of the output directory",
                    ));
                }
            };
            let is_last = components.peek().is_none();
            let step = if is_last { flags } else { THROUGH };
            at = match openat(&at, name, step | OFlags::NOFOLLOW, Mode::empty()) {
                Err(Errno::LOOP) => return Err(no_links()),
                opened => opened?,
            };
            // `O_PATH` opens a link itself.
            let wants_link = is_last && flags.contains(OFlags::NOFOLLOW);
            if step.contains(OFlags::PATH) && !wants_link && is_link(&fstat(&at)?) {
                return Err(no_links());
            }
        }
        Ok(at)
    }
}

/// The error, with advice if there is any.
pub fn advised(error: io::Error) -> io::Error {
    // Too many open files keep their number, by which the message knows them.
    if error.kind() != io::ErrorKind::PermissionDenied {
        return error;
    }
    io::Error::new(error.kind(), format!("{error}{}", advice(&error)))
}

fn is_link(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
}

/// The kind of file that a stat describes.
pub fn kind(stat: &Stat) -> EntryKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        FileType::Fifo => EntryKind::Special("named pipe"),
        FileType::Socket => EntryKind::Special("socket"),
        FileType::CharacterDevice | FileType::BlockDevice => EntryKind::Special("device"),
        FileType::Symlink => EntryKind::Special("link"),
        FileType::Unknown => EntryKind::Special("thing of an unknown kind"),
    }
}

#[cfg(test)]
mod tests;

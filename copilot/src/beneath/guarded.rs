//! A directory that others may change, held by its descriptor. Everything in it is reached beneath that
//! descriptor, and nowhere else.
//!
//! What main left is read through links that stay inside. What is ours is written, renamed and removed without
//! following any link. An opened file is checked, not its path, and nothing is opened in a way that can block.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, Stat, fstat, open, openat, statat, unlinkat};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use super::kind::only_regular;
use super::remove::remove;
use super::resolve::{self, Links, is_link};

/// Opening a pipe without a writer would never return, and a terminal must not become ours.
const WITHOUT_BLOCKING: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY);

/// A directory that others may change.
#[derive(Debug)]
pub struct GuardedDirectory {
    root: OwnedFd,
    path: PathBuf,
}

/// The directory that holds an entry.
#[derive(Debug)]
pub enum Parent {
    /// The guarded directory itself.
    Root(Arc<GuardedDirectory>),
    /// A directory beneath it.
    Below(OwnedFd),
}

impl Parent {
    /// Where it is now, without links; `None` without `/proc`.
    #[must_use]
    pub fn real_path(&self) -> Option<PathBuf> {
        super::anchor::path_of(self.as_fd())
    }
}

impl AsFd for Parent {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Root(directory) => directory.descriptor(),
            Self::Below(descriptor) => descriptor.as_fd(),
        }
    }
}

impl GuardedDirectory {
    /// Opens a directory by its path. Only for a path that nobody else can change yet; see
    /// [`SharedDirectory`](super::SharedDirectory) for others.
    ///
    /// # Errors
    /// The kernel's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self::held(open(path, flags, Mode::empty())?, path.into()))
    }

    /// The directory behind a descriptor. `path` names it in messages.
    pub(super) fn held(root: OwnedFd, path: PathBuf) -> Self {
        Self { root, path }
    }

    /// The open directory `opened`, held by a descriptor of its own. `path` names it in messages.
    ///
    /// # Errors
    /// That we have no descriptor left.
    pub fn behind(opened: &OwnedFd, path: PathBuf) -> io::Result<Self> {
        Ok(Self::held(opened.try_clone()?, path))
    }

    /// Its path, as the user gave it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The full path of something in it, for messages.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        self.path.join(path).display().to_string()
    }

    /// Where it is now, without links; `None` without `/proc`.
    #[must_use]
    pub fn real_path(&self) -> Option<PathBuf> {
        super::anchor::path_of(self.root.as_fd())
    }

    /// Its descriptor.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Opens a regular file for reading. Refuses everything else without blocking.
    ///
    /// # Errors
    /// The kernel's, or that it is something else, or that its path leads outside.
    pub fn open_file(&self, path: &Path) -> io::Result<File> {
        let opened = self
            .beneath(path, OFlags::RDONLY | WITHOUT_BLOCKING)
            .map_err(|error| match Errno::from_io_error(&error) {
                Some(Errno::ACCESS) => self.denied(path, error),
                _ => without_driver(error),
            })?;
        only_regular(opened)
    }

    /// Opens a directory for listing; the empty path is the directory itself.
    ///
    /// # Errors
    /// The kernel's, or that its path leads outside.
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
    ///
    /// # Errors
    /// The kernel's, or that a link leads outside, in a circle or nowhere.
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
    ///
    /// # Errors
    /// The kernel's.
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
        resolve::open(self.root.as_fd(), path, flags, Links::Inside)
    }

    /// Opens a file of ours directly in it, for reading and appending. Creates it if it is missing.
    ///
    /// # Errors
    /// The kernel's, or that somebody else has put something there.
    pub fn open_own(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW;
        let flags = flags | WITHOUT_BLOCKING | OFlags::CLOEXEC;
        let opened = openat(&self.root, name, flags, Mode::RUSR | Mode::WUSR)?;
        only_one_name(self.only_ours(only_regular(opened)?)?)
    }

    /// Opens a regular file directly in it for writing, without blocking and without following a link. Never
    /// creates it.
    ///
    /// # Errors
    /// The kernel's, or that it is something else.
    pub fn open_to_overwrite(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | WITHOUT_BLOCKING | OFlags::CLOEXEC;
        match openat(&self.root, name, flags, Mode::empty()) {
            Err(Errno::LOOP) => Err(io::Error::other("it is a link")),
            Err(Errno::NXIO) => Err(io::Error::other("it is a pipe or a socket")),
            opened => only_one_name(only_regular(opened?)?),
        }
    }

    /// Reads a file of ours that has at most `limit` bytes; `None` if it is missing.
    ///
    /// # Errors
    /// The kernel's, that somebody else has put something there, or that it is larger than what we write.
    pub fn read_own(&self, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | WITHOUT_BLOCKING | OFlags::CLOEXEC;
        let opened = match openat(&self.root, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(io::Error::other("it is a link")),
            Err(error) => return Err(without_driver(error.into())),
            Ok(opened) => self.only_ours(only_regular(opened)?)?,
        };
        let mut content = Vec::new();
        // It may grow while it is read.
        opened.take(limit + 1).read_to_end(&mut content)?;
        if content.len() as u64 > limit {
            return Err(io::Error::other(format!(
                "it has more than the {limit} bytes that we write at most"
            )));
        }
        Ok(Some(content))
    }

    /// Refuses a file that another user owns. A file server may make us another user for what we create.
    fn only_ours(&self, file: File) -> io::Result<File> {
        let owner = fstat(&file)?.st_uid;
        if owner == geteuid().as_raw() || self.owner_of_new_files() == Some(owner) {
            return Ok(file);
        }
        Err(io::Error::other(format!(
            "its owner is user {owner}, so somebody else has made it"
        )))
    }

    /// The owner that the file system gives to our files.
    fn owner_of_new_files(&self) -> Option<u32> {
        let name = format!(".copilot-owner.{:016x}", rand::random::<u64>());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let made = openat(&self.root, &*name, flags | OFlags::CLOEXEC, Mode::RUSR).ok()?;
        let removed = unlinkat(&self.root, &*name, AtFlags::empty());
        let owner = fstat(&made).ok()?.st_uid;
        removed.ok().map(|()| owner)
    }

    /// Removes a file of ours directly in it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn remove_own(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.root, name, AtFlags::empty())?)
    }

    /// What has a path, without following any link; `None` if nothing has.
    ///
    /// # Errors
    /// The kernel's, or that a link is on the way.
    pub fn entry(&self, path: &Path) -> io::Result<Option<Stat>> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW;
        match resolve::open(self.root.as_fd(), path, flags, Links::Refused) {
            Ok(found) => Ok(Some(fstat(&found)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Shows the names in a directory and what has them, without following any link, until `see` says
    /// `false`. What disappears meanwhile is left out.
    ///
    /// # Errors
    /// The kernel's, or that a link is on the way.
    pub fn entries(
        &self,
        path: &Path,
        see: &mut dyn FnMut(&OsStr, &Stat) -> bool,
    ) -> io::Result<()> {
        use std::os::unix::ffi::OsStrExt as _;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let opened = resolve::open(self.root.as_fd(), path, flags, Links::Refused)?;
        let directory = opened.try_clone()?;
        for entry in Dir::new(opened)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            match statat(&directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) if !see(OsStr::from_bytes(name), &stat) => break,
                Ok(_) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The directory that holds `path`, and the name in it. Makes missing directories if `make` is set.
    ///
    /// # Errors
    /// The kernel's, that the path names nothing, or that a link is on the way.
    pub fn parent(self: &Arc<Self>, path: &Path, make: bool) -> io::Result<(Parent, OsString)> {
        let name = path
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
        let above = path.parent().unwrap_or(Path::new(""));
        let parent = if above.as_os_str().is_empty() {
            Parent::Root(Arc::clone(self))
        } else if make {
            Parent::Below(resolve::make(self.root.as_fd(), above)?)
        } else {
            let flags = OFlags::PATH | OFlags::DIRECTORY;
            Parent::Below(resolve::open(
                self.root.as_fd(),
                above,
                flags,
                Links::Refused,
            )?)
        };
        Ok((parent, name.to_owned()))
    }

    /// The deepest directory on the way to `path` that exists.
    #[must_use]
    pub fn deepest(self: &Arc<Self>, path: &Path) -> Parent {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let mut above = path
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty());
        let found = above
            .find_map(|path| resolve::open(self.root.as_fd(), path, flags, Links::Refused).ok());
        found.map_or_else(|| Parent::Root(Arc::clone(self)), Parent::Below)
    }

    /// Makes a directory and those above it, and holds it.
    ///
    /// # Errors
    /// The kernel's, or that a link is on the way.
    pub fn make_directory(&self, path: &Path) -> io::Result<Self> {
        let made = resolve::make(self.root.as_fd(), path)?;
        Ok(Self::held(made, self.path.join(path)))
    }

    /// Removes a file, or a directory and all that it holds. A missing one is not an error.
    ///
    /// # Errors
    /// The kernel's, or that a link is on the way.
    pub fn remove(self: &Arc<Self>, path: &Path) -> io::Result<()> {
        let removed = self
            .parent(path, false)
            .and_then(|(parent, name)| remove(parent.as_fd(), &name));
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

/// Refuses a file that has another name as well: who writes into it changes a file somewhere else.
fn only_one_name(file: File) -> io::Result<File> {
    match fstat(&file)?.st_nlink {
        0 | 1 => Ok(file),
        names => Err(io::Error::other(format!(
            "it has {names} names (hard links), so it may be another file as well"
        ))),
    }
}

/// The error of an open, in words where the kernel's are hard to read.
fn without_driver(error: io::Error) -> io::Error {
    match Errno::from_io_error(&error) {
        Some(Errno::NXIO) => io::Error::other("it is a socket, or a device without a driver"),
        _ => error,
    }
}

#[cfg(test)]
mod tests;

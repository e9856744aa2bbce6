//! Unfinished files and directories, locked by the process that writes them.
//!
//! A lock (`flock`) ends with its process, however that ends. So it tells what a killed process left behind from
//! what a live one still writes, which a pid in the name cannot: containers that share a volume may have the
//! same pids.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, FlockOperation, Mode, OFlags, Stat, flock, fstat, mkdirat, openat, statat,
    unlinkat,
};
use rustix::io::Errno;

use super::remove::remove;

/// Creates a file that nobody else has open, and locks it. `names` gives the names to try: one may belong to
/// another process. What a dead process left under such a name is removed, never followed.
///
/// # Errors
/// The kernel's, or that live processes have all of these names.
pub fn create_locked<Name: AsRef<OsStr>>(
    parent: BorrowedFd<'_>,
    names: impl IntoIterator<Item = Name>,
) -> io::Result<(File, Name)> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    let create = |name: &OsStr| {
        let mode = Mode::from_raw_mode(0o666);
        openat(parent, name, flags | OFlags::CLOEXEC, mode)
    };
    let (made, name) = first_free(parent, names, create)?;
    Ok((made.into(), name))
}

/// Makes a directory that nobody else writes into, and locks it; like [`create_locked`].
///
/// # Errors
/// The kernel's, or that live processes have all of these names.
pub fn make_locked<Name: AsRef<OsStr>>(
    parent: BorrowedFd<'_>,
    names: impl IntoIterator<Item = Name>,
) -> io::Result<(OwnedFd, Name)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let create = |name: &OsStr| {
        mkdirat(parent, name, Mode::from_raw_mode(0o777))?;
        openat(parent, name, flags, Mode::empty())
    };
    first_free(parent, names, create)
}

fn first_free<Name: AsRef<OsStr>>(
    parent: BorrowedFd<'_>,
    names: impl IntoIterator<Item = Name>,
    create: impl Fn(&OsStr) -> Result<OwnedFd, Errno>,
) -> io::Result<(OwnedFd, Name)> {
    for name in names {
        let made = match create(name.as_ref()) {
            Err(Errno::EXIST) if remove_unless_locked(parent, name.as_ref())? => {
                create(name.as_ref())
            }
            made => made,
        };
        match made {
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
            Ok(made) if lock(&made) && is_at(&made, parent, name.as_ref()) => {
                return Ok((made, name));
            }
            // Somebody who clears up took it for a leftover, in the moment before the lock.
            Ok(_) => {}
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        "other processes write the same file at the same time",
    ))
}

/// Locks a new file. Some file systems have no locks: then nobody takes it for a leftover either.
fn lock(made: &OwnedFd) -> bool {
    flock(made, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK)
}

/// Whether a name in `parent` leads to this very file, and nobody has put another one in its place.
#[must_use]
pub fn is_at(file: impl AsFd, parent: BorrowedFd<'_>, name: &OsStr) -> bool {
    let id = |stat: Stat| (stat.st_dev, stat.st_ino);
    let there = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW);
    matches!((there, fstat(file)), (Ok(there), Ok(ours)) if id(there) == id(ours))
}

/// Removes an unfinished file or directory, unless a live process has it locked. Returns whether it is gone.
///
/// # Errors
/// The kernel's.
pub fn remove_unless_locked(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<bool> {
    let found = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(true),
        found => found?,
    };
    // To lock a file for oneself, a file server wants it open for writing.
    let how = match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => OFlags::WRONLY | OFlags::NONBLOCK,
        FileType::Directory => OFlags::RDONLY | OFlags::DIRECTORY,
        // We make no such things.
        _ => return removed(unlinkat(parent, name, AtFlags::empty()).map_err(io::Error::from)),
    };
    let flags = how | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = match openat(parent, name, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(Errno::NOENT) => return Ok(true),
        // It has changed since the look, or belongs to somebody else.
        Err(_) => return Ok(false),
    };
    let is_dead = flock(&opened, FlockOperation::NonBlockingLockExclusive).is_ok();
    // Its writer may have finished in between, and another one begun under the same name.
    if !is_dead || !is_at(&opened, parent, name) {
        return Ok(false);
    }
    removed(remove(parent, name))
}

fn removed(outcome: io::Result<()>) -> io::Result<bool> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use rustix::fs::{CWD, mkfifoat, open};

    use super::*;

    fn directory(path: &Path) -> OwnedFd {
        open(path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap()
    }

    #[test]
    fn a_live_writer_keeps_its_file_and_a_dead_one_does_not() {
        let place = tempfile::tempdir().unwrap();
        let parent = directory(place.path());
        let (first, name) = create_locked(parent.as_fd(), ["a", "b"]).unwrap();
        assert_eq!(name, "a");
        assert!(!remove_unless_locked(parent.as_fd(), OsStr::new("a")).unwrap());
        let (_second, name) = create_locked(parent.as_fd(), ["a", "b"]).unwrap();
        assert_eq!(name, "b");
        assert!(create_locked(parent.as_fd(), ["a", "b"]).is_err());
        // The lock ends with the file's last descriptor, as it does with its process.
        drop(first);
        assert!(remove_unless_locked(parent.as_fd(), OsStr::new("a")).unwrap());
        assert!(!place.path().join("a").exists());
        let (_, name) = make_locked(parent.as_fd(), ["a", "b"]).unwrap();
        assert_eq!(name, "a");
        let (_third, name) = make_locked(parent.as_fd(), ["b", "a"]).unwrap();
        assert_eq!(name, "a");
    }

    #[test]
    fn other_things_in_its_place_are_replaced_and_never_followed() {
        let place = tempfile::tempdir().unwrap();
        let parent = directory(place.path());
        fs::write(place.path().join("kept"), "kept").unwrap();
        symlink("kept", place.path().join("link")).unwrap();
        symlink("nothing", place.path().join("dangling")).unwrap();
        mkfifoat(CWD, place.path().join("pipe"), Mode::RUSR).unwrap();
        fs::create_dir_all(place.path().join("tree/deep")).unwrap();
        for name in ["link", "dangling", "pipe", "tree"] {
            let (made, _) = create_locked(parent.as_fd(), [name]).unwrap();
            assert!(made.metadata().unwrap().is_file(), "{name}");
            assert!(is_at(&made, parent.as_fd(), OsStr::new(name)));
            fs::remove_file(place.path().join(name)).unwrap();
            assert!(!is_at(&made, parent.as_fd(), OsStr::new(name)));
        }
        assert_eq!(fs::read(place.path().join("kept")).unwrap(), b"kept");
    }
}

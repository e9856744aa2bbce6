//! Removes a tree by descriptors, whatever others do to it meanwhile: nothing outside of it is ever removed.
//!
//! Directories are moved up to the top of the tree before their content goes. So two descriptors are enough
//! for a tree of any depth, and no path into it is ever followed.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

/// How often the tree is listed anew. Each time a level of it goes, unless somebody adds to it.
const PASSES: u32 = 100_000;

/// The beginning of the names of directories that were moved up.
const MOVED: &str = ".copilot-partial.up.";

/// Removes what has this name in `parent`, and all that it holds.
///
/// # Errors
/// The kernel's, or that somebody adds to it all the time.
pub fn remove(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    let found = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
        return Ok(unlinkat(parent, name, AtFlags::empty())?);
    }
    let mut moved = 0;
    for _ in 0..PASSES {
        match unlinkat(parent, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            removed => return Ok(removed?),
        }
        let top = directory(parent, name)?;
        empty(&top, &mut moved)?;
    }
    Err(io::Error::other(
        "somebody adds files to the directory while it is removed",
    ))
}

fn directory(parent: BorrowedFd<'_>, name: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

/// Removes the files in a directory and in the directories in it, and moves up what is deeper.
fn empty(top: &OwnedFd, moved: &mut u64) -> io::Result<()> {
    let device = fstat(top)?.st_dev;
    for name in Names::of(top)? {
        let name = name?;
        let Some(below) = take(top.as_fd(), &name)? else {
            continue;
        };
        if fstat(&below)?.st_dev != device {
            return Err(io::Error::other(format!(
                "{} in it is another volume",
                name.to_string_lossy()
            )));
        }
        for inner in Names::of(&below)? {
            let inner = inner?;
            if take(below.as_fd(), &inner)?.is_some() {
                move_up(below.as_fd(), &inner, top.as_fd(), moved)?;
            }
        }
        // What somebody has added meanwhile is left for the next pass.
        match unlinkat(top, &*name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT | Errno::NOTDIR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Removes a file or an empty directory, or opens a directory that is not empty.
fn take(parent: BorrowedFd<'_>, name: &CStr) -> io::Result<Option<OwnedFd>> {
    match unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(None),
        Err(Errno::ISDIR) => {}
        Err(error) => return Err(error.into()),
    }
    match unlinkat(parent, name, AtFlags::REMOVEDIR) {
        // Or somebody has put a file there: the next pass removes it.
        Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(Errno::NOTEMPTY | Errno::EXIST) => match directory(parent, name) {
            // Somebody has put something else there: the next pass removes it.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            opened => Ok(Some(opened?)),
        },
        Err(error) => Err(error.into()),
    }
}

/// Moves a directory to the top, under a name that is free there.
fn move_up(
    from: BorrowedFd<'_>,
    name: &CStr,
    top: BorrowedFd<'_>,
    moved: &mut u64,
) -> io::Result<()> {
    loop {
        let free = format!("{MOVED}{moved}");
        *moved += 1;
        // A directory replaces nothing but an empty directory.
        match renameat(from, name, top, &*free) {
            Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The names in a directory, without `.` and `..`.
struct Names(Dir);

impl Names {
    fn of(directory: &OwnedFd) -> io::Result<Self> {
        Ok(Self(Dir::read_from(directory)?))
    }
}

impl Iterator for Names {
    type Item = io::Result<CString>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.0.next()? {
                Ok(entry) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
                Ok(entry) => return Some(Ok(entry.file_name().to_owned())),
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}

//! From a directory's descriptor and a path in it to what is there, without ever leaving the directory.
//!
//! A path that is checked first and opened then could lead elsewhere in between. So one system call does both
//! (`openat2`, Linux 5.6). Where it is missing, the path is opened component by component, and no link is
//! followed at all.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, mkdirat, openat, openat2, statat,
};
use rustix::io::Errno;

/// How often a call is repeated that the kernel answers with `EAGAIN`: something was renamed at that very
/// moment. Thousands in a row are not an accident.
const TRIES: u32 = 10_000;

/// How a directory on the way is opened.
const THROUGH: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// What happens at a symbolic link on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// It is followed if it stays in the directory.
    Inside,
    /// It is an error. What we write must land where its path says.
    Refused,
}

/// Opens a path beneath `directory`. The empty path is the directory itself.
pub(super) fn open(
    directory: BorrowedFd<'_>,
    path: &Path,
    flags: OFlags,
    links: Links,
) -> io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let flags = flags | OFlags::CLOEXEC;
    match at_once(directory, path, flags, links) {
        // Kernels before 5.6; and sandboxes that do not know the call and answer `PERM`.
        Err(Errno::NOSYS | Errno::PERM) => step_by_step(directory, path, flags, links),
        Err(Errno::XDEV) if links == Links::Inside => Err(io::Error::other(
            "a link on its path leads out of the output directory",
        )),
        Err(Errno::XDEV) => Err(outside()),
        Err(Errno::LOOP) if links == Links::Inside => {
            Err(io::Error::other("the links on its path lead in a circle"))
        }
        Err(Errno::LOOP) => Err(through_a_link()),
        opened => Ok(opened?),
    }
}

/// Opens a path by the one call that cannot leave the directory.
fn at_once(
    directory: BorrowedFd<'_>,
    path: &Path,
    flags: OFlags,
    links: Links,
) -> Result<OwnedFd, Errno> {
    let mut resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    if links == Links::Refused {
        resolve |= ResolveFlags::NO_SYMLINKS;
    }
    let mut tries = 0;
    loop {
        match openat2(directory, path, flags, Mode::empty(), resolve) {
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
pub(super) fn step_by_step(
    directory: BorrowedFd<'_>,
    path: &Path,
    flags: OFlags,
    links: Links,
) -> io::Result<OwnedFd> {
    let refused = || match links {
        Links::Inside => io::Error::other(
            "its path contains a link, and this kernel or sandbox has no safe way to follow links \
             (openat2); put a file there instead",
        ),
        Links::Refused => through_a_link(),
    };
    let mut at = openat(directory, ".", THROUGH | OFlags::DIRECTORY, Mode::empty())?;
    let mut components = path.components().peekable();
    while let Some(component) = components.next() {
        let name = match component {
            Component::CurDir => Path::new("."),
            Component::Normal(name) => Path::new(name),
            _ if links == Links::Inside => {
                return Err(io::Error::other(
                    "its path leads out of the output directory",
                ));
            }
            _ => return Err(outside()),
        };
        let is_last = components.peek().is_none();
        let step = if is_last { flags } else { THROUGH };
        let opened = openat(&at, name, step | OFlags::NOFOLLOW, Mode::empty());
        at = match opened {
            Err(Errno::LOOP) => return Err(refused()),
            // With `O_DIRECTORY` the kernel says so of a link, too.
            Err(Errno::NOTDIR) if is_link_at(at.as_fd(), name) => return Err(refused()),
            opened => opened?,
        };
        // `O_PATH` opens a link itself.
        let wants_link = is_last && flags.contains(OFlags::NOFOLLOW);
        if step.contains(OFlags::PATH) && !wants_link && is_link(&fstat(&at)?) {
            return Err(refused());
        }
    }
    Ok(at)
}

/// Makes a directory and those above it, and opens it. Follows no links.
pub(super) fn make(directory: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    match open(directory, path, flags, Links::Refused) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    let mut at = open(directory, Path::new(""), flags, Links::Refused)?;
    for component in path.components() {
        let name = match component {
            Component::CurDir => continue,
            Component::Normal(name) => Path::new(name),
            _ => return Err(outside()),
        };
        at = step_into(at.as_fd(), name)?;
    }
    Ok(at)
}

/// Opens a directory in a directory, and makes it if it is missing.
fn step_into(above: BorrowedFd<'_>, name: &Path) -> io::Result<OwnedFd> {
    // Another download may make the same directory, or somebody may remove it again.
    for _ in 0..100 {
        match mkdirat(above, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = THROUGH | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        match openat(above, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => {}
            Err(Errno::NOTDIR) if is_link_at(above, name) => return Err(through_a_link()),
            opened => return Ok(opened?),
        }
    }
    Err(io::Error::other(
        "somebody removes the directory each time it is made",
    ))
}

fn is_link_at(directory: BorrowedFd<'_>, name: &Path) -> bool {
    statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| is_link(&stat))
}

pub(super) fn is_link(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
}

/// Whether an error says that a link is on the path.
fn through_a_link() -> io::Error {
    io::Error::other("its path leads through a link, which is not followed")
}

fn outside() -> io::Error {
    io::Error::other("its path leads out of its directory")
}

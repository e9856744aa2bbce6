//! The kinds of things that a directory holds.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{FileType, Stat, fstat};

/// What kind of thing a stat describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Something else, in words: `named pipe`, `socket`, `device`, `link`.
    Special(&'static str),
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Special(kind) => kind,
        })
    }
}

/// The kind of thing that a stat describes.
#[must_use]
pub fn kind(stat: &Stat) -> FileKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Fifo => FileKind::Special("named pipe"),
        FileType::Socket => FileKind::Special("socket"),
        FileType::CharacterDevice | FileType::BlockDevice => FileKind::Special("device"),
        FileType::Symlink => FileKind::Special("link"),
        FileType::Unknown => FileKind::Special("thing of an unknown kind"),
    }
}

/// Refuses what is not a regular file.
pub(super) fn only_regular(opened: OwnedFd) -> io::Result<File> {
    match kind(&fstat(&opened)?) {
        FileKind::File => Ok(opened.into()),
        FileKind::Directory => Err(io::Error::other("it is a directory")),
        FileKind::Special(kind) => Err(io::Error::other(format!("it is a {kind}"))),
    }
}

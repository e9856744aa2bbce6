//! The names of the directories that a walk is in, in bounded memory.
//!
//! Names are sorted as long as those of all directories on the way fit into one room. The names of a larger
//! directory are read one by one while the walk goes on, in the order of the file system.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::Dir;

use crate::beneath::GuardedDirectory;

/// Room for the sorted names of all directories on the way, in bytes.
const ROOM: usize = 8 << 20;

/// What a name takes beside its bytes: the vector's entry and the allocator's share.
const BESIDE: usize = 48;

/// The most directories on one way whose names do not fit: each keeps a descriptor and a buffer.
const STREAMED: usize = 64;

/// What is left for the names of more directories.
#[derive(Debug)]
pub(super) struct NameRoom {
    /// In bytes.
    pub(super) left: usize,
    /// How many directories are read one name at a time.
    streamed: usize,
}

impl Default for NameRoom {
    fn default() -> Self {
        Self {
            left: ROOM,
            streamed: 0,
        }
    }
}

/// The names of a directory, without `.` and `..`.
pub(super) enum DirectoryNames {
    /// In reverse order: the next one is last.
    Sorted {
        names: Vec<OsString>,
        /// Bytes of room to give back.
        taken: usize,
    },
    /// In the order of the file system.
    Streamed(Box<Dir>),
}

impl NameRoom {
    /// Opens a directory and reads its names, as far as there is room.
    ///
    /// # Errors
    /// That it cannot be read, or that too many large directories lie in each other.
    pub(super) fn list(
        &mut self,
        directory: &GuardedDirectory,
        path: &Path,
    ) -> io::Result<DirectoryNames> {
        let mut opened = Dir::read_from(directory.open_directory(path)?)?;
        let (mut names, mut taken) = (Vec::new(), 0);
        while let Some(name) = next(&mut opened) {
            let name = name?;
            taken += name.len() + BESIDE;
            if taken > self.left {
                return self.stream(opened);
            }
            names.push(name);
        }
        names.sort_unstable_by(|one, other| other.cmp(one));
        self.left -= taken;
        Ok(DirectoryNames::Sorted { names, taken })
    }

    fn stream(&mut self, mut opened: Dir) -> io::Result<DirectoryNames> {
        if self.streamed == STREAMED {
            return Err(io::Error::other(format!(
                "it lies in {STREAMED} directories that each hold too many names to sort them in memory, and \
                 holds too many itself; use fewer levels of directories, or fewer files in each"
            )));
        }
        self.streamed += 1;
        opened.rewind();
        Ok(DirectoryNames::Streamed(Box::new(opened)))
    }

    /// Takes back the room of a directory that the walk leaves.
    pub(super) fn leave(&mut self, names: &DirectoryNames) {
        match names {
            DirectoryNames::Sorted { taken, .. } => self.left += taken,
            DirectoryNames::Streamed(_) => self.streamed -= 1,
        }
    }
}

impl DirectoryNames {
    /// Whether the directory had no name when it was opened.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Sorted { names, .. } if names.is_empty())
    }
}

impl Iterator for DirectoryNames {
    type Item = io::Result<OsString>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Sorted { names, .. } => names.pop().map(Ok),
            Self::Streamed(opened) => next(opened),
        }
    }
}

/// The next name in an open directory. After an error the names end.
fn next(opened: &mut Dir) -> Option<io::Result<OsString>> {
    loop {
        let entry = match opened.next()? {
            Ok(entry) => entry,
            Err(error) => return Some(Err(error.into())),
        };
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            return Some(Ok(OsStr::from_bytes(name).to_owned()));
        }
    }
}

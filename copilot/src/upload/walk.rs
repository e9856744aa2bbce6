//! All files below a directory, one after the other, in the order of their names.
//!
//! Lazy: only the names of the directories on the way are in memory, and of those no more than a fixed number
//! of bytes (`names`): the files of a larger directory come in the order of the file system. An entry that cannot be uploaded
//! becomes a file that fails to open with the reason, so that the transfer reports it with other failures.
//! A store knows no directories, so one without any entry is lost: a warning names them at the end.

mod names;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::names::{DirectoryNames, NameRoom};
use super::directory::{advised, local_file};
use crate::beneath::{FileKind, GuardedDirectory, kind};
use crate::literal::PathSample;
use crate::transfer::LocalFile;

/// How many links to one directory are followed. If each directory holds two links to the next one, a few
/// links make a tree of any size; nobody wants that on purpose.
const LINKS_TO_ONE: u32 = 100;

/// The most directories that links may lead to: each is remembered.
const LINKED: usize = 100_000;

/// A file of the tree.
pub(super) struct WalkedFile {
    /// The names from the root of the tree to it.
    pub(super) names: Vec<String>,
    /// Its path in the output directory.
    pub(super) path: PathBuf,
    /// The file to open.
    pub(super) content: LocalFile,
}

/// Walks a tree.
pub(super) struct TreeWalk {
    directory: Arc<GuardedDirectory>,
    root: PathBuf,
    /// The directories from the root to the current one.
    levels: Vec<WalkLevel>,
    /// How many links have led to each directory.
    links: HashMap<FileId, u32>,
    /// Room for the names of the directories on the way.
    room: NameRoom,
    /// Whether the root has been opened.
    begun: bool,
    /// Directories without an entry.
    empty: PathSample,
}

/// Device and inode.
type FileId = (u64, u64);

struct WalkLevel {
    /// A link to a directory on the way would never end.
    identity: FileId,
    path: PathBuf,
    names: DirectoryNames,
}

impl TreeWalk {
    pub(super) fn new(directory: Arc<GuardedDirectory>, root: &Path) -> Self {
        Self {
            directory,
            root: root.to_owned(),
            levels: Vec::new(),
            links: HashMap::new(),
            room: NameRoom::default(),
            begun: false,
            empty: PathSample::default(),
        }
    }

    /// Enters a directory.
    fn enter(&mut self, path: PathBuf) -> io::Result<()> {
        let stat = self.directory.stat(&path)?;
        let stat = stat.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let identity = (stat.st_dev, stat.st_ino);
        if self.levels.iter().any(|level| level.identity == identity) {
            return Err(io::Error::other(
                "it is a link to a directory that holds it",
            ));
        }
        if self.directory.is_link(&path)?
            && let Err(rule) = self.count_link(identity)
        {
            // Every further path would fail the same way: report one.
            self.levels.clear();
            return Err(io::Error::other(rule));
        }
        let names = self.room.list(&self.directory, &path)?;
        if names.is_empty() && path != Path::new(".") {
            self.empty.push(&path);
        }
        self.levels.push(WalkLevel {
            identity,
            path,
            names,
        });
        Ok(())
    }

    /// Counts a link to a directory. The error is the rule that it breaks.
    fn count_link(&mut self, to: FileId) -> Result<(), String> {
        if self.links.len() == LINKED && !self.links.contains_key(&to) {
            return Err(format!(
                "it is a link to a directory, and links have led to {LINKED} others before; copy the \
                 directories, or make fewer links"
            ));
        }
        let links = self.links.entry(to).or_default();
        *links += 1;
        if *links > LINKS_TO_ONE {
            return Err(format!(
                "it is a link to a directory that {LINKS_TO_ONE} links have led to before; copy the \
                 directory, or make fewer links to it"
            ));
        }
        Ok(())
    }

    /// Says once which directories are lost.
    fn report_empty(&mut self) {
        let empty = std::mem::take(&mut self.empty);
        if empty.count() > 0 {
            tracing::warn!(
                root = self.directory.shown(&self.root),
                directories = %empty,
                count = empty.count(),
                "these directories are empty and are not uploaded: a store keeps files only. Put a file into \
                 each directory that readers need"
            );
        }
    }

    fn is_directory(&self, path: &Path) -> io::Result<bool> {
        let found = self.directory.stat(path)?;
        Ok(found.is_some_and(|stat| kind(&stat) == FileKind::Directory))
    }

    fn file(&self, path: &Path) -> WalkedFile {
        match self.remote_names(path) {
            Ok(names) => WalkedFile {
                names,
                path: path.to_owned(),
                content: local_file(&self.directory, path),
            },
            Err(error) => self.failed(path, error),
        }
    }

    fn failed(&self, path: &Path, error: io::Error) -> WalkedFile {
        WalkedFile {
            names: vec!["unreadable".to_owned()],
            path: path.to_owned(),
            content: LocalFile::new(self.directory.shown(path), move || Err(advised(error))),
        }
    }

    /// The names below the root of the tree. The keys of a store are text.
    fn remote_names(&self, path: &Path) -> io::Result<Vec<String>> {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        below
            .iter()
            .map(|name| {
                name.to_str().map(str::to_owned).ok_or_else(|| {
                    let shown = name.as_encoded_bytes().escape_ascii();
                    io::Error::other(format!("its name \"{shown}\" is not UTF-8; rename it"))
                })
            })
            .collect()
    }
}

impl Iterator for TreeWalk {
    type Item = WalkedFile;

    fn next(&mut self) -> Option<WalkedFile> {
        if !self.begun {
            self.begun = true;
            if let Err(error) = self.enter(self.root.clone()) {
                return Some(self.failed(&self.root, error));
            }
        }
        while let Some(level) = self.levels.last_mut() {
            let path = match level.names.next() {
                Some(Ok(name)) => level.path.join(name),
                Some(Err(error)) => {
                    let path = level.path.clone();
                    return Some(self.failed(&path, error));
                }
                None => {
                    if let Some(level) = self.levels.pop() {
                        self.room.leave(&level.names);
                    }
                    continue;
                }
            };
            match self.is_directory(&path) {
                Ok(false) => return Some(self.file(&path)),
                Ok(true) => {
                    if let Err(error) = self.enter(path.clone()) {
                        return Some(self.failed(&path, error));
                    }
                }
                Err(error) => return Some(self.failed(&path, error)),
            }
        }
        self.report_empty();
        None
    }
}

#[cfg(test)]
mod tests;

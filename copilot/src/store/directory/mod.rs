//! The kind `local`: a directory per container, a file per object (`<path>/<container>/<key>`).
//!
//! It uses `std::fs` directly: the store library hides files named like `x#12`, cannot express control
//! characters, and moves to another thread for every few KiB. A container's directory is never
//! created; directories within it are. An object appears whole, by a rename (`unfinished`). Caller: `stores`.

mod unfinished;

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};

use self::unfinished::{ClearedDirectories, UnfinishedFile, is_unfinished};
use super::backend::{Backend, Body, ListEntry, ObjectAddress, Pages, Part, PartsUpload};
use super::error::{Location, StoreError, StoreService};
use super::reference::Reference;
use super::version::Version;

/// The file system, for messages.
static SERVICE: StoreService = StoreService {
    name: "a local directory",
    identity: "the user that Copilot runs as",
};

/// Bytes per read. A few system calls per MiB, and little memory.
const CHUNK: usize = 256 * 1024;

/// One container.
#[derive(Debug)]
pub(super) struct LocalDirectory {
    root: PathBuf,
    /// The directories in which what killed processes left has been removed.
    cleared: ClearedDirectories,
}

/// The objects of one directory, and the directories in it; both as whole keys.
#[derive(Debug, Default)]
struct DirectoryLevel {
    objects: Vec<ListEntry>,
    directories: Vec<String>,
}

/// An upload in parts, which are written in their places in one file.
#[derive(Debug)]
struct LocalUpload {
    unfinished: UnfinishedFile,
    location: Location,
}

impl LocalDirectory {
    /// The container at `root`.
    pub(super) fn new(root: PathBuf) -> Self {
        let cleared = ClearedDirectories::default();
        Self { root, cleared }
    }

    /// The meaning of an error about the object `target`.
    fn error(&self, error: io::Error, target: &ObjectAddress, action: &'static str) -> StoreError {
        let location = self.location(&target.reference);
        StoreError::from_io(error, &self.root.join(&target.key), location, action)
    }

    fn path(&self, key: &str) -> io::Result<PathBuf> {
        let odd = |part: &str| part.is_empty() || part == "." || part == "..";
        if key.contains('\0') || key.split('/').any(odd) {
            let message = "the key has a component that no file system allows";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(self.root.join(key))
    }

    /// An object, its size, and its version.
    fn open(&self, key: &str) -> io::Result<(File, u64, Version)> {
        // A pipe in its place must not block us.
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_NONBLOCK);
        let file = options.open(self.path(key)?)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            let message = "it is not a regular file";
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        Ok((file, meta.len(), version(&meta)))
    }

    fn create(&self, key: &str) -> io::Result<UnfinishedFile> {
        let becomes = self.path(key)?;
        if !self.root.is_dir() {
            let root = self.root.display();
            let message = format!("the container's directory {root} does not exist");
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        let parent = becomes.parent().unwrap_or(&self.root);
        DirBuilder::new().recursive(true).create(parent)?;
        self.cleared.once(parent);
        UnfinishedFile::create(&becomes)
    }

    fn look(&self, key: &str) -> io::Result<()> {
        match std::fs::symlink_metadata(self.path(key)?) {
            // A directory is not an object.
            Ok(meta) if meta.is_dir() => Err(io::ErrorKind::NotFound.into()),
            // A file has nothing beneath it.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(io::ErrorKind::NotFound.into())
            }
            found => found.map(|_| ()),
        }
    }

    /// The content of one directory beneath the container; of the container itself if it is empty.
    fn level(&self, directory: &str) -> io::Result<DirectoryLevel> {
        let path = if directory.is_empty() {
            self.root.clone()
        } else {
            self.path(directory)?
        };
        let mut level = DirectoryLevel::default();
        let reader = match path.read_dir() {
            Ok(reader) => reader,
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.root.is_dir() => {
                return Ok(level);
            }
            // The prefix is a file, and nothing is beneath it.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(level),
            Err(error) => return Err(error),
        };
        for entry in reader {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                let message = format!("the name {} is not UTF-8", entry.path().display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            };
            let key = if directory.is_empty() {
                name.clone()
            } else {
                format!("{directory}/{name}")
            };
            if entry.file_type()?.is_dir() {
                level.directories.push(key);
            } else if !is_unfinished(&name) {
                let size = Some(entry.path().metadata()?.len());
                level.objects.push(ListEntry { key, size });
            }
        }
        level.objects.sort_by(|a, b| a.key.cmp(&b.key));
        level.directories.sort();
        Ok(level)
    }
}

#[async_trait]
impl Backend for LocalDirectory {
    fn location(&self, reference: &Reference) -> Location {
        Location::new(reference, self.root.display().to_string(), &SERVICE)
    }

    async fn get(
        &self,
        target: &ObjectAddress,
        range: Option<Range<u64>>,
        _: Option<&Version>,
    ) -> Result<Body, StoreError> {
        let location = self.location(&target.reference);
        let opened = self.open(&target.key);
        let (file, size, version) = opened.map_err(|error| self.error(error, target, "reading"))?;
        let range = range.unwrap_or(0..size);
        let end = range.end.min(size);
        let path = self.root.join(&target.key);
        Ok(Body {
            stream: chunks(file, range.start..end, version.clone(), (path, location)),
            version,
            start: range.start,
            end: Some(end),
            ends_by_close: false,
        })
    }

    async fn put(&self, target: &ObjectAddress, data: Bytes) -> Result<(), StoreError> {
        let write = || {
            let unfinished = self.create(&target.key)?;
            unfinished.write_at(&data, 0)?;
            unfinished.publish()
        };
        write().map_err(|error| {
            let path = self.root.join(&target.key);
            StoreError::from_io_write(error, &path, self.location(&target.reference))
        })
    }

    async fn head(&self, target: &ObjectAddress) -> Result<(), StoreError> {
        let found = self.look(&target.key);
        found.map_err(|error| self.error(error, target, "looking"))
    }

    async fn delete(&self, target: &ObjectAddress) -> Result<(), StoreError> {
        let deleted = self.path(&target.key).and_then(std::fs::remove_file);
        deleted.map_err(|error| {
            // The directory decides who may delete, and not the file.
            let path = self.root.join(&target.key);
            let directory = path.parent().unwrap_or(&path);
            StoreError::from_io(
                error,
                directory,
                self.location(&target.reference),
                "deleting",
            )
        })
    }

    async fn is_listed(&self, target: &ObjectAddress) -> Result<bool, StoreError> {
        Ok(self.path(&target.key).is_ok_and(|path| path.is_file()))
    }

    /// One page per directory.
    fn list(self: Arc<Self>, prefix: ObjectAddress) -> Result<Pages, StoreError> {
        let location = self.location(&prefix.reference);
        let pages = stream::try_unfold(vec![prefix.key], move |mut stack| {
            let level = stack.pop().map(|directory| {
                let path = self.root.join(&directory);
                (self.level(&directory), path)
            });
            let location = location.clone();
            async move {
                let Some((level, path)) = level else {
                    return Ok(None);
                };
                let level = level
                    .map_err(|error| StoreError::from_io(error, &path, location, "listing"))?;
                stack.extend(level.directories.into_iter().rev());
                Ok(Some((level.objects, stack)))
            }
        });
        Ok(pages.boxed())
    }

    async fn begin(
        self: Arc<Self>,
        target: ObjectAddress,
    ) -> Result<Box<dyn PartsUpload>, StoreError> {
        let location = self.location(&target.reference);
        match self.create(&target.key) {
            Ok(unfinished) => Ok(Box::new(LocalUpload {
                unfinished,
                location,
            })),
            Err(error) => {
                let path = self.root.join(&target.key);
                Err(StoreError::from_io_write(error, &path, location))
            }
        }
    }
}

#[async_trait]
impl PartsUpload for LocalUpload {
    async fn part(&self, _: usize, offset: u64, data: Bytes) -> Result<Part, StoreError> {
        let written = self.unfinished.write_at(&data, offset);
        written.map_err(|error| self.error(error))?;
        Ok(Part(None))
    }

    async fn complete(&self, _: Vec<Part>, _: u64) -> Result<(), StoreError> {
        let published = self.unfinished.publish();
        published.map_err(|error| self.error(error))
    }

    async fn abort(&self) -> Result<(), StoreError> {
        // The drop removes the file.
        Ok(())
    }
}

impl LocalUpload {
    fn error(&self, error: io::Error) -> StoreError {
        StoreError::from_io_write(error, self.unfinished.becomes(), self.location.clone())
    }
}

/// The version of a file.
fn version(meta: &Metadata) -> Version {
    let (inode, size) = (meta.ino(), meta.len());
    let (seconds, nanos) = (meta.mtime(), meta.mtime_nsec());
    let tag = format!("{inode:x}-{seconds:x}-{nanos:x}-{size:x}");
    Version::named(tag, size)
}

/// The bytes of a range, piece by piece. A file that has another version at its end is an error: another
/// program has written into it meanwhile.
fn chunks(
    file: File,
    range: Range<u64>,
    begun: Version,
    place: (PathBuf, Location),
) -> BoxStream<'static, Result<Bytes, StoreError>> {
    let state = (file, range.start, begun, place);
    stream::try_unfold(state, move |(file, at, begun, place)| async move {
        let (path, location) = place;
        let failed = |error| StoreError::from_io(error, &path, location.clone(), "reading");
        let left = usize::try_from(range.end.saturating_sub(at)).unwrap_or(usize::MAX);
        if left == 0 {
            let now = file.metadata().map_err(failed)?;
            if version(&now) != begun {
                return Err(StoreError::Changed { location });
            }
            return Ok(None);
        }
        let mut buffer = vec![0; left.min(CHUNK)];
        let read = file.read_at(&mut buffer, at).map_err(failed)?;
        if read == 0 {
            return Err(StoreError::Changed { location });
        }
        buffer.truncate(read);
        let at = at + read as u64;
        let place = (path, location);
        Ok(Some((Bytes::from(buffer), (file, at, begun, place))))
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another program appends to the file in place, so its inode stays the same.
    #[tokio::test]
    async fn a_file_that_changes_while_it_is_read_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("x"), vec![1; 2 * CHUNK]).unwrap();
        let directory = LocalDirectory::new(root.path().to_owned());
        let target = ObjectAddress {
            key: "x".to_owned(),
            reference: Reference::parse("file://c/x").unwrap(),
        };
        let mut body = directory.get(&target, None, None).await.unwrap();
        assert!(body.stream.next().await.unwrap().is_ok());
        std::fs::write(root.path().join("x"), vec![2; 2 * CHUNK + 1]).unwrap();
        assert!(body.stream.next().await.unwrap().is_ok());
        let changed = body.stream.next().await.unwrap();
        assert!(matches!(changed, Err(StoreError::Changed { .. })));
    }

    #[tokio::test]
    async fn a_pipe_is_no_object_and_does_not_block() {
        let root = tempfile::tempdir().unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o666);
        rustix::fs::mkfifoat(rustix::fs::CWD, root.path().join("x"), mode).unwrap();
        let directory = LocalDirectory::new(root.path().to_owned());
        let target = ObjectAddress {
            key: "x".to_owned(),
            reference: Reference::parse("file://c/x").unwrap(),
        };
        assert!(directory.get(&target, None, None).await.is_err());
    }
}

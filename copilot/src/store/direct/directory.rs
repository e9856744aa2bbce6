//! The local kind: a directory per container, a file per object (`<path>/<container>/<key>`).
//!
//! Written by hand over `std::fs`: the library's own hides files named like `x#12`, cannot express
//! control characters, and hops to another thread for every few KiB. A container's directory is
//! never created; directories within it are. Objects appear whole, by renaming.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};

use super::{Container, Entries, Reading, Unfinished};

/// Bytes per read. A few system calls per MiB, and little memory.
const CHUNK: usize = 256 * 1024;

/// The beginning of the names of unfinished objects.
const UNFINISHED: &str = ".copilot-unfinished.";

/// One container.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
}

/// A file that becomes an object when it is complete.
#[derive(Debug)]
struct Beside {
    file: File,
    path: PathBuf,
    target: PathBuf,
}

impl Directory {
    /// The container at `root`.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn path(&self, key: &str) -> io::Result<PathBuf> {
        let odd = |part: &str| part.is_empty() || part == "." || part == "..";
        if key.contains('\0') || key.split('/').any(odd) {
            let message = "the key has a component that no file system allows";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(self.root.join(key))
    }
}

impl Container for Directory {
    fn shown(&self) -> String {
        self.root.display().to_string()
    }

    fn get(&self, key: &str, start: u64, length: Option<u64>) -> io::Result<Reading> {
        let file = File::open(self.path(key)?)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "it is no regular file",
            ));
        }
        let size = meta.len();
        let end = length.map_or(size, |length| size.min(start.saturating_add(length)));
        let etag = format!(
            "{:x}-{:x}-{:x}-{size:x}",
            meta.ino(),
            meta.mtime(),
            meta.mtime_nsec()
        );
        Ok(Reading {
            size,
            etag,
            stream: chunks(file, start, end),
        })
    }

    fn begin(&self, key: &str) -> io::Result<Box<dyn Unfinished>> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let target = self.path(key)?;
        if !self.root.is_dir() {
            let message = format!(
                "the container's directory {} does not exist",
                self.root.display()
            );
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        let parent = target.parent().unwrap_or(&self.root);
        DirBuilder::new().recursive(true).create(parent)?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{UNFINISHED}{}.{count}", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o666)
            .open(&path)?;
        Ok(Box::new(Beside { file, path, target }))
    }

    fn look(&self, key: &str) -> io::Result<()> {
        match std::fs::symlink_metadata(self.path(key)?) {
            // A directory is no object.
            Ok(meta) if meta.is_dir() => Err(io::ErrorKind::NotFound.into()),
            // Beneath a file there is nothing.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(io::ErrorKind::NotFound.into())
            }
            found => found.map(|_| ()),
        }
    }

    fn delete(&self, key: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(key)?)
    }

    fn entries(&self, directory: &str) -> io::Result<Entries> {
        let path = if directory.is_empty() {
            self.root.clone()
        } else {
            self.path(directory)?
        };
        let mut entries = Entries::default();
        let reader = match path.read_dir() {
            Ok(reader) => reader,
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.root.is_dir() => {
                return Ok(entries);
            }
            // The prefix is a file: nothing is beneath it.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(entries),
            Err(error) => return Err(error),
        };
        for entry in reader {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                let message = format!("the name {} is no UTF-8", entry.path().display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            };
            let key = if directory.is_empty() {
                name.clone()
            } else {
                format!("{directory}/{name}")
            };
            if entry.file_type()?.is_dir() {
                entries.directories.push(key);
            } else if !name.starts_with(UNFINISHED) {
                entries.files.push((key, entry.path().metadata()?.len()));
            }
        }
        entries.files.sort();
        entries.directories.sort();
        Ok(entries)
    }

    fn has(&self, key: &str) -> bool {
        self.path(key).is_ok_and(|path| path.is_file())
    }
}

impl Unfinished for Beside {
    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }

    fn finish(&self) -> io::Result<()> {
        std::fs::rename(&self.path, &self.target)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // After a rename there is nothing of that name.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn chunks(file: File, start: u64, end: u64) -> BoxStream<'static, io::Result<Bytes>> {
    stream::try_unfold((file, start), move |(file, at)| async move {
        let left = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(None);
        }
        let mut buffer = vec![0; left.min(CHUNK)];
        let read = file.read_at(&mut buffer, at)?;
        if read == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file became shorter",
            ));
        }
        buffer.truncate(read);
        Ok(Some((Bytes::from(buffer), (file, at + read as u64))))
    })
    .boxed()
}

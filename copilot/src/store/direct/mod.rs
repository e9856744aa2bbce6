//! Stores without a network: containers that this process reads and writes itself.
//!
//! A [`Container`] is a directory of files or a part of our memory. Whatever it does it does at once
//! and without waiting. Objects appear whole. Never here: retries, credentials, which reference
//! belongs to which container. Callers: `store::object` and `store::listing`; `store::stores` opens.

mod directory;
mod memory;

use std::fmt::Debug;
use std::io;

use bytes::Bytes;
use futures_util::stream::BoxStream;

pub use directory::Directory;
pub use memory::Memory;

/// One container. Errors are those of a file system, also where there is none.
pub trait Container: Debug + Send + Sync {
    /// Where it is, for messages.
    fn shown(&self) -> String;

    /// Reads an object from `start` on; at most `length` bytes of it.
    fn get(&self, key: &str, start: u64, length: Option<u64>) -> io::Result<Reading>;

    /// Begins an object.
    fn begin(&self, key: &str) -> io::Result<Box<dyn Unfinished>>;

    /// Succeeds if there is such an object, or something else in its place.
    fn look(&self, key: &str) -> io::Result<()>;

    /// Whether there is an object of this key.
    fn has(&self, key: &str) -> bool;

    /// Deletes an object.
    fn delete(&self, key: &str) -> io::Result<()>;

    /// The objects in one directory beneath the prefix, and directories to go on with; both as whole
    /// keys.
    fn entries(&self, directory: &str) -> io::Result<Entries>;

    /// Writes a whole object.
    fn put(&self, key: &str, data: &[u8]) -> io::Result<()> {
        let unfinished = self.begin(key)?;
        unfinished.write_at(data, 0)?;
        unfinished.finish()
    }
}

/// An object that is being written. Nothing of it is visible, and dropped it is gone.
pub trait Unfinished: Debug + Send + Sync {
    /// Writes `data` at `offset`.
    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()>;

    /// Makes the object visible.
    fn finish(&self) -> io::Result<()>;
}

/// An object opened for reading.
pub struct Reading {
    /// Size in bytes.
    pub size: u64,
    /// Changes whenever the object does.
    pub etag: String,
    /// The bytes from the offset that was asked for.
    pub stream: BoxStream<'static, io::Result<Bytes>>,
}

/// What [`Container::entries`] found.
#[derive(Debug, Default)]
pub struct Entries {
    /// Keys of objects, with their sizes in bytes.
    pub files: Vec<(String, u64)>,
    /// Keys of directories.
    pub directories: Vec<String>,
}

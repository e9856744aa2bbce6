//! The kernel's messages (`include/uapi/linux/fuse.h`), version 7.31: fields in the byte order of the machine.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

/// Numbers of requests.
pub mod opcode {
    pub const LOOKUP: u32 = 1;
    pub const FORGET: u32 = 2;
    pub const GETATTR: u32 = 3;
    pub const SETATTR: u32 = 4;
    pub const MKDIR: u32 = 9;
    pub const UNLINK: u32 = 10;
    pub const RMDIR: u32 = 11;
    pub const RENAME: u32 = 12;
    pub const OPEN: u32 = 14;
    pub const READ: u32 = 15;
    pub const WRITE: u32 = 16;
    pub const STATFS: u32 = 17;
    pub const RELEASE: u32 = 18;
    pub const FSYNC: u32 = 20;
    pub const FLUSH: u32 = 25;
    pub const INIT: u32 = 26;
    pub const OPENDIR: u32 = 27;
    pub const READDIR: u32 = 28;
    pub const RELEASEDIR: u32 = 29;
    pub const CREATE: u32 = 35;
    pub const INTERRUPT: u32 = 36;
    pub const DESTROY: u32 = 38;
    pub const BATCH_FORGET: u32 = 42;
    pub const RENAME2: u32 = 45;
}

/// The version of the protocol.
const VERSION: (u32, u32) = (7, 31);

/// The most bytes of one write.
pub const MOST: u32 = 128 << 10;

/// Every read and write of an open file asks us, past the page cache.
const DIRECT: u32 = 1;

/// The bits of a request to set attributes.
pub const SET_SIZE: u32 = 1 << 3;

/// A request as the kernel sends it.
pub struct Message<'a> {
    pub opcode: u32,
    /// Names the request in its answer.
    pub unique: u64,
    /// The file or directory that it is about.
    pub node: u64,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Splits a message into its header and its body.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = Self {
            opcode: 0,
            unique: 0,
            node: 0,
            body: bytes,
        };
        Some(Self {
            opcode: header.word(4)?,
            unique: header.long(8)?,
            node: header.long(16)?,
            body: bytes.get(40..)?,
        })
    }

    /// The 32 bits at this place of the body.
    pub fn word(&self, at: usize) -> Option<u32> {
        let bytes = self.body.get(at..at + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    }

    /// The 64 bits at this place of the body.
    pub fn long(&self, at: usize) -> Option<u64> {
        let bytes = self.body.get(at..at + 8)?;
        Some(u64::from_ne_bytes(bytes.try_into().ok()?))
    }

    /// The body from this place on.
    pub fn rest(&self, at: usize) -> &'a [u8] {
        self.body.get(at..).unwrap_or_default()
    }

    /// The names from this place of the body on; each ends with a zero byte.
    pub fn names(&self, at: usize) -> impl Iterator<Item = &'a OsStr> {
        self.rest(at)
            .split(|byte| *byte == 0)
            .map(OsStr::from_bytes)
    }
}

/// The body of an answer.
#[derive(Debug, Default)]
pub struct Answer(Vec<u8>);

impl Answer {
    fn words(mut self, words: &[u32]) -> Self {
        self.0
            .extend(words.iter().flat_map(|word| word.to_ne_bytes()));
        self
    }

    fn longs(mut self, longs: &[u64]) -> Self {
        self.0
            .extend(longs.iter().flat_map(|long| long.to_ne_bytes()));
        self
    }

    /// Bytes as they are.
    pub fn bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The first answer of all.
    pub fn init(read_ahead: u32) -> Self {
        let (major, minor) = VERSION;
        let at_once = 16 | (12 << 16);
        let answer = Self::default().words(&[major, minor, read_ahead, 0, at_once, MOST, 1]);
        // No flag of a later version.
        answer.words(&[0; 9])
    }

    /// What a directory's entry is: nothing of it may be remembered.
    pub fn entry(node: u64, found: &Metadata) -> Self {
        let entry = Self::default().longs(&[node, 0, 0, 0]).words(&[0, 0]);
        entry.attributes(found)
    }

    /// Size, times and mode of a file or directory.
    pub fn of(found: &Metadata) -> Self {
        Self::default().longs(&[0]).words(&[0, 0]).attributes(found)
    }

    fn attributes(self, found: &Metadata) -> Self {
        let seconds = [found.atime(), found.mtime(), found.ctime()].map(i64::cast_unsigned);
        let rest = [found.atime_nsec(), found.mtime_nsec(), found.ctime_nsec()];
        let rest = rest.map(|rest| u32::try_from(rest).unwrap_or(0));
        let links = u32::try_from(found.nlink()).unwrap_or(1);
        self.longs(&[found.ino(), found.size(), found.blocks()])
            .longs(&seconds)
            .words(&rest)
            .words(&[found.mode(), links, found.uid(), found.gid()])
            .words(&[0, 4096, 0])
    }

    /// An open file or directory.
    pub fn opened(self, handle: u64, is_directory: bool) -> Self {
        let flags = if is_directory { 0 } else { DIRECT };
        self.longs(&[handle]).words(&[flags, 0])
    }

    /// How many bytes were written.
    pub fn written(count: usize) -> Self {
        Self::default().words(&[u32::try_from(count).unwrap_or(0), 0])
    }

    /// Much room.
    pub fn room() -> Self {
        let blocks = 1 << 30;
        Self::default()
            .longs(&[blocks, blocks, blocks, blocks, blocks])
            .words(&[4096, 255, 4096, 0])
            .words(&[0; 6])
    }

    /// One more entry of a listing; `next` is where the listing goes on after it. `false` if there is no room.
    pub fn list(
        &mut self,
        (inode, kind): (u64, u32),
        name: &OsStr,
        next: u64,
        most: usize,
    ) -> bool {
        let name = name.as_bytes();
        let padded = name.len().div_ceil(8) * 8;
        if self.0.len() + 24 + padded > most {
            return false;
        }
        let length = u32::try_from(name.len()).unwrap_or(0);
        let mut answer = std::mem::take(self)
            .longs(&[inode, next])
            .words(&[length, kind]);
        answer.0.extend_from_slice(name);
        answer.0.resize(answer.0.len() + padded - name.len(), 0);
        *self = answer;
        true
    }

    /// The whole answer to a request, or its error.
    pub fn message(outcome: Result<Self, i32>, unique: u64) -> Vec<u8> {
        let (body, error) = match outcome {
            Ok(Self(body)) => (body, 0),
            Err(error) => (Vec::new(), -error),
        };
        let length = u32::try_from(16 + body.len()).unwrap_or(0);
        let header = Self::default().words(&[length, error.cast_unsigned()]);
        let Self(mut message) = header.longs(&[unique]);
        message.extend(body);
        message
    }
}

/// How long a read of the device waits before it looks whether the disk is still needed.
pub const PATIENCE: Duration = Duration::from_millis(20);

//! Answers the kernel's requests from a directory.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{DirEntryExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::protocol::{Answer, MOST, Message, PATIENCE, SET_SIZE, opcode};
use super::{Operation, Request};

/// The node of the root.
const ROOT: u64 = 1;

/// A file system over a directory.
pub struct Server<'a> {
    content: PathBuf,
    fault: &'a dyn Fn(&Request<'_>) -> Option<i32>,
    /// The paths of nodes, below the content. A node keeps its number if it is renamed.
    nodes: HashMap<u64, PathBuf>,
    next_node: u64,
    open: HashMap<u64, OpenNode>,
    next_handle: u64,
}

/// What a handle stands for.
enum OpenNode {
    File(File),
    /// Its entries: inode, kind, name.
    Directory(Vec<(u64, u32, std::ffi::OsString)>),
}

/// The error numbers of the kernel.
type Answered = Result<Answer, i32>;

impl<'a> Server<'a> {
    pub fn new(content: &Path, fault: &'a dyn Fn(&Request<'_>) -> Option<i32>) -> Self {
        Self {
            content: content.to_owned(),
            fault,
            nodes: HashMap::from([(ROOT, PathBuf::new())]),
            next_node: ROOT + 1,
            open: HashMap::new(),
            next_handle: 1,
        }
    }

    /// Answers until the file system is unmounted, or nobody needs it any more.
    pub fn serve(&mut self, mut device: &File, is_over: &AtomicBool) -> io::Result<()> {
        let mut bytes = vec![0; MOST as usize + 4096];
        let pause = Timespec {
            tv_sec: 0,
            tv_nsec: PATIENCE.subsec_nanos().into(),
        };
        loop {
            let mut ready = [PollFd::from_borrowed_fd(device.as_fd(), PollFlags::IN)];
            if poll(&mut ready, Some(&pause))? == 0 {
                if is_over.load(Ordering::Relaxed) {
                    return Ok(());
                }
                continue;
            }
            let length = match device.read(&mut bytes) {
                Ok(length) => length,
                Err(error) => match error.raw_os_error() {
                    Some(libc::ENODEV) => return Ok(()),
                    // It is not mounted yet, or the request was taken back.
                    Some(libc::EPERM | libc::ENOENT | libc::EINTR) => {
                        thread::sleep(Duration::from_millis(1));
                        continue;
                    }
                    _ => return Err(error),
                },
            };
            let Some(message) = Message::parse(&bytes[..length]) else {
                return Err(io::Error::other("a message of the kernel is too short"));
            };
            if let Some(answer) = self.answer(&message) {
                let sent = device.write_all(&Answer::message(answer, message.unique));
                // Who asked may be gone.
                if let Err(error) = sent
                    && error.raw_os_error() != Some(libc::ENOENT)
                {
                    return Err(error);
                }
            }
        }
    }

    /// The answer; nothing where the kernel expects none.
    fn answer(&mut self, message: &Message<'_>) -> Option<Answered> {
        use opcode::{
            BATCH_FORGET, CREATE, DESTROY, FLUSH, FORGET, FSYNC, GETATTR, INIT, INTERRUPT, LOOKUP,
            MKDIR, OPEN, OPENDIR, READ, READDIR, RELEASE, RELEASEDIR, RENAME, RENAME2, RMDIR,
            SETATTR, STATFS, UNLINK, WRITE,
        };
        let answer = match message.opcode {
            FORGET | BATCH_FORGET | INTERRUPT => return None,
            INIT => Ok(Answer::init(message.word(8)?)),
            DESTROY => Ok(Answer::default()),
            STATFS => Ok(Answer::room()),
            LOOKUP => self.look_up(message),
            GETATTR => self.attributes(message),
            SETATTR => self.set_attributes(message),
            OPEN => self.open(message),
            CREATE => self.create(message),
            READ => self.read(message),
            WRITE => self.write(message),
            FLUSH => self.file_request(message, Operation::Close),
            FSYNC => self.file_request(message, Operation::Sync),
            OPENDIR => self.open_directory(message),
            READDIR => self.list(message),
            RELEASE | RELEASEDIR => {
                self.open.remove(&message.long(0)?);
                Ok(Answer::default())
            }
            MKDIR => self.make_directory(message),
            UNLINK | RMDIR => self.remove(message),
            RENAME => self.rename(message, 8),
            RENAME2 => self.rename(message, 16),
            _ => Err(libc::ENOSYS),
        };
        Some(answer)
    }

    fn path(&self, node: u64) -> Result<&PathBuf, i32> {
        self.nodes.get(&node).ok_or(libc::ENOENT)
    }

    /// The path of a name in the message's directory; the name begins at this place.
    fn named(&self, message: &Message<'_>, at: usize) -> Result<PathBuf, i32> {
        let name = message.names(at).next().ok_or(libc::EINVAL)?;
        Ok(self.path(message.node)?.join(name))
    }

    /// Fails if the test wants it.
    fn try_to(&self, operation: Operation, path: &Path, offset: u64) -> Result<(), i32> {
        let fault = (self.fault)(&Request {
            operation,
            path,
            offset,
        });
        fault.map_or(Ok(()), Err)
    }

    fn file(&self, handle: Option<u64>) -> Result<&File, i32> {
        match handle.and_then(|handle| self.open.get(&handle)) {
            Some(OpenNode::File(file)) => Ok(file),
            _ => Err(libc::EBADF),
        }
    }

    fn keep(&mut self, node: OpenNode) -> u64 {
        let handle = self.next_handle;
        self.next_handle += 1;
        self.open.insert(handle, node);
        handle
    }

    /// The node of a path, and what is there.
    fn entry(&mut self, path: PathBuf) -> Answered {
        let found = fs::symlink_metadata(self.content.join(&path)).map_err(number)?;
        let known = self.nodes.iter().find(|(_, other)| **other == path);
        let node = known.map_or(self.next_node, |(node, _)| *node);
        if node == self.next_node {
            self.next_node += 1;
            self.nodes.insert(node, path);
        }
        Ok(Answer::entry(node, &found))
    }

    fn look_up(&mut self, message: &Message<'_>) -> Answered {
        let path = self.named(message, 0)?;
        self.try_to(Operation::Look, &path, 0)?;
        self.entry(path)
    }

    fn attributes(&self, message: &Message<'_>) -> Answered {
        let path = self.path(message.node)?;
        self.try_to(Operation::Look, path, 0)?;
        let found = fs::symlink_metadata(self.content.join(path)).map_err(number)?;
        Ok(Answer::of(&found))
    }

    /// Sets the size. Everything else stays as it is.
    fn set_attributes(&self, message: &Message<'_>) -> Answered {
        let path = self.path(message.node)?;
        if message.word(0).is_some_and(|what| what & SET_SIZE != 0) {
            self.try_to(Operation::Resize, path, 0)?;
            let size = message.long(16).ok_or(libc::EINVAL)?;
            let file = OpenOptions::new().write(true).open(self.content.join(path));
            file.and_then(|file| file.set_len(size)).map_err(number)?;
        }
        let found = fs::symlink_metadata(self.content.join(path)).map_err(number)?;
        Ok(Answer::of(&found))
    }

    fn open(&mut self, message: &Message<'_>) -> Answered {
        let path = self.path(message.node)?.clone();
        self.try_to(Operation::Open, &path, 0)?;
        let flags = message.word(0).ok_or(libc::EINVAL)?.cast_signed();
        let file = open(&self.content.join(path), flags).map_err(number)?;
        let handle = self.keep(OpenNode::File(file));
        Ok(Answer::default().opened(handle, false))
    }

    fn create(&mut self, message: &Message<'_>) -> Answered {
        let path = self.named(message, 16)?;
        self.try_to(Operation::Create, &path, 0)?;
        let mode = message.word(4).ok_or(libc::EINVAL)?;
        let options = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(mode & 0o7777)
            .open(self.content.join(&path));
        let file = options.map_err(number)?;
        let handle = self.keep(OpenNode::File(file));
        Ok(self.entry(path)?.opened(handle, false))
    }

    fn read(&self, message: &Message<'_>) -> Answered {
        let path = self.path(message.node)?;
        let (offset, size) = (message.long(8), message.word(16));
        let (offset, size) = offset.zip(size).ok_or(libc::EINVAL)?;
        self.try_to(Operation::Read, path, offset)?;
        let mut bytes = vec![0; size as usize];
        let read = self.file(message.long(0))?.read_at(&mut bytes, offset);
        bytes.truncate(read.map_err(number)?);
        Ok(Answer::bytes(bytes))
    }

    fn write(&self, message: &Message<'_>) -> Answered {
        let path = self.path(message.node)?;
        let offset = message.long(8).ok_or(libc::EINVAL)?;
        self.try_to(Operation::Write, path, offset)?;
        let bytes = message.rest(40);
        let written = self.file(message.long(0))?.write_all_at(bytes, offset);
        written.map_err(number)?;
        Ok(Answer::written(bytes.len()))
    }

    /// A request of an open file that changes nothing here.
    fn file_request(&self, message: &Message<'_>, operation: Operation) -> Answered {
        self.try_to(operation, self.path(message.node)?, 0)?;
        Ok(Answer::default())
    }

    fn open_directory(&mut self, message: &Message<'_>) -> Answered {
        let path = self.path(message.node)?;
        self.try_to(Operation::List, path, 0)?;
        let directory = self.content.join(path);
        let mut found: Vec<_> = [".", ".."]
            .map(|name| (ROOT, u32::from(libc::DT_DIR), OsStr::new(name).to_owned()))
            .into();
        for entry in fs::read_dir(directory).map_err(number)? {
            let entry = entry.map_err(number)?;
            let mode = entry.metadata().map_err(number)?.mode();
            found.push((entry.ino(), mode >> 12, entry.file_name()));
        }
        let handle = self.keep(OpenNode::Directory(found));
        Ok(Answer::default().opened(handle, true))
    }

    fn list(&self, message: &Message<'_>) -> Answered {
        let (offset, size) = (message.long(8), message.word(16));
        let (offset, size) = offset.zip(size).ok_or(libc::EINVAL)?;
        self.try_to(Operation::List, self.path(message.node)?, offset)?;
        let handle = message.long(0).and_then(|handle| self.open.get(&handle));
        let Some(OpenNode::Directory(entries)) = handle else {
            return Err(libc::EBADF);
        };
        let mut answer = Answer::default();
        let begin = usize::try_from(offset).unwrap_or(usize::MAX);
        for (next, (inode, kind, name)) in (1..).zip(entries).skip(begin) {
            if !answer.list((*inode, *kind), name, next, size as usize) {
                break;
            }
        }
        Ok(answer)
    }

    fn make_directory(&mut self, message: &Message<'_>) -> Answered {
        let path = self.named(message, 8)?;
        self.try_to(Operation::MakeDirectory, &path, 0)?;
        fs::create_dir(self.content.join(&path)).map_err(number)?;
        self.entry(path)
    }

    fn remove(&mut self, message: &Message<'_>) -> Answered {
        let path = self.named(message, 0)?;
        self.try_to(Operation::Remove, &path, 0)?;
        let place = self.content.join(&path);
        let removed = if message.opcode == opcode::RMDIR {
            fs::remove_dir(place)
        } else {
            fs::remove_file(place)
        };
        removed.map_err(number)?;
        self.nodes.retain(|_, other| *other != path);
        Ok(Answer::default())
    }

    /// Renames; the names begin at this place of the message.
    fn rename(&mut self, message: &Message<'_>, at: usize) -> Answered {
        let mut names = message.names(at);
        let (from, to) = names.next().zip(names.next()).ok_or(libc::EINVAL)?;
        let from = self.path(message.node)?.join(from);
        let directory = message.long(0).ok_or(libc::EINVAL)?;
        let to = self.path(directory)?.join(to);
        self.try_to(Operation::Rename, &to, 0)?;
        fs::rename(self.content.join(&from), self.content.join(&to)).map_err(number)?;
        self.nodes.retain(|_, other| *other != to);
        for path in self.nodes.values_mut() {
            if let Ok(below) = path.strip_prefix(&from) {
                // A path with an empty rest would end with a slash.
                *path = to.join(below).components().collect();
            }
        }
        Ok(Answer::default())
    }
}

fn open(path: &Path, flags: i32) -> io::Result<File> {
    let (reads, writes) = match flags & libc::O_ACCMODE {
        libc::O_WRONLY => (false, true),
        libc::O_RDWR => (true, true),
        _ => (true, false),
    };
    let mut options = OpenOptions::new();
    options.read(reads).write(writes);
    options.custom_flags(flags & libc::O_TRUNC).open(path)
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes a value")]
fn number(error: io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

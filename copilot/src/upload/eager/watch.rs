//! Which files of the output directory have events.
//!
//! The kernel reports them (inotify): one watch for each directory, and a scan after each new watch, since
//! files may have come before it. It reports creating, moving and closing, not single writes: a program
//! that writes all the time would wake us all the time. Where inotify does not work (too many watches, a
//! file system that other nodes change) the directory is scanned from time to time.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use super::limit::NameCount;
use super::scan::{PathList, Scan, ScannedEntry, is_of_interest, list, remote_reason};
use crate::beneath::GuardedDirectory;

/// The events that the kernel reports.
const EVENTS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// The most directories to watch; each takes a kilobyte of the kernel's memory.
const MOST: usize = 10_000;

/// Time between two reads: several events of a file in between count once.
const PAUSE: Duration = Duration::from_millis(50);

/// Room for hundreds of events: never for more than half of a [`PathList`] holds.
const BUFFER: usize = 16 << 10;

/// The output directory does not exist any more.
#[derive(Debug)]
pub struct Gone;

/// Watches the output directory.
#[derive(Debug)]
pub struct DirectoryWatch {
    directory: Arc<GuardedDirectory>,
    /// Variables whose files matter.
    names: Arc<[String]>,
    method: WatchMethod,
}

#[derive(Debug)]
enum WatchMethod {
    Inotify(Inotify),
    Scan(Scan),
}

#[derive(Debug)]
struct Inotify {
    descriptor: AsyncFd<OwnedFd>,
    paths: HashMap<i32, PathBuf>,
    /// How many paths those are.
    count: NameCount,
    next_reading: Instant,
    /// Whether the last reading left events behind.
    is_behind: bool,
}

impl DirectoryWatch {
    /// Begins to watch, and returns the files that exist already.
    pub fn begin(directory: Arc<GuardedDirectory>, names: Arc<[String]>) -> (Self, Vec<PathBuf>) {
        let inotify = match remote_reason(&directory) {
            Some(reason) => Err(io::Error::other(reason)),
            None => Inotify::new(),
        };
        let mut watch = Self {
            directory,
            names,
            method: inotify.map_or_else(|reason| scan_instead(&reason), WatchMethod::Inotify),
        };
        let found = watch.add(Path::new(""));
        (watch, found)
    }

    /// Waits for the next files with events. Dropping the future loses no event.
    ///
    /// # Errors
    /// That the directory is gone.
    pub async fn next(&mut self) -> Result<Vec<PathBuf>, Gone> {
        loop {
            let (mut touched, added) = match &mut self.method {
                WatchMethod::Inotify(inotify) => inotify.next(&self.names).await?,
                WatchMethod::Scan(scan) => {
                    sleep_until(scan.next()).await;
                    let changed = scan.run(&self.directory, &self.names).ok_or(Gone)?;
                    (changed, Vec::new())
                }
            };
            for directory in added {
                touched.extend(self.add(&directory));
            }
            if !touched.is_empty() {
                return Ok(touched);
            }
        }
    }

    /// Watches a directory from now on, and returns the files beneath it.
    pub fn add(&mut self, top: &Path) -> Vec<PathBuf> {
        let (mut found, mut todo) = (PathList::default(), PathList::default());
        todo.push(top.to_owned());
        while let Some(path) = todo.pop() {
            let inotify = match &mut self.method {
                WatchMethod::Inotify(inotify) => inotify,
                WatchMethod::Scan(scan) => {
                    scan.forget();
                    break;
                }
            };
            match inotify.watch(&self.directory, &path) {
                Ok(()) => {}
                // The directory is gone already.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(reason) => {
                    self.method = scan_instead(&reason);
                    return Vec::new();
                }
            }
            let listed = list(&self.directory, &path, &self.names, |entry| match entry {
                ScannedEntry::Directory(path) => todo.push(path),
                ScannedEntry::File(path) => found.push(path),
            });
            if let Err(error) = listed {
                debug!(%error, path = self.directory.shown(&path), "not listed");
            }
        }
        found.into_paths()
    }
}

/// Falls back to scans, and logs why.
fn scan_instead(reason: &io::Error) -> WatchMethod {
    warn!(
        %reason,
        "the output directory cannot be watched: it is scanned from time to time, so that files go \
         up a little later"
    );
    WatchMethod::Scan(Scan::default())
}

impl Inotify {
    fn new() -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // SAFETY: the `AsyncFd` owns the descriptor, which stays open until the `AsyncFd` is dropped.
        let inotify = unsafe { AsyncFd::register_with_interest(inotify, Interest::READABLE) };
        Ok(Self {
            descriptor: inotify.map_err(|error| error.into_parts().1)?,
            paths: HashMap::new(),
            count: NameCount::default(),
            next_reading: Instant::now(),
            is_behind: false,
        })
    }

    fn watch(&mut self, directory: &GuardedDirectory, path: &Path) -> io::Result<()> {
        let opened = directory.open_directory(path)?;
        let length = path.as_os_str().len();
        if self.paths.len() >= MOST || !self.count.fits(length) {
            return Err(io::Error::other(format!(
                "it holds more than {MOST} directories, or directories with too long paths"
            )));
        }
        // By the descriptor: main may have replaced the directory with a link by now.
        let link = format!("/proc/self/fd/{}", opened.as_raw_fd());
        let watch = inotify::add_watch(self.descriptor.get_ref(), link.as_str(), EVENTS);
        let watch = watch.map_err(|error| match error {
            // An open directory has its link, also one that was removed.
            Errno::NOENT => io::Error::other("/proc does not show our open files: is it mounted?"),
            error => error.into(),
        })?;
        self.count.take(length);
        if let Some(before) = self.paths.insert(watch, path.to_owned()) {
            self.count.remove(before.as_os_str().len());
        }
        Ok(())
    }

    /// Waits for files with events, and for directories that are or may be new.
    async fn next(&mut self, names: &[String]) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Gone> {
        loop {
            sleep_until(self.next_reading).await;
            if !self.is_behind {
                // An error means that the runtime is shutting down.
                let Ok(mut guard) = self.descriptor.readable().await else {
                    return std::future::pending().await;
                };
                guard.clear_ready();
            }
            self.next_reading = Instant::now() + PAUSE;
            let (files, directories) = self.read(names)?;
            if !files.is_empty() || !directories.is_empty() {
                return Ok((files, directories));
            }
        }
    }

    fn read(&mut self, names: &[String]) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Gone> {
        let (mut files, mut directories) = (PathList::default(), PathList::default());
        self.is_behind = false;
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = inotify::Reader::new(self.descriptor.get_ref(), &mut buffer);
        loop {
            let is_enough = files.is_half_full() || directories.is_half_full();
            if is_enough && reader.is_buffer_empty() {
                // The kernel keeps the others until the next reading.
                self.is_behind = true;
                break;
            }
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => break,
                Err(error) => {
                    warn!(%error, "events of the output directory cannot be read");
                    break;
                }
            };
            let happened = event.events();
            if happened.contains(ReadFlags::QUEUE_OVERFLOW) {
                debug!("the kernel dropped events: everything is looked at again");
                directories.push(PathBuf::new());
                continue;
            }
            let Some(above) = self.paths.get(&event.wd()) else {
                continue;
            };
            let of_itself = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED;
            if happened.intersects(of_itself) {
                if above.as_os_str().is_empty() {
                    return Err(Gone);
                }
                if happened.contains(ReadFlags::IGNORED)
                    && let Some(gone) = self.paths.remove(&event.wd())
                {
                    self.count.remove(gone.as_os_str().len());
                }
                continue;
            }
            let Some(name) = event.file_name() else {
                continue;
            };
            let name = OsStr::from_bytes(name.to_bytes());
            if above.as_os_str().is_empty() && !is_of_interest(name, names) {
                continue;
            }
            let path = above.join(name);
            if happened.contains(ReadFlags::ISDIR) {
                directories.push(path);
            } else {
                files.push(path);
            }
        }
        Ok((files.into_paths(), directories.into_paths()))
    }
}

//! Which files of the output directory something has happened to.
//!
//! The kernel tells it (inotify): one watch for each directory, and a scan after each new watch,
//! since files may have come before it. Told are makings, moves and closings, not single writes: a
//! program that writes all along would wake us all along. Where the kernel cannot tell (too many
//! watches, a file system that others change behind it) the directory is scanned from time to time.

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
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use super::MOST_FILES;
use super::scan::{Change, Scan, is_of_interest, is_remote, list};
use crate::upload::directory::Directory;

/// What is told.
const EVENTS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// The most directories that are watched; each takes a kilobyte of the kernel's memory.
const MOST: usize = 10_000;

/// Time between two readings: what happens in between to one file is told once.
const PAUSE: Duration = Duration::from_millis(50);

/// Room for hundreds of events.
const BUFFER: usize = 16 << 10;

/// The output directory is not there any more.
#[derive(Debug)]
pub struct Gone;

/// Sees what happens in the output directory.
#[derive(Debug)]
pub struct Watch {
    directory: Arc<Directory>,
    /// Variables whose files are of interest.
    names: Arc<[String]>,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Told(Told),
    Scanned(Scan),
}

#[derive(Debug)]
struct Told {
    inotify: AsyncFd<OwnedFd>,
    paths: HashMap<i32, PathBuf>,
    next_reading: Instant,
}

impl Watch {
    /// Begins, and gives the files that lie there already.
    pub fn begin(directory: Arc<Directory>, names: Arc<[String]>) -> (Self, Vec<PathBuf>) {
        let told = match is_remote(&directory) {
            Some(reason) => Err(io::Error::other(reason)),
            None => Told::new(),
        };
        let mut watch = Self {
            directory,
            names,
            way: told.map_or_else(|reason| scan_instead(&reason), Way::Told),
        };
        let found = watch.add(Path::new(""));
        (watch, found)
    }

    /// Waits for the next files that something happened to. Nothing is lost if the wait is given up.
    ///
    /// # Errors
    /// That the directory is gone.
    pub async fn next(&mut self) -> Result<Vec<PathBuf>, Gone> {
        loop {
            let (mut touched, added) = match &mut self.way {
                Way::Told(told) => told.next(&self.names).await?,
                Way::Scanned(scan) => {
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

    /// The files beneath a directory; it is watched from now on.
    pub fn add(&mut self, top: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut todo = vec![top.to_owned()];
        while let Some(path) = todo.pop() {
            let told = match &mut self.way {
                Way::Told(told) => told,
                Way::Scanned(scan) => {
                    scan.tell_again();
                    break;
                }
            };
            match told.watch(&self.directory, &path) {
                Ok(()) => {}
                // It came and went.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(reason) => {
                    self.way = scan_instead(&reason);
                    return Vec::new();
                }
            }
            let listed = list(&self.directory, &path, &self.names, |change| match change {
                Change::Directory(path) => todo.push(path),
                Change::File(path) if found.len() < MOST_FILES => found.push(path),
                Change::File(_) => {}
            });
            if let Err(error) = listed {
                debug!(%error, path = self.directory.shown(&path), "not listed");
            }
        }
        found
    }
}

/// The slower way, with the reason.
fn scan_instead(reason: &io::Error) -> Way {
    warn!(
        %reason,
        "the output directory cannot be watched: it is scanned from time to time, so that files go \
         up a little later"
    );
    Way::Scanned(Scan::default())
}

impl Told {
    fn new() -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // SAFETY: the descriptor is owned by what is registered, and closed when that is dropped.
        let inotify = unsafe { AsyncFd::register_with_interest(inotify, Interest::READABLE) };
        Ok(Self {
            inotify: inotify.map_err(|error| error.into_parts().1)?,
            paths: HashMap::new(),
            next_reading: Instant::now(),
        })
    }

    fn watch(&mut self, directory: &Directory, path: &Path) -> io::Result<()> {
        let opened = directory.open_directory(path)?;
        if self.paths.len() >= MOST {
            return Err(io::Error::other(format!(
                "it holds more than {MOST} directories"
            )));
        }
        // By the descriptor: main may have put a link in its place by now.
        let opened = format!("/proc/self/fd/{}", opened.as_raw_fd());
        let watch = inotify::add_watch(self.inotify.get_ref(), opened.as_str(), EVENTS)?;
        self.paths.insert(watch, path.to_owned());
        Ok(())
    }

    /// Files that something happened to, and directories that are new or may be.
    async fn next(&mut self, names: &[String]) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Gone> {
        loop {
            sleep_until(self.next_reading).await;
            // An error says that the runtime is going down.
            let Ok(mut guard) = self.inotify.readable().await else {
                return std::future::pending().await;
            };
            guard.clear_ready();
            self.next_reading = Instant::now() + PAUSE;
            let (files, directories) = self.read(names)?;
            if !files.is_empty() || !directories.is_empty() {
                return Ok((files, directories));
            }
        }
    }

    fn read(&mut self, names: &[String]) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Gone> {
        let (mut files, mut directories) = (Vec::new(), Vec::new());
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = inotify::Reader::new(self.inotify.get_ref(), &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(rustix::io::Errno::AGAIN) => break,
                Err(error) => {
                    warn!(%error, "the word of the output directory cannot be read");
                    break;
                }
            };
            let happened = event.events();
            if happened.contains(ReadFlags::QUEUE_OVERFLOW) {
                debug!("more happened than the kernel kept: everything is looked at again");
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
                if happened.contains(ReadFlags::IGNORED) {
                    self.paths.remove(&event.wd());
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
        Ok((files, directories))
    }
}

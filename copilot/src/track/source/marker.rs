//! Files by which main speaks: `_START`, `_SUCCESS` and `_ERROR` in the output directory.
//!
//! The reference's `file` watcher (spec §7), told by inotify, files that were moved in included.
//! Needs nothing but the directory. Cannot see a main that was killed: it writes nothing any more,
//! so another source should always be at work beside this one.

use std::{
    collections::VecDeque,
    future::pending,
    io,
    mem::MaybeUninit,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use thiserror::Error;
use tokio::{io::unix::AsyncFd, time::sleep};
use tracing::{debug, warn};

use super::register;
use crate::track::{Event, Marker, Timestamp};

/// Room for some events with the longest of names.
const BUFFER: usize = 4096;

/// How long an error file that was made may stay open before it counts as written: a link or a
/// device is never closed after writing.
const UNTIL_WRITTEN: Duration = Duration::from_secs(1);

/// Why the files cannot be watched.
#[derive(Debug, Error)]
pub enum MarkerError {
    /// There is no output directory.
    #[error("--from-local-dir is not given, and marker files lie in it")]
    NoDirectory,
    /// The directory cannot be watched.
    #[error(
        "the output directory {path} cannot be watched for marker files ({cause}); it must exist, \
         and the node's fs.inotify.max_user_instances and max_user_watches must not be used up"
    )]
    Refused {
        /// The directory.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// Waits for marker files.
#[derive(Debug)]
pub struct MarkerSource {
    directory: PathBuf,
    inotify: AsyncFd<OwnedFd>,
    queue: VecDeque<Event>,
    /// An error file was made and not yet closed.
    error_is_open: bool,
}

impl MarkerSource {
    /// Begins to watch; what lies there already is told first.
    pub fn new(directory: Option<&Path>) -> Result<Self, MarkerError> {
        let directory = directory.ok_or(MarkerError::NoDirectory)?;
        let inotify = watch(directory).map_err(|cause| MarkerError::Refused {
            path: directory.to_owned(),
            cause,
        })?;
        let mut source = Self {
            directory: directory.to_owned(),
            inotify,
            queue: VecDeque::new(),
            error_is_open: false,
        };
        source.look();
        Ok(source)
    }

    /// The next event. Nothing is lost if the wait is given up.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            tokio::select! {
                guard = self.inotify.readable() => match guard {
                    Ok(mut guard) => {
                        guard.clear_ready();
                        drop(guard);
                        self.read();
                    }
                    // The runtime is going down.
                    Err(_) => return pending().await,
                },
                () = sleep(UNTIL_WRITTEN), if self.error_is_open => self.tell(Marker::Error),
            }
        }
    }

    /// Tells of the files that lie there.
    fn look(&mut self) {
        for (_, marker) in Marker::ALL {
            if self.exists(marker) {
                self.tell(marker);
            }
        }
    }

    fn read(&mut self) {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut told = Vec::new();
        let mut overlooked = false;
        let mut reader = inotify::Reader::new(self.inotify.get_ref(), &mut buffer);
        loop {
            match reader.next() {
                Ok(event) => {
                    let happened = event.events();
                    overlooked |= happened.contains(ReadFlags::QUEUE_OVERFLOW);
                    if happened.contains(ReadFlags::IGNORED) {
                        warn!(directory = %self.directory.display(), "the output directory is gone; no marker file will be seen");
                    }
                    let name = event.file_name().map(|name| name.to_bytes().to_owned());
                    told.extend(name.map(|name| (name, happened)));
                }
                Err(rustix::io::Errno::AGAIN) => break,
                Err(error) => {
                    warn!(%error, "the word of the output directory cannot be read");
                    break;
                }
            }
        }
        for (name, happened) in told {
            self.heed(&name, happened);
        }
        if overlooked {
            self.look();
        }
    }

    fn heed(&mut self, name: &[u8], happened: ReadFlags) {
        let marker = Marker::ALL
            .into_iter()
            .find(|(file, _)| file.as_bytes() == name);
        let Some((_, marker)) = marker else {
            return;
        };
        let is_complete = happened.intersects(ReadFlags::CLOSE_WRITE | ReadFlags::MOVED_TO);
        if marker == Marker::Error && !is_complete {
            // What went wrong is written into it after it was made.
            self.error_is_open = true;
        } else {
            self.tell(marker);
        }
    }

    fn tell(&mut self, marker: Marker) {
        if marker == Marker::Error {
            self.error_is_open = false;
        }
        // It may be gone again, being renamed for instance.
        if !self.exists(marker) {
            debug!(file = marker.file_name(), "a marker file came and went");
            return;
        }
        self.queue.push_back(Event::MarkerWritten {
            marker,
            at: Timestamp::now(),
        });
    }

    fn exists(&self, marker: Marker) -> bool {
        self.directory
            .join(marker.file_name())
            .symlink_metadata()
            .is_ok()
    }
}

fn watch(directory: &Path) -> io::Result<AsyncFd<OwnedFd>> {
    let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    inotify::add_watch(
        &inotify,
        directory,
        WatchFlags::CREATE | WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR,
    )?;
    register(inotify)
}

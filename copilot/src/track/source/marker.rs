//! The `marker` source: the files `_START`, `_SUCCESS` and `_ERROR` in the output directory.
//!
//! The reference's `file` watcher (spec §7), by inotify; sees files that are moved in as well. Needs
//! only the directory. Cannot see that main was killed, because a killed main writes no file, so
//! another source should always run beside this one.

use std::{
    collections::VecDeque,
    future::pending,
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd as _, OwnedFd},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use thiserror::Error;
use tokio::{io::unix::AsyncFd, time::sleep};
use tracing::{debug, warn};

use super::register;
use crate::beneath::{FileKind, GuardedDirectory, SharedDirectory, SharedError, kind};
use crate::track::{Event, Marker, Timestamp};

/// The buffer's size: room for several events with the longest names.
const BUFFER: usize = 4096;

/// After this time a new error file counts as complete although it was not closed: a hard link is never
/// closed after a write.
const UNTIL_WRITTEN: Duration = Duration::from_secs(1);

/// Why the `marker` source does not work here.
#[derive(Debug, Error)]
pub enum MarkerError {
    /// No output directory is given.
    #[error("marker files lie in the output directory: name it with --from-local-dir")]
    NoDirectory,
    /// The directory cannot be watched.
    #[error(
        "the output directory {path} cannot be watched for marker files ({source}); it must exist, \
         and the node's fs.inotify.max_user_instances and max_user_watches must not be used up"
    )]
    Refused {
        /// The output directory.
        path: PathBuf,
        /// Why not.
        source: SharedError,
    },
}

/// Waits for marker files.
#[derive(Debug)]
pub struct MarkerSource {
    directory: Arc<GuardedDirectory>,
    inotify: AsyncFd<OwnedFd>,
    queue: VecDeque<Event>,
    /// An error file exists, and was not closed yet.
    error_is_open: bool,
    /// A warning has named something that does not count as a marker file.
    warned: bool,
}

impl MarkerSource {
    /// Starts the watch, and emits the files that exist already.
    ///
    /// # Errors
    ///
    /// No directory is given, or the kernel refuses to watch it.
    pub fn new(shared: Option<&SharedDirectory>) -> Result<Self, MarkerError> {
        let shared = shared.ok_or(MarkerError::NoDirectory)?;
        let refused = |source| MarkerError::Refused {
            path: shared.path().to_owned(),
            source,
        };
        let directory = shared.open().map_err(refused)?;
        let inotify = watch(&directory).map_err(|error| refused(error.into()))?;
        let mut source = Self {
            directory,
            inotify,
            queue: VecDeque::new(),
            error_is_open: false,
            warned: false,
        };
        source.look();
        Ok(source)
    }

    /// The next event. Cancel safe: no event is lost.
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
                    // Tokio shuts down.
                    Err(_) => return pending().await,
                },
                () = sleep(UNTIL_WRITTEN), if self.error_is_open => self.emit(Marker::Error),
            }
        }
    }

    /// Emits the marker files that exist.
    fn look(&mut self) {
        for (_, marker) in Marker::ALL {
            if self.exists(marker) {
                self.emit(marker);
            }
        }
    }

    fn read(&mut self) {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut changes = Vec::new();
        let mut overflowed = false;
        let mut reader = inotify::Reader::new(self.inotify.get_ref(), &mut buffer);
        loop {
            match reader.next() {
                Ok(event) => {
                    let happened = event.events();
                    overflowed |= happened.contains(ReadFlags::QUEUE_OVERFLOW);
                    if happened.contains(ReadFlags::IGNORED) {
                        warn!(
                            directory = %self.directory.path().display(),
                            "the output directory is gone, so marker files are not seen any more"
                        );
                    }
                    let name = event.file_name().map(|name| name.to_bytes().to_owned());
                    changes.extend(name.map(|name| (name, happened)));
                }
                Err(Errno::AGAIN) => break,
                Err(error) => {
                    warn!(%error, "changes of the output directory cannot be read");
                    break;
                }
            }
        }
        for (name, happened) in changes {
            self.take(&name, happened);
        }
        if overflowed {
            self.look();
        }
    }

    fn take(&mut self, name: &[u8], happened: ReadFlags) {
        let marker = Marker::ALL
            .into_iter()
            .find(|(file, _)| file.as_bytes() == name);
        let Some((_, marker)) = marker else {
            return;
        };
        let is_complete = happened.intersects(ReadFlags::CLOSE_WRITE | ReadFlags::MOVED_TO);
        if marker == Marker::Error && !is_complete {
            // Main writes its message into the file after it has created it.
            self.error_is_open = true;
        } else {
            self.emit(marker);
        }
    }

    fn emit(&mut self, marker: Marker) {
        if marker == Marker::Error {
            self.error_is_open = false;
        }
        // It may be gone again, for instance renamed.
        if !self.exists(marker) {
            debug!(file = marker.file_name(), "a marker file came and went");
            return;
        }
        self.queue.push_back(Event::MarkerWritten {
            marker,
            at: Timestamp::now(),
        });
    }

    /// Whether a marker file exists. Only a regular file is one: main may make anything.
    fn exists(&mut self, marker: Marker) -> bool {
        let entry = self.directory.entry(Path::new(marker.file_name()));
        let Ok(Some(found)) = entry else {
            return false;
        };
        let kind = kind(&found);
        if kind != FileKind::File && !std::mem::replace(&mut self.warned, true) {
            warn!(
                name = marker.file_name(),
                %kind,
                "this is not a regular file, so it does not count as a marker file"
            );
        }
        kind == FileKind::File
    }
}

fn watch(directory: &GuardedDirectory) -> io::Result<AsyncFd<OwnedFd>> {
    let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let opened = directory.open_directory(Path::new(""))?;
    let events =
        WatchFlags::CREATE | WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
    // By the descriptor: the path may lead elsewhere by now.
    let by_descriptor = format!("/proc/self/fd/{}", opened.as_raw_fd());
    match inotify::add_watch(&inotify, by_descriptor, events) {
        // Without `/proc`. Events only cause a look, and that goes by the descriptor.
        Err(Errno::NOENT) => inotify::add_watch(&inotify, directory.path(), events)?,
        added => added?,
    };
    register(inotify)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use futures_util::FutureExt as _;
    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    fn next(source: &mut MarkerSource) -> Option<Event> {
        // Whether or not the runtime has seen that the descriptor is readable.
        source.read();
        source.next().now_or_never()
    }

    #[tokio::test]
    async fn only_regular_files_are_markers() {
        let dir = tempfile::tempdir().unwrap();
        let success = dir.path().join("_SUCCESS");
        let mode = Mode::from_raw_mode(0o666);
        mkfifoat(CWD, dir.path().join("_START"), mode).unwrap();
        let shared = SharedDirectory::at(dir.path());
        let mut source = MarkerSource::new(Some(&shared)).unwrap();
        assert!(next(&mut source).is_none());
        mkfifoat(CWD, &success, mode).unwrap();
        assert!(next(&mut source).is_none());
        fs::remove_file(&success).unwrap();
        symlink("/etc/passwd", &success).unwrap();
        assert!(next(&mut source).is_none());
        fs::remove_file(&success).unwrap();
        fs::write(&success, "").unwrap();
        let marker = next(&mut source);
        assert!(
            matches!(
                marker,
                Some(Event::MarkerWritten {
                    marker: Marker::Success,
                    ..
                })
            ),
            "{marker:?}"
        );
    }
}

//! Makes the disk write large files while they arrive, in a container whose memory is limited.
//!
//! Written pages stay dirty for up to half a minute. When dirty pages fill the limit, every process in
//! the container waits for the disk, and cgroups of version 1 do not slow the writer down before that.
//! Clean pages are dropped by the kernel when the limit is reached and not earlier, so main still finds
//! its inputs in the page cache as far as they fit. Nothing happens without a limit, for small files, or
//! on a tmpfs.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::cgroup;

/// Bytes of one request: enough work for a disk, and the system call costs little beside it.
const WINDOW: u64 = 4 << 20;

/// Starts write-back early, where that helps; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(in crate::transfer) struct WriteBack(Arc<WriteBackState>);

#[derive(Debug, Default)]
struct WriteBackState {
    /// Whether our memory is limited; the first large file finds out.
    is_limited: OnceLock<bool>,
    refused: AtomicBool,
}

impl WriteBack {
    /// Notes that `part` of a file on disk was written, and returns where the next part begins. A part
    /// grows until it is large enough for a request.
    pub(in crate::transfer) fn written(&self, file: &File, part: Range<u64>) -> u64 {
        if part.end - part.start < WINDOW {
            return part.start;
        }
        let limited = || cgroup::memory_limit().is_some();
        let shared = &self.0;
        if *shared.is_limited.get_or_init(limited)
            && !shared.refused.load(Ordering::Relaxed)
            && let Err(reason) = start(file, &part)
        {
            // Nothing is lost: the kernel writes the pages later.
            shared.refused.store(true, Ordering::Relaxed);
            tracing::info!(%reason, "write-back cannot be started early here");
        }
        part.end
    }
}

fn start(file: &File, part: &Range<u64>) -> io::Result<()> {
    let invalid = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let offset = i64::try_from(part.start).map_err(invalid)?;
    let length = i64::try_from(part.end - part.start).map_err(invalid)?;
    let what = libc::SYNC_FILE_RANGE_WRITE;
    // SAFETY: it reads no memory of ours, and the descriptor is open as long as `file` is borrowed.
    let done = unsafe { libc::sync_file_range(file.as_raw_fd(), offset, length, what) };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

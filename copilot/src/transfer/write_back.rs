//! Has the disk write large files while they come, in a container whose memory is limited.
//!
//! Pages that are written stay dirty for up to half a minute unless somebody asks. A limit that is full
//! of dirty pages makes whoever needs the next one wait for the disk, and cgroups of version 1 do not
//! slow a writer down before. Clean pages the kernel drops by itself when the limit is reached, and
//! not before, so main finds its inputs in them as far as they fit. Without a limit nothing is done,
//! nor for small files, nor on a tmpfs.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::cgroup;

/// Bytes that are asked for at once: enough for a disk to work on, and a system call costs nothing
/// beside them.
const WINDOW: u64 = 4 << 20;

/// Whether, and that, write-back is started early; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct WriteBack(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Whether our memory is limited; looked up by the first large file.
    is_limited: OnceLock<bool>,
    refused: AtomicBool,
}

impl WriteBack {
    /// Takes note that `part` of a file on disk was written, and gives where the next part begins:
    /// this one grows until it is large enough for a call.
    pub(super) fn written(&self, file: &File, part: Range<u64>) -> u64 {
        if part.end - part.start < WINDOW {
            return part.start;
        }
        let limited = || cgroup::memory_limit().is_some();
        let shared = &self.0;
        if *shared.is_limited.get_or_init(limited)
            && !shared.refused.load(Ordering::Relaxed)
            && let Err(reason) = start(file, &part)
        {
            // Nothing is lost: the kernel writes when it wants to.
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

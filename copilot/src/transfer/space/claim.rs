//! The room that one file will need, kept free for it until it is written.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Space;
use super::error::SpaceError;
use super::volume::{Amount, Volume};

/// Room for one file. Dropping it releases what was not used.
#[derive(Debug)]
pub(in crate::transfer) struct Claim {
    space: Space,
    volume: Option<Arc<Volume>>,
    /// Bytes of the file that this one replaces.
    replaced: u64,
    /// Whether the file's size is known.
    expected: bool,
    /// Bytes that were claimed of the volume and are not written yet.
    bytes: AtomicU64,
    files: AtomicU64,
    /// Bytes of the file that count against the allowance.
    counted: AtomicU64,
}

impl Claim {
    pub(super) fn new(space: Space, volume: Option<Arc<Volume>>, replaced: u64) -> Self {
        Self {
            space,
            volume,
            replaced,
            expected: false,
            bytes: AtomicU64::new(0),
            files: AtomicU64::new(0),
            counted: AtomicU64::new(0),
        }
    }

    /// Claims room for the file at `path`, which has `size` bytes. Further calls change nothing.
    pub(in crate::transfer) fn expect(&mut self, path: &Path, size: u64) -> Result<(), SpaceError> {
        if std::mem::replace(&mut self.expected, true) {
            return Ok(());
        }
        self.space.take(path, size)?;
        *self.counted.get_mut() = size;
        if let Some(volume) = &self.volume {
            let needed = volume.reserve(path, size, self.replaced)?;
            *self.bytes.get_mut() = needed.bytes;
            *self.files.get_mut() = needed.files;
        }
        Ok(())
    }

    /// Whether the file lies in memory, so that no disk will ever write it back.
    pub(in crate::transfer) fn is_in_memory(&self) -> bool {
        self.volume
            .as_ref()
            .is_some_and(|volume| volume.is_in_memory())
    }

    /// Whether the file at `path` and the one that it replaces have room at once. If they do not, the old one must
    /// go before the new one is written. Either way the claim holds that room from now on.
    pub(in crate::transfer) fn has_room_for_both(&self, path: &Path) -> bool {
        let both = self.replaced.min(self.counted.load(Ordering::Relaxed));
        let Some(volume) = self.volume.as_ref().filter(|_| both > 0) else {
            return true;
        };
        let has_room = volume.reserve_beside(path, both);
        self.bytes.fetch_add(both, Ordering::Relaxed);
        has_room
    }

    /// Notes that the file exists, still empty.
    pub(in crate::transfer) fn created(&self) {
        self.release(0, 1);
    }

    /// Notes that `bytes` were written, up to the offset `end` of the file at `path`: the file system
    /// counts them from now on.
    pub(in crate::transfer) fn landed(
        &self,
        path: &Path,
        end: u64,
        bytes: u64,
    ) -> Result<(), SpaceError> {
        self.release(bytes, 0);
        let counted = self.counted.fetch_max(end, Ordering::Relaxed);
        if end > counted {
            self.space.take(path, end - counted)?;
        }
        match &self.volume {
            Some(volume) => volume.landed(path, bytes),
            None => Ok(()),
        }
    }

    fn release(&self, bytes: u64, files: u64) {
        let take = |from: &AtomicU64, count: u64| {
            let less = |left: u64| Some(left.saturating_sub(count));
            let before = from.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            before.unwrap_or_default().min(count)
        };
        let amount = Amount {
            bytes: take(&self.bytes, bytes),
            files: take(&self.files, files),
        };
        if let Some(volume) = &self.volume {
            volume.release(amount);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.release(u64::MAX, u64::MAX);
    }
}

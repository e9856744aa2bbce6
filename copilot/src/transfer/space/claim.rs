//! The room that one file will need, kept free for it until it is written.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Space;
use super::error::SpaceError;
use super::volume::{Amount, Volume};

/// Room for one file; what is not used is given back on drop.
#[derive(Debug)]
pub(in crate::transfer) struct Claim {
    space: Space,
    volume: Option<Arc<Volume>>,
    /// Bytes that the file takes the place of.
    replaced: u64,
    /// Whether the file's size is known.
    expected: bool,
    /// What was claimed of the volume and is not written yet.
    bytes: AtomicU64,
    files: AtomicU64,
    /// Bytes of the file that count against what is allowed.
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

    /// Claims room for the file at `path`, whose size is `size`; once is enough.
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

    /// Takes note that the file is there, without bytes yet.
    pub(in crate::transfer) fn created(&self) {
        self.give_back(0, 1);
    }

    /// Takes note that `bytes` were written that end at the offset `end` of the file at `path`: the
    /// file system counts them from now on.
    pub(in crate::transfer) fn landed(
        &self,
        path: &Path,
        end: u64,
        bytes: u64,
    ) -> Result<(), SpaceError> {
        self.give_back(bytes, 0);
        let counted = self.counted.fetch_max(end, Ordering::Relaxed);
        if end > counted {
            self.space.take(path, end - counted)?;
        }
        match &self.volume {
            Some(volume) => volume.landed(path, bytes),
            None => Ok(()),
        }
    }

    fn give_back(&self, bytes: u64, files: u64) {
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
        self.give_back(u64::MAX, u64::MAX);
    }
}

//! Whether a file has room where it goes, before the kernel says so in its own way: a disk that is full
//! after an hour, an eviction, or a kill on a tmpfs.
//!
//! A download of known size makes a [`Claim`] before its first byte; a page of a listing claims room for
//! all its objects. Claims of copies that run at once add up. A tmpfs is charged to our own cgroup, so
//! the cgroup's limit counts as well, and is looked at again while bytes arrive. The `sizeLimit` of an
//! `emptyDir` on disk is invisible from inside: kubelet measures now and then, and evicts; users pass it
//! as a flag. Never here: writing. Callers: downloads; `doctor` asks how
//! much room there is.

mod claim;
mod error;
mod memory;
mod room;
mod volume;

pub use error::{Shortage, SpaceError};
pub use room::{Room, has_room, room};

pub(super) use claim::Claim;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::fstat;

use crate::beneath::{FileKind, Place, kind};
use volume::Volume;

/// The file systems that an engine writes to; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Space(Arc<Volumes>);

#[derive(Debug)]
struct Volumes {
    /// The file systems, by device.
    by_device: Mutex<HashMap<u64, Arc<Volume>>>,
    /// Bytes that the user allows in all.
    allowed: Option<u64>,
    /// Bytes of the allowance that were claimed, or written without a claim.
    taken: AtomicU64,
}

/// A directory that the objects beneath a prefix go to.
#[derive(Clone, Debug)]
pub(super) struct TargetDirectory {
    space: Space,
    volume: Option<Arc<Volume>>,
    /// Whether the directory is empty, so that nothing is replaced.
    is_new: bool,
}

impl Space {
    /// The room that the file systems have, and at most `allowed` bytes of it in all.
    pub(super) fn new(allowed: Option<u64>) -> Self {
        Self(Arc::new(Volumes {
            by_device: Mutex::default(),
            allowed,
            taken: AtomicU64::new(0),
        }))
    }

    /// Room for a file at `place`, of `size` bytes if that is known.
    pub(super) fn claim(&self, place: &Place, size: Option<u64>) -> Result<Claim, SpaceError> {
        self.directory(place, false).claim(place, size)
    }

    /// The directory `place`. In a new directory nothing is replaced.
    pub(super) fn directory(&self, place: &Place, is_new: bool) -> TargetDirectory {
        TargetDirectory {
            space: self.clone(),
            volume: self.volume(place),
            is_new,
        }
    }

    /// The file system of `place`, which may not exist yet; `None` if it cannot be found. Then nothing can
    /// be written there either, and that error says more.
    fn volume(&self, place: &Place) -> Option<Arc<Volume>> {
        let there = place.directory.deepest(&place.path);
        let device = fstat(&there).ok()?.st_dev;
        let volumes = &self.0.by_device;
        let mut volumes = volumes.lock().unwrap_or_else(PoisonError::into_inner);
        let volume = volumes
            .entry(device)
            .or_insert_with(|| Arc::new(Volume::at(there, place.shown())));
        Some(Arc::clone(volume))
    }

    /// Counts bytes at `path`, written or planned, against the allowance.
    fn take(&self, path: &Path, bytes: u64) -> Result<(), SpaceError> {
        let Some(limit) = self.0.allowed else {
            return Ok(());
        };
        let before = self.0.taken.fetch_add(bytes, Ordering::Relaxed);
        let planned = before.saturating_add(bytes);
        if planned <= limit {
            return Ok(());
        }
        Err(SpaceError {
            path: path.to_owned(),
            planned: Some(planned),
            shortage: Shortage::Allowance { limit },
        })
    }
}

impl TargetDirectory {
    /// Room for a file at `place` beneath the directory, of `size` bytes if that is known.
    pub(super) fn claim(&self, place: &Place, size: Option<u64>) -> Result<Claim, SpaceError> {
        let replaced = if self.is_new { 0 } else { taken_by(place) };
        let mut claim = Claim::new(self.space.clone(), self.volume.clone(), replaced);
        if let Some(size) = size {
            claim.expect(&place.shown(), size)?;
        }
        Ok(claim)
    }
}

/// Bytes on disk that are freed when the file at `place` is replaced.
fn taken_by(place: &Place) -> u64 {
    match place.directory.entry(&place.path) {
        // A file with a second name stays.
        Ok(Some(found)) if kind(&found) == FileKind::File && found.st_nlink == 1 => {
            u64::try_from(found.st_blocks).unwrap_or(0) * 512
        }
        _ => 0,
    }
}

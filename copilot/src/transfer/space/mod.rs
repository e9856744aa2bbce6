//! Whether what is to be written has room where it goes, before the kernel says so in its way: a disk
//! that is full at the end of an hour, an eviction, or on a tmpfs a kill.
//!
//! A copy of known size makes a [`Claim`] before its first byte; a page of a listing claims all that
//! it names. Claims of copies that run at once add up. What lies on a tmpfs is charged to our own
//! cgroup, so there the room is that of the cgroup, too, and looked at again as bytes land. A
//! `sizeLimit` of an `emptyDir` on disk cannot be seen from inside: kubelet counts now and then, and
//! evicts. Whoever knows it says so by a flag. Never here: writing. Callers: the copies of `transfer`.

mod claim;
mod error;
mod memory;
mod volume;

pub use error::{Shortage, SpaceError};

pub(super) use claim::Claim;

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use volume::Volume;

/// The file systems that an engine writes to; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Space(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// By device.
    volumes: Mutex<HashMap<u64, Arc<Volume>>>,
    /// Bytes that a person allows to be written in all.
    allowed: Option<u64>,
    /// Those of them that were claimed, or written without a claim.
    taken: AtomicU64,
}

/// A directory that the objects beneath a prefix go to.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    space: Space,
    volume: Option<Arc<Volume>>,
    /// Whether nothing is there yet that would be replaced.
    is_new: bool,
}

impl Space {
    /// The file systems' own room, and of that at most `allowed` bytes in all.
    pub(super) fn new(allowed: Option<u64>) -> Self {
        Self(Arc::new(Shared {
            volumes: Mutex::default(),
            allowed,
            taken: AtomicU64::new(0),
        }))
    }

    /// Room for a file at `path`, of `size` bytes if that is known.
    pub(super) fn claim(&self, path: &Path, size: Option<u64>) -> Result<Claim, SpaceError> {
        self.ground(path, false).claim(path, size)
    }

    /// The directory `path`; what is new holds nothing that would be replaced.
    pub(super) fn ground(&self, path: &Path, is_new: bool) -> Ground {
        Ground {
            space: self.clone(),
            volume: self.volume(path),
            is_new,
        }
    }

    /// The file system of `path`, which may not be there yet; none if even that cannot be told. Then
    /// nothing can be written there either, and that error says more.
    fn volume(&self, path: &Path) -> Option<Arc<Volume>> {
        let mut there = path
            .ancestors()
            .filter(|path| !path.as_os_str().is_empty())
            .filter_map(|path| Some((path, fs::metadata(path).ok()?)));
        let (place, meta) = there.next()?;
        let shared = &self.0.volumes;
        let mut volumes = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let volume = volumes
            .entry(meta.dev())
            .or_insert_with(|| Arc::new(Volume::at(place)));
        Some(Arc::clone(volume))
    }

    /// Counts bytes that will be, or are, written at `path` against what is allowed.
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

impl Ground {
    /// Room for a file at `path` beneath the directory, of `size` bytes if that is known.
    pub(super) fn claim(&self, path: &Path, size: Option<u64>) -> Result<Claim, SpaceError> {
        let replaced = if self.is_new { 0 } else { taken_by(path) };
        let mut claim = Claim::new(self.space.clone(), self.volume.clone(), replaced);
        if let Some(size) = size {
            claim.expect(path, size)?;
        }
        Ok(claim)
    }
}

/// Bytes on disk that go when what is there is replaced.
fn taken_by(path: &Path) -> u64 {
    match fs::symlink_metadata(path) {
        // A file with another name is not gone with this one.
        Ok(meta) if meta.is_file() && meta.nlink() == 1 => meta.blocks() * 512,
        _ => 0,
    }
}

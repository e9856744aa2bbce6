//! One file system: how much room it has left, and how much of that is claimed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{StatVfs, fstatvfs, statvfs};
use rustix::io::Errno;

use super::error::{Shortage, SpaceError};
use super::memory::{Bounding, TmpfsMemory};
use super::room::Room;
use crate::beneath::Parent;

/// How long a sample of a file system is trusted: other processes write to it as well.
const TRUSTED: Duration = Duration::from_secs(1);

/// The types of file systems that keep files in memory.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// A file system that transfers write to.
#[derive(Debug)]
pub(super) struct Volume {
    /// A directory on it.
    there: Parent,
    /// A path on it, for messages.
    place: PathBuf,
    /// A file takes a multiple of this.
    block: u64,
    /// What limits it, if it keeps files in memory.
    memory: Option<TmpfsMemory>,
    ledger: Mutex<Ledger>,
    /// Bytes that were written since the last look at memory.
    unseen: AtomicU64,
}

/// Room of a file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) bytes: u64,
    pub(super) files: u64,
}

#[derive(Debug, Default)]
struct Ledger {
    /// Room that is claimed and not written yet.
    claimed: Amount,
    sample: Option<Sample>,
}

/// The room that the file system had at some moment.
#[derive(Debug)]
struct Sample {
    left: Amount,
    /// Room that was claimed then and since then. Some of it is written by now, and the file system has
    /// less left by that.
    claimed: Amount,
    at: Instant,
}

/// The numbers that a file system gives.
struct Statistics {
    left: Amount,
    size: u64,
    block: u64,
}

impl Volume {
    /// The file system of the directory `there`. `place` is a path on it.
    pub(super) fn at(there: Parent, place: PathBuf) -> Self {
        let place = there.real_path().unwrap_or(place);
        let mount = MountPoint::from_path(&place);
        let in_memory = IN_MEMORY.contains(&mount.kind.as_str());
        let memory = in_memory.then(|| TmpfsMemory::from_own_cgroups(mount.swaps));
        let step = memory.as_ref().map_or(0, TmpfsMemory::step);
        Self {
            block: Statistics::from(fstatvfs(&there)).block,
            there,
            place,
            memory,
            ledger: Mutex::default(),
            // The first bytes cause a look.
            unseen: AtomicU64::new(step),
        }
    }

    /// Whether it keeps files in memory.
    pub(super) fn is_in_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// Reserves room for a file of `size` bytes that replaces a file of `replaced` bytes. Returns what it
    /// reserved; the caller [releases](Self::release) it.
    pub(super) fn reserve(
        &self,
        path: &Path,
        size: u64,
        replaced: u64,
    ) -> Result<Amount, SpaceError> {
        let size = size.checked_next_multiple_of(self.block).unwrap_or(size);
        let needed = Amount {
            bytes: size.saturating_sub(replaced),
            files: u64::from(replaced == 0),
        };
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        self.add(&mut ledger, path, needed)?;
        Ok(needed)
    }

    /// Reserves `bytes` more, for the time in which a file and the one that it replaces both exist. Returns whether
    /// they have room. They are reserved in either case: without room the caller deletes the old file first, and the
    /// room that it leaves belongs to the new one.
    pub(super) fn reserve_beside(&self, path: &Path, bytes: u64) -> bool {
        let needed = Amount { bytes, files: 0 };
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = self.add(&mut ledger, path, needed).is_ok();
        if !has_room {
            ledger.claimed = ledger.claimed.plus(needed);
            ledger.sample = None;
        }
        has_room
    }

    fn add(&self, ledger: &mut Ledger, path: &Path, needed: Amount) -> Result<(), SpaceError> {
        let trusted = ledger.sample.as_mut().filter(|sample| {
            sample.at.elapsed() < TRUSTED && sample.claimed.plus(needed).fits_in(sample.left)
        });
        if let Some(sample) = trusted {
            sample.claimed = sample.claimed.plus(needed);
        } else {
            let claimed = ledger.claimed.plus(needed);
            let left = self.look(path, claimed)?;
            let at = Instant::now();
            ledger.sample = Some(Sample { left, claimed, at });
        }
        ledger.claimed = ledger.claimed.plus(needed);
        Ok(())
    }

    /// Releases room that was reserved.
    pub(super) fn release(&self, amount: Amount) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.claimed = ledger.claimed.minus(amount);
    }

    /// Notes that bytes were written, and looks now and then whether memory gets short.
    pub(super) fn landed(&self, path: &Path, bytes: u64) -> Result<(), SpaceError> {
        let Some(memory) = &self.memory else {
            return Ok(());
        };
        let unseen = self.unseen.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if unseen < memory.step() {
            return Ok(());
        }
        self.unseen.store(0, Ordering::Relaxed);
        let Some(bounding) = memory.shortage() else {
            return Ok(());
        };
        Err(SpaceError {
            path: path.to_owned(),
            planned: None,
            shortage: self.out_of_memory(0, bounding),
        })
    }

    /// The room that is left, if it is at least `claimed`.
    fn look(&self, path: &Path, claimed: Amount) -> Result<Amount, SpaceError> {
        let statistics = Statistics::from(fstatvfs(&self.there));
        let refuse = |planned, shortage| SpaceError {
            path: path.to_owned(),
            planned,
            shortage,
        };
        let mut left = statistics.left;
        let bytes = claimed.bytes;
        if claimed.files > left.files {
            let MountPoint {
                point: mount, kind, ..
            } = MountPoint::from_path(&self.place);
            let left = left.files;
            return Err(refuse(None, Shortage::Files { kind, mount, left }));
        }
        if bytes > left.bytes {
            return Err(refuse(Some(bytes), of_full(&statistics, &self.place)));
        }
        if let Some((least, bounding)) = self.memory.as_ref().and_then(TmpfsMemory::left) {
            if bytes > least {
                let shortage = self.out_of_memory(least, bounding);
                return Err(refuse(Some(bytes), shortage));
            }
            left.bytes = left.bytes.min(least);
        }
        Ok(left)
    }

    fn out_of_memory(&self, left: u64, bounding: Bounding) -> Shortage {
        let mount = MountPoint::from_path(&self.place).point;
        match bounding {
            Bounding::Limit(limit) => Shortage::Memory { mount, limit, left },
            Bounding::Node => Shortage::Node { mount, left },
        }
    }
}

/// What is too small of a file system that is full.
pub(super) fn shortage(place: &Path) -> Shortage {
    of_full(&Statistics::from(statvfs(place)), place)
}

/// The room at `place`.
pub(super) fn room_at(place: &Path) -> Room {
    let statistics = Statistics::from(statvfs(place));
    let mount = MountPoint::from_path(place);
    let in_memory = IN_MEMORY.contains(&mount.kind.as_str());
    let memory = in_memory.then(|| TmpfsMemory::from_own_cgroups(mount.swaps));
    let of_memory = memory.as_ref().and_then(TmpfsMemory::left);
    let left = statistics.left;
    Room {
        left: of_memory.map_or(left.bytes, |(memory, _)| left.bytes.min(memory)),
        size: statistics.size,
        files_left: left.files,
        kind: mount.kind,
        mount: mount.point,
        in_memory,
    }
}

fn of_full(statistics: &Statistics, place: &Path) -> Shortage {
    let found = MountPoint::from_path(place);
    let (kind, mount, size) = (found.kind, found.point, statistics.size);
    let left = statistics.left.bytes;
    match kind.as_str() {
        _ if statistics.left.files == 0 => Shortage::Files {
            kind,
            mount,
            left: 0,
        },
        "tmpfs" => Shortage::Tmpfs { mount, left, size },
        _ => Shortage::Disk {
            kind,
            mount,
            left,
            size,
        },
    }
}

impl Statistics {
    /// A file system without numbers, or without a limit, always has enough.
    fn from(found: Result<StatVfs, Errno>) -> Self {
        const ANY: u64 = u64::MAX / 2;
        let Ok(found) = found else {
            let (bytes, files) = (ANY, ANY);
            return Self {
                left: Amount { bytes, files },
                size: ANY,
                block: 1,
            };
        };
        let bounded = |total: u64, left: u64| if total == 0 { ANY } else { left };
        let block = found.f_frsize.max(1);
        Self {
            left: Amount {
                bytes: bounded(found.f_blocks, found.f_bavail.saturating_mul(block)),
                files: bounded(found.f_files, found.f_favail),
            },
            size: bounded(found.f_blocks, found.f_blocks.saturating_mul(block)),
            block,
        }
    }
}

/// Where and how a file system is mounted.
struct MountPoint {
    point: PathBuf,
    kind: String,
    swaps: bool,
}

impl MountPoint {
    /// The mount that holds `place`, or `place` itself if the mount cannot be found.
    fn from_path(place: &Path) -> Self {
        let place = place.canonicalize().unwrap_or_else(|_| place.to_owned());
        let mounts = procfs::process::Process::myself().and_then(|own| own.mountinfo());
        let found = mounts.ok().and_then(|mounts| {
            let around = mounts.0.into_iter();
            let around = around.filter(|mount| place.starts_with(&mount.mount_point));
            // The last of several mounts at one path hides the others.
            around.max_by_key(|mount| mount.mount_point.as_os_str().len())
        });
        match found {
            Some(found) => Self {
                point: found.mount_point,
                kind: found.fs_type,
                swaps: !found.super_options.contains_key("noswap"),
            },
            None => Self {
                point: place,
                kind: "unknown".to_owned(),
                swaps: true,
            },
        }
    }
}

impl Amount {
    fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            files: self.files.saturating_add(other.files),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            files: self.files.saturating_sub(other.files),
        }
    }

    fn fits_in(self, other: Self) -> bool {
        self.bytes <= other.bytes && self.files <= other.files
    }
}

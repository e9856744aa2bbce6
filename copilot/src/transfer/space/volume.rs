//! One file system: how much may still be written to it, and how much of that is claimed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::{Shortage, SpaceError};
use super::memory::{Bounding, Memory};

/// How long a look at a file system is believed. Others may write to it, too.
const BELIEVED: Duration = Duration::from_secs(1);

/// The types of file systems whose pages are memory.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// A file system that is written to.
#[derive(Debug)]
pub(super) struct Volume {
    /// A place on it.
    place: PathBuf,
    /// What a file takes is a multiple of this.
    block: u64,
    /// What bounds it if it lies in memory.
    memory: Option<Memory>,
    ledger: Mutex<Ledger>,
    /// Bytes since memory was last looked at.
    unseen: AtomicU64,
}

/// Something that a file system has only so much of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) bytes: u64,
    pub(super) files: u64,
}

#[derive(Debug, Default)]
struct Ledger {
    /// Claimed and not written yet.
    claimed: Amount,
    seen: Option<Seen>,
}

/// A look at the file system.
#[derive(Debug)]
struct Seen {
    left: Amount,
    /// What was claimed then, and since then. What of it was written since then is missing from what
    /// is left by now.
    claimed: Amount,
    at: Instant,
}

/// What a file system says of itself.
struct Statistics {
    left: Amount,
    size: u64,
    block: u64,
}

impl Volume {
    /// The file system of `place`, which is there.
    pub(super) fn at(place: &Path) -> Self {
        let mount = Mount::of(place);
        let in_memory = IN_MEMORY.contains(&mount.kind.as_str());
        let memory = in_memory.then(|| Memory::of_this_process(mount.swaps));
        let step = memory.as_ref().map_or(0, Memory::step);
        Self {
            place: place.to_owned(),
            block: Statistics::of(place).block,
            memory,
            ledger: Mutex::default(),
            // So that the first bytes have it looked at.
            unseen: AtomicU64::new(step),
        }
    }

    /// Whether it lies in memory.
    pub(super) fn is_in_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// Reserves room for a file of `size` bytes in place of one that takes `replaced`; gives what was
    /// reserved, to be [released](Self::release).
    pub(super) fn reserve(
        &self,
        path: &Path,
        size: u64,
        replaced: u64,
    ) -> Result<Amount, SpaceError> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let size = size.checked_next_multiple_of(self.block).unwrap_or(size);
        let needed = Amount {
            bytes: size.saturating_sub(replaced),
            files: u64::from(replaced == 0),
        };
        let believed = ledger.seen.as_mut().filter(|seen| {
            seen.at.elapsed() < BELIEVED && seen.claimed.plus(needed).fits_in(seen.left)
        });
        if let Some(seen) = believed {
            seen.claimed = seen.claimed.plus(needed);
        } else {
            let claimed = ledger.claimed.plus(needed);
            let left = self.look(path, claimed)?;
            let at = Instant::now();
            ledger.seen = Some(Seen { left, claimed, at });
        }
        ledger.claimed = ledger.claimed.plus(needed);
        Ok(needed)
    }

    /// Takes note that a part of what was reserved is not needed any more.
    pub(super) fn release(&self, amount: Amount) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.claimed = ledger.claimed.minus(amount);
    }

    /// Looks, now and then, whether memory gets short by what was written.
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

    /// What is left, if it is as much as `claimed`.
    fn look(&self, path: &Path, claimed: Amount) -> Result<Amount, SpaceError> {
        let statistics = Statistics::of(&self.place);
        let refuse = |planned, shortage| SpaceError {
            path: path.to_owned(),
            planned,
            shortage,
        };
        let mut left = statistics.left;
        let bytes = claimed.bytes;
        if claimed.files > left.files {
            let Mount {
                point: mount, kind, ..
            } = Mount::of(&self.place);
            let left = left.files;
            return Err(refuse(None, Shortage::Files { kind, mount, left }));
        }
        if bytes > left.bytes {
            return Err(refuse(Some(bytes), shortage(&self.place)));
        }
        if let Some((least, bounding)) = self.memory.as_ref().and_then(Memory::left) {
            if bytes > least {
                let shortage = self.out_of_memory(least, bounding);
                return Err(refuse(Some(bytes), shortage));
            }
            left.bytes = left.bytes.min(least);
        }
        Ok(left)
    }

    fn out_of_memory(&self, left: u64, bounding: Bounding) -> Shortage {
        let mount = Mount::of(&self.place).point;
        match bounding {
            Bounding::Limit(limit) => Shortage::Memory { mount, limit, left },
            Bounding::Node => Shortage::Node { mount, left },
        }
    }
}

/// What a file system that is full lacks.
pub(super) fn shortage(place: &Path) -> Shortage {
    let statistics = Statistics::of(place);
    let found = Mount::of(place);
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
    /// Of a file system that says nothing, or has no bound, there is always enough.
    fn of(place: &Path) -> Self {
        const ANY: u64 = u64::MAX / 2;
        let Ok(found) = rustix::fs::statvfs(place) else {
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
struct Mount {
    point: PathBuf,
    kind: String,
    swaps: bool,
}

impl Mount {
    /// The mount that `place` lies on; of what cannot be found, the place itself.
    fn of(place: &Path) -> Self {
        let place = place.canonicalize().unwrap_or_else(|_| place.to_owned());
        let mounts = procfs::process::Process::myself().and_then(|own| own.mountinfo());
        let found = mounts.ok().and_then(|mounts| {
            let around = mounts.0.into_iter();
            let around = around.filter(|mount| place.starts_with(&mount.mount_point));
            // Of several at one place the last one counts.
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

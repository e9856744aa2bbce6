//! What makes a directory the same directory, and when it was born.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, StatxFlags, Timespec, fstat, makedev, statx};
use rustix::io::Errno;

/// A directory's identity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    /// The mount through which it was reached; `None` before Linux 5.8.
    mount: Option<u64>,
    /// When it was made, in seconds and nanoseconds; `None` where its file system does not keep that.
    born: Option<(i64, u32)>,
}

impl Identity {
    /// The identity of an open directory.
    pub(super) fn of(directory: BorrowedFd<'_>) -> Result<Self, Errno> {
        let wanted = StatxFlags::INO | StatxFlags::MNT_ID | StatxFlags::BTIME;
        let found = match statx(directory, "", AtFlags::EMPTY_PATH, wanted) {
            Ok(found) => found,
            // Sandboxes that do not know the call.
            Err(Errno::NOSYS | Errno::PERM) => {
                let stat = fstat(directory)?;
                return Ok(Self {
                    device: stat.st_dev,
                    inode: stat.st_ino,
                    mount: None,
                    born: None,
                });
            }
            Err(error) => return Err(error),
        };
        let told = StatxFlags::from_bits_retain(found.stx_mask);
        let born = (found.stx_btime.tv_sec, found.stx_btime.tv_nsec);
        Ok(Self {
            device: makedev(found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
            mount: told
                .contains(StatxFlags::MNT_ID)
                .then_some(found.stx_mnt_id),
            born: told.contains(StatxFlags::BTIME).then_some(born),
        })
    }

    /// Whether both are one directory, reached through one mount.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.is_on_mount_of(other) && self.inode == other.inode
    }

    /// Whether both are on one mount; before Linux 5.8, on one file system.
    pub(super) fn is_on_mount_of(&self, other: &Self) -> bool {
        let differ = matches!((self.mount, other.mount), (Some(one), Some(two)) if one != two);
        self.device == other.device && !differ
    }

    /// When it was made, by the wall clock of that time, if its file system keeps that.
    pub(super) fn born(&self) -> Option<Timespec> {
        self.born.map(|(tv_sec, nanoseconds)| Timespec {
            tv_sec,
            tv_nsec: nanoseconds.into(),
        })
    }
}

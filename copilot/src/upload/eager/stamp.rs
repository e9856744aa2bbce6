//! What the kernel says of a file, and when the same answer later proves the same content.
//!
//! Size, times and inode alone prove little. A program can write through a mapping that it made before
//! we looked: the times move at the first write to a clean page, and not again until the page is written
//! back. It can set the modification time. And two changes within one tick of the kernel's clock look
//! like one. So three conditions are checked *before* the bytes are read, and all must hold for an equal
//! stamp to count as proof at main's end:
//!
//! 1. Nobody has the file open for writing. The kernel gives a read lease only then, and a writable
//!    shared mapping keeps its file open for writing until it is unmapped, even when its descriptor is
//!    closed. (A lease needs the file's owner, or `CAP_LEASE`.) A later change must open the file again.
//! 2. The last change is older than the clock's grain, so that a later change gets another time. The
//!    change time (`ctime`), unlike the modification time, cannot be set.
//! 3. The file system notes writes through mappings: the first write through a later mapping moves the
//!    times. On tmpfs it does not if the page was read before.
//!
//! Tested on Linux 6.18 with ext4 and tmpfs; xfs and btrfs have the same hook for writes through
//! mappings. All other files are read again at main's end and compared.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use rustix::fs::{Stat, fstat, fstatfs};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Sets the signal of a lease; the same number everywhere (`asm-generic/fcntl.h`).
const F_SETSIG: libc::c_int = 10;

/// File systems that note each first write through a mapping: ext2 to ext4, xfs, btrfs.
const NOTE_MAPPED_WRITES: [u64; 3] = [0xEF53, 0x5846_5342, 0x9123_683E];

/// The longest tick of a kernel's clock (100 a second).
const TICK: Duration = Duration::from_millis(10);

/// The tick where a file system counts whole seconds.
const SECOND: Duration = Duration::from_secs(1);

/// A state of a file: two states with different content usually have different stamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Whether somebody has a file open for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// Nobody has it open for writing.
    None,
    /// Somebody has it open for writing, or has a writable mapping of it.
    Some,
    /// The kernel does not say.
    Unknown,
}

/// A file before it is read.
#[derive(Clone, Copy, Debug)]
pub struct FileState {
    /// What the kernel says about the file.
    pub stamp: Stamp,
    /// Time since its last change.
    pub age: Duration,
    /// Whether somebody has it open for writing.
    pub writers: Writers,
    /// Why a file with the same stamp may have other content, if it may.
    pub doubt: Option<&'static str>,
}

impl Stamp {
    /// The stamp of a file.
    pub fn from_stat(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: (stat.st_mtime, stat.st_mtime_nsec.cast_signed()),
            changed: (stat.st_ctime, stat.st_ctime_nsec.cast_signed()),
        }
    }

    /// The stamp of an opened file.
    pub fn from_file(file: &File) -> io::Result<Self> {
        Ok(Self::from_stat(&fstat(file)?))
    }

    /// The file's size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl FileState {
    /// The state of an opened file. The order matters: clock, lease, stamp, and only then its bytes.
    pub fn from_file(file: &File) -> io::Result<Self> {
        let clock = clock_gettime(ClockId::RealtimeCoarse);
        let writers = writers(file);
        let stamp = Stamp::from_file(file)?;
        let age = since(clock, stamp.changed);
        let doubt = match writers {
            Writers::Some => Some("somebody has it open for writing"),
            Writers::Unknown => Some(
                "the kernel gives no lease of it: a lease needs the file's owner or CAP_LEASE, and a local \
                 file system",
            ),
            Writers::None if age.is_none_or(|age| age <= grain(stamp.changed)) => {
                Some("it may have changed within one tick of its file system's clock")
            }
            Writers::None if !notes_mapped_writes(file)? => {
                Some("its file system does not note every write through a mapping")
            }
            Writers::None => None,
        };
        Ok(Self {
            stamp,
            age: age.unwrap_or_default(),
            writers,
            doubt,
        })
    }
}

/// The time from a change to now, or `None` if the change lies in the future.
fn since(now: Timespec, (seconds, rest): (i64, i64)) -> Option<Duration> {
    let nanoseconds =
        |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    let passed = nanoseconds(now.tv_sec, now.tv_nsec) - nanoseconds(seconds, rest);
    u64::try_from(passed).ok().map(Duration::from_nanos)
}

/// The longest time between two changes that can have the same time. A time in whole seconds may come
/// from a file system without fractions (ext4 with small inodes).
fn grain((_, nanoseconds): (i64, i64)) -> Duration {
    if nanoseconds == 0 { SECOND } else { TICK }
}

/// Asks for a read lease and gives it back at once: while we hold it, a program that opens the file for
/// writing waits for us.
fn writers(file: &File) -> Writers {
    let descriptor = file.as_raw_fd();
    // If the lease is broken at that very moment, its default signal (SIGIO) would kill us. SIGURG is
    // ignored by default.
    // SAFETY: the descriptor is open as long as `file` is, and the command takes an integer.
    let armed = unsafe { libc::fcntl(descriptor, F_SETSIG, libc::SIGURG) };
    if armed != 0 {
        return Writers::Unknown;
    }
    // SAFETY: as above.
    if unsafe { libc::fcntl(descriptor, libc::F_SETLEASE, libc::F_RDLCK) } == 0 {
        // SAFETY: as above.
        unsafe { libc::fcntl(descriptor, libc::F_SETLEASE, libc::F_UNLCK) };
        return Writers::None;
    }
    match io::Error::last_os_error().kind() {
        io::ErrorKind::WouldBlock => Writers::Some,
        _ => Writers::Unknown,
    }
}

fn notes_mapped_writes(file: &File) -> io::Result<bool> {
    let kind = fstatfs(file)?.f_type;
    Ok(NOTE_MAPPED_WRITES.contains(&kind.cast_unsigned()))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::thread::sleep;

    use super::*;

    #[test]
    fn a_change_that_may_share_its_time_proves_nothing() {
        let now = |seconds, nanoseconds| Timespec {
            tv_sec: seconds,
            tv_nsec: nanoseconds,
        };
        for (clock, changed, age, is_older) in [
            (now(100, 20_000_000), (100, 1), Some(19_999_999), true),
            (now(100, 10_000_001), (100, 1), Some(10_000_000), false),
            (now(101, 0), (100, 999_999_999), Some(1), false),
            // Whole seconds.
            (now(100, 900_000_000), (100, 0), Some(900_000_000), false),
            (now(101, 1), (100, 0), Some(1_000_000_001), true),
            // Ahead of the clock.
            (now(100, 0), (100, 1), None, false),
        ] {
            let found = since(clock, changed);
            assert_eq!(found, age.map(Duration::from_nanos), "{clock:?}");
            assert_eq!(
                found.is_some_and(|age| age > grain(changed)),
                is_older,
                "{clock:?}"
            );
        }
    }

    #[test]
    fn writers_are_seen_and_only_their_absence_proves() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("o");
        fs::write(&path, "x").unwrap();
        sleep(Duration::from_millis(60));
        let file = File::open(&path).unwrap();
        let look = FileState::from_file(&file).unwrap();
        // The file is ours, so only a file system without leases keeps it from us.
        assert_ne!(look.writers, Writers::Some);
        let notes = notes_mapped_writes(&file).unwrap();
        assert_eq!(look.doubt.is_none(), look.writers == Writers::None && notes);

        let writer = OpenOptions::new().write(true).open(&path).unwrap();
        let while_open = FileState::from_file(&file).unwrap();
        assert_ne!(while_open.writers, Writers::None);
        assert!(while_open.doubt.is_some());
        drop(writer);
        // Other readers do not matter, and our lease is gone by then.
        let reader = File::open(&path).unwrap();
        assert_eq!(FileState::from_file(&file).unwrap().writers, look.writers);
        assert_eq!(FileState::from_file(&reader).unwrap().writers, look.writers);
        OpenOptions::new().write(true).open(&path).unwrap();
    }
}

//! What the kernel says of a file, and when an equal answer later proves equal content.
//!
//! Size, times and inode alone prove little. A program may write through a mapping that it made
//! before we looked: the times move at the first such write after the page was clean, and not again
//! until it is written back. It may set the modification time as it likes. And two changes within
//! one tick of the kernel's clock look like one. So three things are asked *before* the bytes are
//! read, and all must hold for an equal stamp to count as proof at main's end:
//!
//! 1. Nobody has the file open for writing. A read lease says so: the kernel gives one only then,
//!    and a writable shared mapping keeps its file open for writing until it is gone, even when its
//!    descriptor is closed. (It takes the file's owner, or `CAP_LEASE`.) Whoever changes the file
//!    later must open it after that moment.
//! 2. The last change is older than the clock's grain, so a later one gets another time. The time of
//!    change (`ctime`), unlike that of modification, cannot be set.
//! 3. The file system notes a write through a mapping: its first one, on a mapping that was made
//!    later, moves the times. Not so on tmpfs, where the times stay if the page was read before.
//!
//! Tried on Linux 6.18 with ext4 and tmpfs; xfs and btrfs have the same hook for writes through
//! mappings. All other files are read again at main's end and compared.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use rustix::fs::{Stat, fstat, fstatfs};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Sets the signal of a lease; the same number everywhere (`asm-generic/fcntl.h`).
const F_SETSIG: libc::c_int = 10;

/// File systems that note each first write through a mapping: ext4 (and its elders), xfs, btrfs.
const NOTE_MAPPED_WRITES: [u64; 3] = [0xEF53, 0x5846_5342, 0x9123_683E];

/// The longest tick of a kernel's clock (100 a second).
const TICK: Duration = Duration::from_millis(10);

/// The tick where a file system counts whole seconds.
const SECOND: Duration = Duration::from_secs(1);

/// What tells one state of a file from another.
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
    /// Nobody has.
    None,
    /// Somebody has, or has a writable mapping.
    Some,
    /// The kernel does not tell us.
    Unknown,
}

/// A file as it is found before it is read.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Its state.
    pub stamp: Stamp,
    /// Time since it changed.
    pub age: Duration,
    /// Who writes.
    pub writers: Writers,
    /// Why a file of the same stamp may be one of other content, if it may.
    pub doubt: Option<&'static str>,
}

impl Stamp {
    /// The state of a file.
    pub fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: (stat.st_mtime, stat.st_mtime_nsec.cast_signed()),
            changed: (stat.st_ctime, stat.st_ctime_nsec.cast_signed()),
        }
    }

    /// The state of an opened file.
    pub fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self::of(&fstat(file)?))
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Look {
    /// Looks at an opened file. The order matters: clock, lease, stamp, and then its bytes.
    pub fn at(file: &File) -> io::Result<Self> {
        let clock = clock_gettime(ClockId::RealtimeCoarse);
        let writers = writers(file);
        let stamp = Stamp::of_file(file)?;
        let age = since(clock, stamp.changed);
        let doubt = match writers {
            Writers::Some => Some("somebody has it open for writing"),
            Writers::Unknown => Some(
                "the kernel gives us no lease of it, which takes its owner or CAP_LEASE, and a \
                 file system of this node",
            ),
            Writers::None if age.is_none_or(|age| age <= grain(stamp.changed)) => {
                Some("it has just changed, as far as its file system's clock tells")
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

/// The time from a change to now; none if the change lies ahead.
fn since(now: Timespec, (seconds, rest): (i64, i64)) -> Option<Duration> {
    let nanoseconds =
        |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    let passed = nanoseconds(now.tv_sec, now.tv_nsec) - nanoseconds(seconds, rest);
    u64::try_from(passed).ok().map(Duration::from_nanos)
}

/// The longest time between two changes that may be given one time. A time of whole seconds may be
/// that of a file system which counts no finer (ext4 with small inodes).
fn grain((_, nanoseconds): (i64, i64)) -> Duration {
    if nanoseconds == 0 { SECOND } else { TICK }
}

/// Asks for a read lease and gives it back at once: as long as we held it, whoever opens the file
/// for writing would wait for us.
fn writers(file: &File) -> Writers {
    let descriptor = file.as_raw_fd();
    // The signal of a lease that is broken in that very moment would end us (SIGIO); this one is
    // ignored unless somebody asks for it.
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
        let look = Look::at(&file).unwrap();
        // The file is ours, so only a file system without leases keeps it from us.
        assert_ne!(look.writers, Writers::Some);
        let notes = notes_mapped_writes(&file).unwrap();
        assert_eq!(look.doubt.is_none(), look.writers == Writers::None && notes);

        let writer = OpenOptions::new().write(true).open(&path).unwrap();
        let while_open = Look::at(&file).unwrap();
        assert_ne!(while_open.writers, Writers::None);
        assert!(while_open.doubt.is_some());
        drop(writer);
        // Other readers do not matter, and our lease is gone by then.
        let reader = File::open(&path).unwrap();
        assert_eq!(Look::at(&file).unwrap().writers, look.writers);
        assert_eq!(Look::at(&reader).unwrap().writers, look.writers);
        OpenOptions::new().write(true).open(&path).unwrap();
    }
}

//! File systems that other nodes can change without this kernel's noticing, and whose server may refuse late what was
//! written.

use std::io;
use std::os::fd::AsFd;

use rustix::fs::{fdatasync, fstatfs};
use rustix::io::Errno;

/// They, by their numbers in `statfs`.
const REMOTE: [(u64, &str); 7] = [
    (0x6969, "NFS"),
    (0x6573_5546, "FUSE"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB"),
    (0x0102_1997, "9p"),
    (0x00C3_6400, "Ceph"),
];

/// The name of the file system of an open file, if other nodes can change it.
#[must_use]
pub fn remote_kind(file: impl AsFd) -> Option<&'static str> {
    let kind = fstatfs(file).ok()?.f_type.cast_unsigned();
    let known = REMOTE.iter().find(|(number, _)| *number == kind)?;
    Some(known.1)
}

/// Waits until a file server has taken what was written to a file: it may refuse it only then, for want of room or
/// because of a quota, and closing the file would hide that. A local file system has refused it before.
///
/// # Errors
/// The server's.
pub fn sync_if_remote(file: impl AsFd) -> io::Result<()> {
    if remote_kind(&file).is_none() {
        return Ok(());
    }
    match fdatasync(file) {
        // Its files cannot be synchronized.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(()),
        synced => Ok(synced?),
    }
}

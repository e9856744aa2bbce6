//! Not enough room: for what, where, and which limit to raise.

use std::fmt;
use std::path::{Path, PathBuf};

use super::volume::shortage;
use crate::transfer::progress::ByteCount;

/// A file does not fit where it should be written.
#[derive(Debug, thiserror::Error)]
#[error("{path} has no room: {plan}{shortage}", path = .path.display(), plan = Plan(*planned))]
pub struct SpaceError {
    /// The file that does not fit.
    pub path: PathBuf,
    /// Bytes that this file and the files beside it still need, where that is known.
    pub planned: Option<u64>,
    /// What is too small.
    pub shortage: Shortage,
}

impl SpaceError {
    /// Whether the kernel says with this error that a file system or a quota is full.
    pub(in crate::transfer) fn is_full(error: &std::io::Error) -> bool {
        matches!(
            error.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        )
    }

    /// The error of a write to `path` that the kernel refused because it is full.
    pub(in crate::transfer) fn from_full(path: &Path) -> Self {
        let there = path.ancestors().find(|path| path.exists());
        Self {
            path: path.to_owned(),
            planned: None,
            shortage: shortage(there.unwrap_or(path)),
        }
    }
}

/// What is too small, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Shortage {
    /// A file system on disk, or a quota on it.
    #[error(
        "the {kind} file system at {mount} has {} left of {}. Give the volume more: a larger claim or \
         quota, or for an emptyDir a node with more disk (ask for it as ephemeral-storage)",
        ByteCount(*left), ByteCount(*size), mount = .mount.display()
    )]
    Disk {
        /// The type of the file system.
        kind: String,
        /// Where it is mounted.
        mount: PathBuf,
        /// Bytes that users may still write.
        left: u64,
        /// Its bytes in all.
        size: u64,
    },
    /// A tmpfs's own size.
    #[error(
        "the tmpfs at {mount} has {} left of {}. Raise the sizeLimit of the emptyDir (and the memory \
         limit of the pod, which also limits it), or use an emptyDir on disk (without `medium: Memory`)",
        ByteCount(*left), ByteCount(*size), mount = .mount.display()
    )]
    Tmpfs {
        /// Where it is mounted.
        mount: PathBuf,
        /// Bytes that files may still take of it.
        left: u64,
        /// Its bytes in all.
        size: u64,
    },
    /// The memory limit of our own container, or of a parent cgroup: pages of a tmpfs count against it.
    #[error(
        "the tmpfs at {mount} takes memory of this container, whose limit of {} leaves {} for files. \
         Raise the memory limit of this container (not of main), or use an emptyDir on disk (without \
         `medium: Memory`)",
        ByteCount(*limit), ByteCount(*left), mount = .mount.display()
    )]
    Memory {
        /// Where the tmpfs is mounted.
        mount: PathBuf,
        /// The limit in bytes.
        limit: u64,
        /// Bytes that files may still take of it.
        left: u64,
    },
    /// The memory of the machine.
    #[error(
        "the tmpfs at {mount} takes memory of the node, which has {} left for files. Use an emptyDir \
         on disk (without `medium: Memory`), or a node with more memory",
        ByteCount(*left), mount = .mount.display()
    )]
    Node {
        /// Where the tmpfs is mounted.
        mount: PathBuf,
        /// Bytes that files may still take of it.
        left: u64,
    },
    /// The number of files.
    #[error(
        "the {kind} file system at {mount} has room for {left} more files (inodes). Use a volume that \
         holds more files, or inputs of fewer files",
        mount = .mount.display()
    )]
    Files {
        /// The file system's type.
        kind: String,
        /// Where it is mounted.
        mount: PathBuf,
        /// Files that may still be made.
        left: u64,
    },
    /// The allowance of the user.
    #[error(
        "--volume-size-limit allows {} in all. Raise it, and the sizeLimit of the emptyDir with it",
        ByteCount(*limit)
    )]
    Allowance {
        /// The allowance in bytes.
        limit: u64,
    },
}

struct Plan(Option<u64>);

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(planned) => write!(f, "{} should be written, but ", ByteCount(planned)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_does_not_fit_where_and_what_to_do() {
        let error = SpaceError {
            path: "/in/x".into(),
            planned: Some(1 << 30),
            shortage: Shortage::Memory {
                mount: "/in".into(),
                limit: 128 << 20,
                left: 100 << 20,
            },
        };
        assert_eq!(
            error.to_string(),
            "/in/x has no room: 1.00 GiB should be written, but the tmpfs at /in takes memory of this \
             container, whose limit of 128 MiB leaves 100 MiB for files. Raise the memory limit of \
             this container (not of main), or use an emptyDir on disk (without `medium: Memory`)"
        );
    }
}

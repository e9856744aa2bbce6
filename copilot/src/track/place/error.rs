//! Why our pod was not found.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why our pod was not found.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// A file of our own in `/proc` cannot be read.
    #[error("cannot find our own pod: {path} cannot be read ({source})")]
    Unreadable {
        /// The file.
        path: &'static str,
        /// The error of the read.
        source: io::Error,
    },
    /// Our own cgroup does not lie in a pod's.
    #[error(
        "our own cgroup {path} does not belong to a pod of kubelet's; name the pod's cgroup with \
         --pod-cgroup"
    )]
    NoPod {
        /// Our own cgroup.
        path: String,
    },
    /// `--proc-root` names a directory that is not the node's `/proc`.
    #[error(
        "--proc-root {path} is not the node's /proc (1/cgroup: {source}); mount the node's /proc \
         there (a `hostPath` volume of path /proc)"
    )]
    NoSuchProc {
        /// The directory that was given.
        path: PathBuf,
        /// The error of a look at the node's first process.
        source: io::Error,
    },
    /// `--pod-cgroup` names a directory that is not a pod's cgroup.
    #[error(
        "--pod-cgroup {path} is not a directory of a mounted cgroup2 hierarchy ({source}); \
         give its full path, such as /sys/fs/cgroup/kubepods/…/pod<uid>"
    )]
    NoSuchCgroup {
        /// The directory that was given.
        path: PathBuf,
        /// The rule that it breaks.
        source: NotACgroup,
    },
}

/// Why a directory cannot be the pod's cgroup.
#[derive(Debug, Error)]
pub enum NotACgroup {
    /// The directory does not exist, or we may not open it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is an ordinary directory.
    #[error("it has no cgroup.procs")]
    NoProcs,
    /// No cgroup2 hierarchy is mounted in our container.
    #[error("no cgroup2 hierarchy is mounted here")]
    NotMounted,
    /// It lies outside the mounted hierarchy.
    #[error("the hierarchy is mounted at {}", mount.display())]
    Elsewhere {
        /// Where the hierarchy is mounted.
        mount: PathBuf,
    },
    /// It is the root of the hierarchy.
    #[error("it is the root of the hierarchy, and a pod lies below it")]
    Root,
}

/// `--pod-cgroup` names a directory that is not a pod's cgroup.
pub(super) fn no_such_cgroup(path: &std::path::Path, source: NotACgroup) -> PlaceError {
    PlaceError::NoSuchCgroup {
        path: path.to_owned(),
        source,
    }
}

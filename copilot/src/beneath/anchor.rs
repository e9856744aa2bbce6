//! The way from `/` to a directory that others may change.
//!
//! Our own root file system is ours: links in it are followed. Other mounts are volumes, and others may change
//! those: no link in them is followed.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, fstat, open, openat, readlink, readlinkat};
use rustix::io::Errno;

use super::identity::Identity;
use super::resolve::is_link;

/// How many links are followed on a path; as many as the kernel follows.
const LINKS: u32 = 40;

/// The deepest directory on a path that exists.
#[derive(Debug)]
pub(super) struct Anchor {
    pub(super) descriptor: OwnedFd,
    pub(super) identity: Identity,
    /// Its path, without links.
    pub(super) path: PathBuf,
    /// What is left of the path beneath it.
    pub(super) rest: PathBuf,
}

impl Anchor {
    /// Walks along an absolute path as far as directories exist.
    pub(super) fn walk(path: &Path) -> Result<Self, Errno> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let mut at = open("/", flags | OFlags::DIRECTORY, Mode::empty())?;
        let root = Identity::of(at.as_fd())?;
        let mut reached = PathBuf::from("/");
        let mut todo: VecDeque<OsString> = components(path).collect();
        let mut links = 0;
        while let Some(name) = todo.pop_front() {
            let next = match openat(&at, &*name, flags | OFlags::NOFOLLOW, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::LOOP) => {
                    todo.push_front(name);
                    break;
                }
                Err(error) => return Err(error),
            };
            let stat = fstat(&next)?;
            if is_link(&stat) {
                links += 1;
                let is_ours = Identity::of(at.as_fd())?.is_on_mount_of(&root);
                if !is_ours || links > LINKS {
                    todo.push_front(name);
                    break;
                }
                let target = readlinkat(&next, "", Vec::new())?;
                let target = PathBuf::from(OsStr::from_bytes(target.as_bytes()));
                if target.is_absolute() {
                    at = open("/", flags | OFlags::DIRECTORY, Mode::empty())?;
                    reached = PathBuf::from("/");
                }
                for component in components(&target).collect::<Vec<_>>().into_iter().rev() {
                    todo.push_front(component);
                }
                continue;
            }
            if stat.st_mode & libc::S_IFMT != libc::S_IFDIR {
                todo.push_front(name);
                break;
            }
            at = next;
            if name == ".." {
                reached.pop();
            } else {
                reached.push(name);
            }
        }
        Ok(Self {
            identity: Identity::of(at.as_fd())?,
            descriptor: at,
            path: reached,
            rest: todo.into_iter().collect(),
        })
    }
}

/// The components of a path, without `/` and `.`.
fn components(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(_) | Component::ParentDir => Some(component.as_os_str().to_owned()),
        _ => None,
    })
}

/// The path of an open directory; `None` without `/proc`.
pub(super) fn path_of(directory: BorrowedFd<'_>) -> Option<PathBuf> {
    let link = format!("/proc/self/fd/{}", directory.as_raw_fd());
    let target = readlink(link, Vec::new()).ok()?;
    Some(PathBuf::from(OsStr::from_bytes(target.as_bytes())))
}

//! A look at everything in the output directory, and what has changed since the last one.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Dir, FileType, fstat, fstatfs};
use tokio::time::Instant;
use tracing::debug;

use super::MOST_FILES;
use super::stamp::Stamp;
use crate::upload::directory::Directory;

/// Time between two scans.
const PAUSE: Duration = Duration::from_secs(2);

/// How many times as long as a scan took there is none: a twentieth of our time at most.
const SHARE: u32 = 20;

/// File systems that others may change without this kernel's knowledge, by the number that `statfs`
/// gives: NFS, FUSE, SMB and CIFS, 9p, Ceph.
const REMOTE: [(u64, &str); 7] = [
    (0x6969, "NFS"),
    (0x6573_5546, "FUSE"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB"),
    (0x0102_1997, "9p"),
    (0x00C3_6400, "Ceph"),
];

/// Something in a directory.
pub enum Change {
    /// A directory.
    Directory(PathBuf),
    /// A regular file.
    File(PathBuf),
}

/// Repeated looks at everything.
#[derive(Debug, Default)]
pub struct Scan {
    seen: HashMap<PathBuf, Stamp>,
    next: Option<Instant>,
}

impl Scan {
    /// When the next look is due.
    pub fn next(&self) -> Instant {
        self.next.unwrap_or_else(Instant::now)
    }

    /// Has the next look tell everything, as if it were the first.
    pub fn tell_again(&mut self) {
        self.seen.clear();
    }

    /// Looks; gives what is new or has changed. Nothing if the directory itself is gone.
    pub fn run(&mut self, directory: &Directory, names: &[String]) -> Option<Vec<PathBuf>> {
        let began = Instant::now();
        let root = directory.open_directory(Path::new("")).ok()?;
        if fstat(&root).ok()?.st_nlink == 0 {
            return None;
        }
        let mut before = std::mem::take(&mut self.seen);
        let mut changed = Vec::new();
        let mut todo = vec![PathBuf::new()];
        while let Some(path) = todo.pop() {
            let mut files = Vec::new();
            let listed = list(directory, &path, names, |change| match change {
                Change::Directory(path) => todo.push(path),
                Change::File(path) => files.push(path),
            });
            if let Err(error) = listed {
                debug!(%error, path = directory.shown(&path), "not listed");
            }
            for file in files {
                let Ok(Some(stat)) = directory.stat(&file) else {
                    continue;
                };
                let now = Stamp::of(&stat);
                if before.remove(&file) != Some(now) {
                    changed.push(file.clone());
                }
                if self.seen.len() < MOST_FILES {
                    self.seen.insert(file, now);
                }
            }
        }
        self.next = Some(Instant::now() + PAUSE.max(began.elapsed() * SHARE));
        Some(changed)
    }
}

/// Lists a directory; links are not followed. Of the output directory itself only what may belong
/// to one of the variables `names` is told.
pub fn list(
    directory: &Directory,
    path: &Path,
    names: &[String],
    mut tell: impl FnMut(Change),
) -> io::Result<()> {
    for entry in Dir::read_from(directory.open_directory(path)?)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let name = OsStr::from_bytes(name);
        if path.as_os_str().is_empty() && !is_of_interest(name, names) {
            continue;
        }
        let path = path.join(name);
        match entry.file_type() {
            FileType::Directory => tell(Change::Directory(path)),
            FileType::RegularFile => tell(Change::File(path)),
            FileType::Unknown => match directory.stat(&path)?.map(|stat| stat.st_mode) {
                Some(mode) if FileType::from_raw_mode(mode) == FileType::Directory => {
                    tell(Change::Directory(path));
                }
                Some(mode) if FileType::from_raw_mode(mode) == FileType::RegularFile => {
                    tell(Change::File(path));
                }
                _ => {}
            },
            _ => {}
        }
    }
    Ok(())
}

/// Whether a name may be that of a variable, with or without an extension.
pub fn is_of_interest(name: &OsStr, variables: &[String]) -> bool {
    let name = name.as_encoded_bytes();
    variables.iter().any(|variable| {
        let rest = name.strip_prefix(variable.as_bytes());
        rest.is_some_and(|rest| rest.first().is_none_or(|next| *next == b'.'))
    })
}

/// Why the kernel may not know what happens in the directory, if it may not.
pub fn is_remote(directory: &Directory) -> Option<String> {
    let opened = directory.open_directory(Path::new("")).ok()?;
    let kind = fstatfs(&opened).ok()?.f_type.cast_unsigned();
    let known = REMOTE.iter().find(|(number, _)| *number == kind)?;
    Some(format!("it lies on {}, which others may change", known.1))
}

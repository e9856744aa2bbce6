//! What an earlier run left in the input directory: a volume outlives its containers.
//!
//! The earlier run's unfinished files are removed, since their names are ours, and the files that its own
//! metadata names ([`placed`]). Everything else may be main's, so it stays, and a warning names it. An entry
//! is of an earlier time if its inode was last changed before this run began, by the clock of the file
//! system. Never here: files of this run. Caller: `download`.

mod placed;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::Stat;
use tracing::{debug, warn};

pub(super) use self::placed::remove_placed;

use crate::beneath::{FileKind, GuardedDirectory, Place, kind};
use crate::literal::PathSample;
use crate::literal::input::{InputPlan, MARKERS};
use crate::transfer::{CopyError, is_partial, remove, remove_unfinished, write_file};

/// A file that is made to read the file system's clock, and removed.
const PROBE: &str = ".copilot-begun";

/// Room for the paths of directories that are still to be looked at, in bytes.
const ROOM: usize = 4 << 20;

/// A directory that file systems make at their root.
const LOST: &str = "lost+found";

/// The input directory before anything was written into it.
#[derive(Debug)]
pub(super) struct EarlierFiles {
    /// When this run began, in seconds and nanoseconds; `None` if the directory was empty.
    began: Option<(i64, i64)>,
}

impl EarlierFiles {
    /// Looks at the input directory, which exists.
    pub(super) fn look(directory: &Arc<GuardedDirectory>) -> Self {
        // A directory that cannot be listed may hold anything.
        let mut is_empty = true;
        let looked = directory.entries(Path::new(""), &mut |_, _| {
            is_empty = false;
            false
        });
        if is_empty && looked.is_ok() {
            return Self { began: None };
        }
        let began = now(&Place::new(directory, PROBE));
        if let Err(error) = &began {
            // The first file of this run meets the same error, which then ends the run.
            debug!(%error, "cannot tell files of an earlier run");
        }
        Self { began: began.ok() }
    }

    /// Whether nothing was in the directory, so that nothing is replaced.
    pub(super) fn are_none(&self) -> bool {
        self.began.is_none()
    }

    /// Removes unfinished files, and warns of whatever else is older than this run and not a part of it.
    ///
    /// `directories` are those that the inputs have, filled or not. `kept` are files and directories that
    /// this run has taken over from the earlier one. Both are paths below the input directory.
    pub(super) fn report(
        &self,
        directory: &Arc<GuardedDirectory>,
        directories: &[PathBuf],
        kept: &HashSet<&Path>,
    ) {
        let Some(began) = self.began else { return };
        let planned: HashSet<&Path> = directories.iter().map(PathBuf::as_path).collect();
        let mut found = PathSample::default();
        let mut todo = vec![(PathBuf::new(), false)];
        let (mut waiting, mut skipped) = (0, 0_u64);
        while let Some((path, is_old)) = todo.pop() {
            waiting -= path.as_os_str().len();
            let mut is_empty = true;
            let looked = directory.entries(&path, &mut |name, stat| {
                is_empty = false;
                let path = path.join(name);
                if kept.contains(&*path) || path == Path::new(LOST) {
                    return true;
                }
                let is_old = changed(stat) < began;
                if is_old && is_partial(name) {
                    discard(&Place::new(directory, path));
                } else if kind(stat) == FileKind::Directory {
                    let length = path.as_os_str().len();
                    if waiting + length > ROOM {
                        skipped += 1;
                        return true;
                    }
                    waiting += length;
                    todo.push((path, is_old));
                } else if is_old {
                    found.push(&path);
                }
                true
            });
            if let Err(error) = looked {
                warn!(path = directory.shown(&path), %error, "cannot look for files of an earlier run here");
            } else if is_empty && is_old && !planned.contains(&*path) {
                found.push(&path);
            }
        }
        if skipped > 0 {
            warn!(
                directory = %directory.path().display(),
                directories = skipped,
                "here are too many directories: not all of them were searched for files of an earlier run"
            );
        }
        if found.count() > 0 {
            warn!(
                directory = %directory.path().display(),
                files = %found,
                count = found.count(),
                "these files were here before and are not part of the inputs; main will see them. Use an \
                 empty volume for each task, or remove them"
            );
        }
    }
}

/// The time of the file system, by a file that is made and removed.
fn now(probe: &Place) -> Result<(i64, i64), CopyError> {
    remove(probe)?;
    write_file(probe, |_| Ok(()))?;
    let found = probe.directory.entry(&probe.path);
    remove(probe)?;
    let found = found.and_then(|found| found.ok_or_else(|| io::ErrorKind::NotFound.into()));
    found
        .map(|stat| changed(&stat))
        .map_err(|source| CopyError::Write {
            path: probe.shown(),
            source,
        })
}

/// The paths that a stream takes over: its data may come from an earlier run of the same inputs.
pub(super) fn kept_by_stream(plan: &InputPlan) -> HashSet<&Path> {
    let data = plan.blobs.iter().map(|blob| blob.path.as_path());
    data.chain(MARKERS.map(Path::new)).collect()
}

/// Removes an unfinished file or directory of an earlier run.
fn discard(place: &Place) {
    match remove_unfinished(place) {
        Ok(true) => {
            debug!(path = %place.shown().display(), "removed: an earlier run did not finish it");
        }
        Ok(false) => debug!(path = %place.shown().display(), "another process still writes it"),
        Err(error) => warn!(%error, "an unfinished file of an earlier run stays"),
    }
}

fn changed(stat: &Stat) -> (i64, i64) {
    (stat.st_ctime, stat.st_ctime_nsec.cast_signed())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    /// Writes files, and waits until the file system's clock has moved on.
    fn write(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let now = || {
            fs::write(root.join("now"), "").unwrap();
            let found = fs::metadata(root.join("now")).unwrap();
            (found.ctime(), found.ctime_nsec())
        };
        let before = now();
        while now() <= before {
            std::thread::yield_now();
        }
        fs::remove_file(root.join("now")).unwrap();
    }

    /// All files, in the order of their names.
    fn left(directory: &GuardedDirectory) -> Vec<String> {
        let (mut found, mut todo) = (Vec::new(), vec![PathBuf::new()]);
        while let Some(above) = todo.pop() {
            let mut see = |name: &std::ffi::OsStr, stat: &Stat| {
                let path = above.join(name);
                if kind(stat) == FileKind::Directory {
                    todo.push(path);
                } else {
                    found.push(path.display().to_string());
                }
                true
            };
            directory.entries(&above, &mut see).unwrap();
        }
        found.sort();
        found
    }

    #[test]
    fn unfinished_files_of_an_earlier_run_are_removed_and_no_others() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        write(
            root,
            &[
                "mine",
                ".copilot-partial.0123456789abcdef",
                "dir/.copilot-partial.0123456789abcdef",
                "dir/.copilot-partial.fedcba9876543210/inner",
                "dir/.copilot-partial.other",
                "kept/.copilot-partial.0123456789abcdef",
            ],
        );
        let directory = &Arc::new(GuardedDirectory::open(root).unwrap());
        let earlier = EarlierFiles::look(directory);
        assert!(earlier.began.is_some());
        write(root, &["new/.copilot-partial.0123456789abcdef"]);
        earlier.report(directory, &[], &HashSet::from([Path::new("kept")]));
        let expected = [
            "dir/.copilot-partial.other",
            "kept/.copilot-partial.0123456789abcdef",
            "mine",
            "new/.copilot-partial.0123456789abcdef",
        ];
        assert_eq!(left(directory), expected);
    }

    #[test]
    fn an_empty_directory_needs_no_look() {
        let root = tempfile::tempdir().unwrap();
        let directory = &Arc::new(GuardedDirectory::open(root.path()).unwrap());
        let earlier = EarlierFiles::look(directory);
        assert!(earlier.began.is_none());
        assert!(left(directory).is_empty());
    }
}

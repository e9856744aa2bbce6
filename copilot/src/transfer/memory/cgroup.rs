//! The cgroups that limit our memory, version 1 or 2: our own and its parents, as far as we see them.
//!
//! The kernel charges a page to the process that touches it first. So everything that we write counts
//! against these limits: page cache, which the kernel can drop, and pages of a tmpfs, which it cannot.

use std::fs;
use std::path::{Path, PathBuf};

/// A limit of at least this means "no limit": version 1 writes a number near 2^63.
const UNLIMITED: u64 = 1 << 60;

/// The limit in bytes that the kernel enforces on this process, if any.
#[must_use]
pub fn memory_limit() -> Option<u64> {
    bounds().iter().map(|bound| bound.limit).min()
}

/// The cgroups with a memory limit, from our own to its topmost parent.
pub(in crate::transfer) fn bounds() -> Vec<Bound> {
    let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    bounds_under(Path::new("/sys/fs/cgroup"), &membership)
}

/// A cgroup with a limit on memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::transfer) struct Bound {
    directory: PathBuf,
    /// The limit in bytes.
    pub(in crate::transfer) limit: u64,
    files: &'static FileNames,
}

/// What a cgroup uses, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transfer) struct Usage {
    /// All bytes that are charged to it.
    pub(in crate::transfer) current: u64,
    /// The bytes that the kernel can take back without killing a process: pages of files on disk.
    pub(in crate::transfer) reclaimable: u64,
}

/// The names of a version's files.
#[derive(Debug, PartialEq, Eq)]
struct FileNames {
    limit: &'static str,
    current: &'static str,
    /// Keys of `memory.stat`, of this cgroup and all below it.
    reclaimable: [&'static str; 2],
    swap_limit: &'static str,
    swap_current: &'static str,
}

const VERSION_2: FileNames = FileNames {
    limit: "memory.max",
    current: "memory.current",
    reclaimable: ["active_file", "inactive_file"],
    swap_limit: "memory.swap.max",
    swap_current: "memory.swap.current",
};

/// Its swap limit is a limit on memory and swap together; all of what it allows may be swap.
const VERSION_1: FileNames = FileNames {
    limit: "memory.limit_in_bytes",
    current: "memory.usage_in_bytes",
    reclaimable: ["total_active_file", "total_inactive_file"],
    swap_limit: "memory.memsw.limit_in_bytes",
    swap_current: "memory.memsw.usage_in_bytes",
};

impl Bound {
    /// What it uses now, or `None` if the kernel does not say.
    pub(in crate::transfer) fn usage(&self) -> Option<Usage> {
        let current = self.number(self.files.current)?;
        let stat = fs::read_to_string(self.directory.join("memory.stat")).ok()?;
        let reclaimable = stat
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(key, _)| self.files.reclaimable.contains(key))
            .filter_map(|(_, value)| value.parse::<u64>().ok())
            .sum();
        Some(Usage {
            current,
            reclaimable,
        })
    }

    /// Bytes that it may still have swapped out.
    pub(in crate::transfer) fn swap_left(&self) -> u64 {
        let limit = self.number(self.files.swap_limit).unwrap_or(u64::MAX);
        limit.saturating_sub(self.number(self.files.swap_current).unwrap_or_default())
    }

    fn number(&self, file: &str) -> Option<u64> {
        number(&self.directory.join(file))
    }
}

/// A file's number, or `None` for the word `max`.
fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// `membership` is `/proc/self/cgroup`. With a private cgroup namespace its paths begin at our own
/// cgroup, and so does the mount.
fn bounds_under(mount: &Path, membership: &str) -> Vec<Bound> {
    let bounds = membership.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let path = Path::new(path.trim_start_matches('/'));
        if controllers.is_empty() {
            Some(upwards(mount, path, &VERSION_2))
        } else if controllers.split(',').any(|name| name == "memory") {
            Some(upwards(&mount.join("memory"), path, &VERSION_1))
        } else {
            None
        }
    });
    bounds.flatten().collect()
}

fn upwards(mount: &Path, path: &Path, files: &'static FileNames) -> Vec<Bound> {
    let bounds = path.ancestors().filter_map(|path| {
        let directory = mount.join(path);
        let limit = number(&directory.join(files.limit)).filter(|limit| *limit < UNLIMITED)?;
        Some(Bound {
            directory,
            limit,
            files,
        })
    });
    bounds.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cgroups among these files.
    fn bounds(membership: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<Bound>) {
        let mount = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = mount.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let bounds = bounds_under(mount.path(), membership);
        (mount, bounds)
    }

    #[test]
    fn the_limits_of_all_parents_count() {
        let v1 = "12:cpu,cpuacct:/x\n9:memory:/kubepods/pod1/c\n";
        for (membership, files, expected) in [
            (
                "0::/\n",
                &[("memory.max", "134217728\n")][..],
                &[134_217_728][..],
            ),
            ("0::/\n", &[("memory.max", "max\n")], &[]),
            (
                "0::/a/b\n",
                &[("a/memory.max", "5\n"), ("a/b/memory.max", "7\n")],
                &[7, 5],
            ),
            ("0::/a/b\n", &[], &[]),
            // The path is the host's, but the mount begins at our own cgroup.
            (v1, &[("memory/memory.limit_in_bytes", "9\n")], &[9]),
            (
                v1,
                &[("memory/memory.limit_in_bytes", "9223372036854771712\n")],
                &[],
            ),
            (
                v1,
                &[("memory/kubepods/pod1/memory.limit_in_bytes", "4\n")],
                &[4],
            ),
            ("garbage", &[("memory.max", "5")], &[]),
        ] {
            let (_mount, found) = bounds(membership, files);
            let limits: Vec<u64> = found.iter().map(|bound| bound.limit).collect();
            assert_eq!(limits, expected, "{membership} {files:?}");
        }
    }

    #[test]
    fn both_versions_say_what_is_used() {
        let of = |membership, files: &[_]| {
            let (_mount, bounds) = bounds(membership, files);
            (bounds[0].usage(), bounds[0].swap_left())
        };
        let usage = Usage {
            current: 90,
            reclaimable: 30,
        };
        let v2 = of(
            "0::/\n",
            &[
                ("memory.max", "100\n"),
                ("memory.current", "90\n"),
                (
                    "memory.stat",
                    "anon 5\nfile 80\nshmem 50\ninactive_file 10\nactive_file 20\n",
                ),
                ("memory.swap.max", "7\n"),
                ("memory.swap.current", "3\n"),
            ],
        );
        assert_eq!(v2, (Some(usage), 4));
        let v1 = of(
            "4:memory:/\n",
            &[
                ("memory/memory.limit_in_bytes", "100\n"),
                ("memory/memory.usage_in_bytes", "90\n"),
                (
                    "memory/memory.stat",
                    "inactive_file 1\nactive_file 2\ntotal_inactive_file 10\ntotal_active_file 20\n",
                ),
            ],
        );
        assert_eq!(v1, (Some(usage), u64::MAX));
    }
}

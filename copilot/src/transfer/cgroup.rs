//! The cgroups that bound our memory, version 1 or 2: ours and those above it, as far as we see them.
//!
//! The kernel charges whoever touches a page first. So all that we write counts against these limits:
//! page cache, which the kernel can drop again, and pages of a tmpfs, which it cannot.

use std::fs;
use std::path::{Path, PathBuf};

/// Limits from here on mean "none": version 1 writes a number near 2^63 for that.
const UNLIMITED: u64 = 1 << 60;

/// The limit in bytes that the kernel enforces on this process, if any.
pub(super) fn memory_limit() -> Option<u64> {
    bounds().iter().map(|bound| bound.limit).min()
}

/// The cgroups with a limit on memory, from ours upwards.
pub(super) fn bounds() -> Vec<Bound> {
    let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    bounds_under(Path::new("/sys/fs/cgroup"), &membership)
}

/// A cgroup with a limit on memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    directory: PathBuf,
    /// Bytes that the kernel does not let it exceed.
    pub(super) limit: u64,
    files: &'static Files,
}

/// What a cgroup uses, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usage {
    /// All that is charged to it.
    pub(super) current: u64,
    /// The part of it that the kernel can take back without killing anybody: pages of files on disk.
    pub(super) reclaimable: u64,
}

/// How a version names things.
#[derive(Debug, PartialEq, Eq)]
struct Files {
    limit: &'static str,
    current: &'static str,
    /// Keys of `memory.stat`, of this cgroup and all below it.
    reclaimable: [&'static str; 2],
    swap_limit: &'static str,
    swap_current: &'static str,
}

const VERSION_2: Files = Files {
    limit: "memory.max",
    current: "memory.current",
    reclaimable: ["active_file", "inactive_file"],
    swap_limit: "memory.swap.max",
    swap_current: "memory.swap.current",
};

/// Its limit on swap is one on both together: of one that allows more, all of it may be swap.
const VERSION_1: Files = Files {
    limit: "memory.limit_in_bytes",
    current: "memory.usage_in_bytes",
    reclaimable: ["total_active_file", "total_inactive_file"],
    swap_limit: "memory.memsw.limit_in_bytes",
    swap_current: "memory.memsw.usage_in_bytes",
};

impl Bound {
    /// What it uses now; none where the kernel does not say.
    pub(super) fn usage(&self) -> Option<Usage> {
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
    pub(super) fn swap_left(&self) -> u64 {
        let limit = self.number(self.files.swap_limit).unwrap_or(u64::MAX);
        limit.saturating_sub(self.number(self.files.swap_current).unwrap_or_default())
    }

    fn number(&self, file: &str) -> Option<u64> {
        number(&self.directory.join(file))
    }
}

/// A file's number; none for the word `max`.
fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// `membership` is `/proc/self/cgroup`; with a private cgroup namespace its paths begin at our own
/// cgroup, which is then what is mounted.
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

fn upwards(mount: &Path, path: &Path, files: &'static Files) -> Vec<Bound> {
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
    fn all_limits_on_the_way_up_count() {
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
            // The path is the host's, but what is mounted is our own cgroup.
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
    fn both_versions_tell_what_is_used() {
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

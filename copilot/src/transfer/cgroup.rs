//! The memory limit of our cgroup, version 1 or 2.

use std::fs;
use std::path::Path;

/// Limits from here on mean "none": version 1 writes a number near 2^63 for that.
const UNLIMITED: u64 = 1 << 60;

/// The limit in bytes that the kernel enforces on this process, if any.
pub(super) fn memory_limit() -> Option<u64> {
    let membership = fs::read_to_string("/proc/self/cgroup").ok()?;
    limit_under(Path::new("/sys/fs/cgroup"), &membership)
}

/// The lowest limit among our cgroup and those above it. `membership` is `/proc/self/cgroup`; with a
/// private cgroup namespace its paths begin at our own cgroup, which is then what is mounted.
fn limit_under(mount: &Path, membership: &str) -> Option<u64> {
    membership
        .lines()
        .filter_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            let path = Path::new(path.trim_start_matches('/'));
            if controllers.is_empty() {
                lowest(mount, path, "memory.max")
            } else if controllers.split(',').any(|name| name == "memory") {
                lowest(&mount.join("memory"), path, "memory.limit_in_bytes")
            } else {
                None
            }
        })
        .min()
}

fn lowest(mount: &Path, path: &Path, file: &str) -> Option<u64> {
    path.ancestors()
        .filter_map(|path| {
            let text = fs::read_to_string(mount.join(path).join(file)).ok()?;
            text.trim().parse().ok()
        })
        .filter(|limit| *limit < UNLIMITED)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(membership: &str, files: &[(&str, &str)]) -> Option<u64> {
        let mount = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = mount.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        limit_under(mount.path(), membership)
    }

    #[test]
    fn the_lowest_limit_on_the_way_up_counts() {
        let v1 = "12:cpu,cpuacct:/x\n9:memory:/kubepods/pod1/c\n";
        for (membership, files, expected) in [
            (
                "0::/\n",
                &[("memory.max", "134217728\n")][..],
                Some(134_217_728),
            ),
            ("0::/\n", &[("memory.max", "max\n")], None),
            (
                "0::/a/b\n",
                &[("a/memory.max", "5\n"), ("a/b/memory.max", "7\n")],
                Some(5),
            ),
            ("0::/a/b\n", &[], None),
            // The path is the host's, but what is mounted is our own cgroup.
            (v1, &[("memory/memory.limit_in_bytes", "9\n")], Some(9)),
            (
                v1,
                &[("memory/memory.limit_in_bytes", "9223372036854771712\n")],
                None,
            ),
            (
                v1,
                &[("memory/kubepods/pod1/memory.limit_in_bytes", "4\n")],
                Some(4),
            ),
            ("garbage", &[("memory.max", "5")], None),
        ] {
            assert_eq!(limit(membership, files), expected, "{membership} {files:?}");
        }
    }
}

//! The limit on CPU time, of our own cgroup and its parents, as far as we see them.

use std::fs;
use std::path::Path;

/// The tightest limit in thousandths of a core, if any.
pub(super) fn cpu_limit() -> Option<u64> {
    let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    cpu_limit_under(Path::new("/sys/fs/cgroup"), &membership)
}

/// `membership` is the text of a `/proc/PID/cgroup`.
fn cpu_limit_under(mount: &Path, membership: &str) -> Option<u64> {
    let limits = membership.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let path = Path::new(path.trim_start_matches('/'));
        if controllers.is_empty() {
            let limits = path
                .ancestors()
                .filter_map(|above| version_2(&mount.join(above)));
            limits.min()
        } else if controllers.split(',').any(|name| name == "cpu") {
            let mount = mount.join("cpu");
            let limits = path
                .ancestors()
                .filter_map(|above| version_1(&mount.join(above)));
            limits.min()
        } else {
            None
        }
    });
    limits.min()
}

/// `cpu.max`: the quota, or `max`, and the period, in microseconds.
fn version_2(directory: &Path) -> Option<u64> {
    let text = fs::read_to_string(directory.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    thousandths(quota, period)
}

/// A quota of -1 means none.
fn version_1(directory: &Path) -> Option<u64> {
    let read = |name| fs::read_to_string(directory.join(name)).ok();
    thousandths(&read("cpu.cfs_quota_us")?, &read("cpu.cfs_period_us")?)
}

fn thousandths(quota: &str, period: &str) -> Option<u64> {
    let quota: u64 = quota.trim().parse().ok()?;
    let period: u64 = period.trim().parse().ok().filter(|period| *period > 0)?;
    Some(quota.saturating_mul(1000) / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_limit_of_all_parents_counts() {
        for (membership, files, expected) in [
            ("0::/\n", &[("cpu.max", "50000 100000\n")][..], Some(500)),
            ("0::/\n", &[("cpu.max", "max 100000\n")], None),
            (
                "0::/a/b\n",
                &[
                    ("a/cpu.max", "25000 100000\n"),
                    ("a/b/cpu.max", "200000 100000\n"),
                ],
                Some(250),
            ),
            (
                "4:cpu,cpuacct:/x\n",
                &[
                    ("cpu/x/cpu.cfs_quota_us", "10000\n"),
                    ("cpu/x/cpu.cfs_period_us", "100000\n"),
                ],
                Some(100),
            ),
            (
                "4:cpu,cpuacct:/x\n",
                &[
                    ("cpu/x/cpu.cfs_quota_us", "-1\n"),
                    ("cpu/x/cpu.cfs_period_us", "100000\n"),
                ],
                None,
            ),
            ("garbage", &[("cpu.max", "1 0\n")], None),
        ] {
            let mount = tempfile::tempdir().unwrap();
            for (path, text) in files {
                let path = mount.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            assert_eq!(
                cpu_limit_under(mount.path(), membership),
                expected,
                "{files:?}"
            );
        }
    }
}

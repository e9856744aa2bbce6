//! Whether a main that SIGKILL has ended ran out of memory, where no source sees who sent the signal.
//!
//! The kernel counts the processes of each cgroup that its out-of-memory killer has ended: `memory.events` in
//! cgroup2, `memory.oom_control` in cgroup v1. The count is taken when main begins and when it has ended, so
//! that an older kill does not count. Where we may not read it, the cause stays unknown.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _, Seek as _},
    path::{Path, PathBuf},
};

use procfs::process::{MountInfo, Process};
use tracing::debug;

use crate::confine::capabilities;
use crate::track::{
    ProcessId,
    place::{
        Place,
        cgroup::{path_of_controller, unified_path},
    },
    process,
};

/// What is known of the SIGKILL that ended main.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillCause {
    /// A source has seen whether the out-of-memory killer sent it: the exit status says so.
    Seen,
    /// Nothing shows who sent it.
    Unknown,
    /// The out-of-memory killer has ended a process of main's cgroup while main ran.
    OutOfMemory,
    /// It has not.
    Outside,
}

/// The counts of mains' cgroups, by first process; none for one that we may not read.
#[derive(Debug, Default)]
pub(super) struct OomCounts(BTreeMap<ProcessId, Option<OomCount>>);

/// A cgroup's count, and its value when main began.
#[derive(Debug)]
struct OomCount {
    file: File,
    before: u64,
}

impl OomCounts {
    /// Notes the counts of mains that have begun, those not known yet.
    pub(super) fn note(&mut self, place: &Place, mains: &[ProcessId]) {
        for main in mains {
            self.0
                .entry(*main)
                .or_insert_with(|| capabilities::looking(|| OomCount::open(place, *main)));
        }
    }

    /// What the counts say now that main has ended.
    pub(super) fn cause(&mut self) -> KillCause {
        let has_grown = |count: &mut OomCount| Some(count.now().ok()?? > count.before);
        let grown: Vec<Option<bool>> = self
            .0
            .values_mut()
            .map(|count| count.as_mut().and_then(has_grown))
            .collect();
        if grown.contains(&Some(true)) {
            KillCause::OutOfMemory
        } else if grown.is_empty() || grown.contains(&None) {
            KillCause::Unknown
        } else {
            KillCause::Outside
        }
    }
}

impl OomCount {
    fn open(place: &Place, main: ProcessId) -> Option<Self> {
        let pid = main.visible_pid()?;
        let process = place.process(pid)?;
        let cgroup = process::read(&process, "cgroup").ok()?;
        let ours = Process::myself().ok()?;
        // Our own view first, then main's: its container shows its own cgroup to the same user.
        let root = place.proc_root.clone().unwrap_or_else(|| "/proc".into());
        let root = root.join(pid.to_string()).join("root");
        let views = [(PathBuf::new(), &ours), (root, &process)];
        let mut files = views.into_iter().flat_map(|(root, viewer)| {
            let mounts = process::read(viewer, "mountinfo").unwrap_or_default();
            counts_in(&root, &mounts, &cgroup)
        });
        let found = files.find_map(|path| {
            let mut count = Self {
                file: File::open(&path).ok()?,
                before: 0,
            };
            count.before = count.now().ok()??;
            debug!(path = %path.display(), count.before, "main's cgroup counts kills for memory");
            Some(count)
        });
        if found.is_none() {
            debug!(pid = %main, "the kernel's count of kills for memory cannot be read");
        }
        found
    }

    fn now(&mut self) -> io::Result<Option<u64>> {
        let mut text = String::new();
        self.file.rewind()?;
        self.file.read_to_string(&mut text)?;
        Ok(kills(&text))
    }
}

/// The count in the text of `memory.events` or `memory.oom_control` (from Linux 4.13 on).
fn kills(text: &str) -> Option<u64> {
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// The files below `root` that count for the cgroup of a process, from the text of its `cgroup` and of a
/// `mountinfo`.
fn counts_in(root: &Path, mountinfo: &str, cgroup: &str) -> Vec<PathBuf> {
    let mounts = mountinfo
        .lines()
        .filter_map(|line| MountInfo::from_line(line).ok());
    mounts
        .filter_map(|mount| {
            let (path, file) = match mount.fs_type.as_str() {
                "cgroup2" => (unified_path(cgroup)?, "memory.events"),
                "cgroup" if mount.super_options.contains_key("memory") => {
                    (path_of_controller(cgroup, "memory")?, "memory.oom_control")
                }
                _ => return None,
            };
            let below = Path::new(path).strip_prefix(&mount.root).ok()?;
            // In a cgroup namespace of our own, a cgroup beside ours may lie below no mount.
            let is_below = !below.iter().any(|name| name == "..");
            let place = mount.mount_point.strip_prefix("/").ok()?;
            let place = if root.as_os_str().is_empty() {
                mount.mount_point.clone()
            } else {
                root.join(place)
            };
            is_below.then(|| place.join(below).join(file))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_count_stands_in_the_files_of_both_versions() {
        let events = "low 0\nhigh 0\nmax 31\noom 2\noom_kill 1\noom_group_kill 7\n";
        assert_eq!(kills(events), Some(1));
        let control = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
        assert_eq!(kills(control), Some(3));
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\n"), None);
    }

    #[test]
    fn the_files_lie_where_a_mount_shows_mains_cgroup() {
        let cgroup = "4:memory:/pod1/main\n0::/pod1/main/init\n";
        let line = |root: &str, target: &str, kind: &str, options: &str| {
            format!("30 23 0:26 {root} {target} ro - {kind} {kind} {options}\n")
        };
        let at =
            |root: &str, mounts: &str, cgroup: &str| counts_in(Path::new(root), mounts, cgroup);
        let whole = line("/", "/sys/fs/cgroup", "cgroup2", "rw");
        let expected = "/sys/fs/cgroup/pod1/main/init/memory.events";
        assert_eq!(at("", &whole, cgroup), [PathBuf::from(expected)]);
        let own = line("/pod1/main", "/sys/fs/cgroup", "cgroup2", "rw");
        let expected = "/proc/7/root/sys/fs/cgroup/init/memory.events";
        assert_eq!(at("/proc/7/root", &own, cgroup), [PathBuf::from(expected)]);
        let v1 = line("/pod1/main", "/sys/fs/cgroup/memory", "cgroup", "rw,memory");
        let expected = "/proc/7/root/sys/fs/cgroup/memory/memory.oom_control";
        assert_eq!(at("/proc/7/root", &v1, cgroup), [PathBuf::from(expected)]);
        let other = line("/", "/sys/fs/cgroup/pids", "cgroup", "rw,pids");
        assert!(at("", &other, cgroup).is_empty());
        // Main's cgroup, seen from a cgroup namespace of our own: our mount does not reach it, main's does.
        let beside = "0::/../main\n";
        assert!(at("", &whole, beside).is_empty());
        let mains = line("/../main", "/sys/fs/cgroup", "cgroup2", "rw");
        let expected = "/proc/7/root/sys/fs/cgroup/memory.events";
        assert_eq!(
            at("/proc/7/root", &mains, beside),
            [PathBuf::from(expected)]
        );
    }

    fn counts(files: &[Option<&Path>]) -> OomCounts {
        let open = |path: &Path| {
            let mut count = OomCount {
                file: File::open(path).expect("it is there"),
                before: 0,
            };
            count.before = count.now().expect("it can be read").expect("it counts");
            count
        };
        let id = |pid| ProcessId { started: 1, pid };
        let pairs = files.iter().zip(1..);
        OomCounts(pairs.map(|(path, pid)| (id(pid), path.map(open))).collect())
    }

    #[test]
    fn only_a_kill_while_main_runs_counts() {
        let mut file = tempfile::NamedTempFile::new().expect("a file can be made");
        // A child of an earlier life.
        writeln!(file, "oom_kill 1").expect("it can be written");
        let mut quiet = counts(&[Some(file.path())]);
        assert_eq!(quiet.cause(), KillCause::Outside);
        let mut killed = counts(&[Some(file.path())]);
        let mut both = counts(&[Some(file.path()), None]);
        let unread = |counts: &mut OomCounts| counts.cause();
        assert_eq!(unread(&mut both), KillCause::Unknown);
        std::fs::write(file.path(), "oom_kill 2\n").expect("it can be written");
        assert_eq!(killed.cause(), KillCause::OutOfMemory);
        assert_eq!(both.cause(), KillCause::OutOfMemory);
        assert_eq!(OomCounts::default().cause(), KillCause::Unknown);
        // The cgroup is gone.
        std::fs::write(file.path(), "").expect("it can be written");
        assert_eq!(quiet.cause(), KillCause::Unknown);
    }
}

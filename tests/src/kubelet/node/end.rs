//! Ends a node: kills all processes that descend from it, then removes its cgroups. Nothing else is
//! touched: processes are found by their parents, cgroups by names that only nodes create.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};

/// How long killed processes may take to vanish.
const PATIENCE: Duration = Duration::from_secs(20);

/// Names of the cgroups that nodes create at the top of each hierarchy.
const TOPS: [&str; 5] = [
    "kubepods",
    "kubepods.slice",
    "k8s.io",
    crate::kubelet::load::NAMESPACE,
    crate::kubelet::runtime::LIMITED,
];

/// Ends all processes below this one and removes the cgroups.
pub fn end() {
    // First the processes that start others.
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let below = descendants();
        if below.is_empty() {
            break;
        }
        for pid in below {
            let _ = kill_process(pid, Signal::KILL);
        }
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        thread::sleep(Duration::from_millis(20));
    }
    for top in tops() {
        remove_tree(&top);
    }
}

/// All descendants of this process, including zombies, which are reaped.
fn descendants() -> Vec<Pid> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in brackets can contain anything; the state and the parent follow it.
        let parent = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        if let Some(parent) = parent {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![getpid().as_raw_pid()];
    while let Some(parent) = next.pop() {
        for child in children.remove(&parent).into_iter().flatten() {
            next.push(child);
            found.extend(Pid::from_raw(child));
        }
    }
    found
}

/// The cgroups of nodes at the top of each visible hierarchy.
#[must_use]
pub fn tops() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let place = mount.split(' ').nth(4)?;
        kind.starts_with("cgroup").then(|| PathBuf::from(place))
    });
    let all = mounts.flat_map(|mount| TOPS.map(|top| mount.join(top)));
    all.filter(|top| top.is_dir()).collect()
}

/// The processes in a cgroup and below.
#[must_use]
pub fn members(cgroup: &Path) -> Vec<Pid> {
    let own = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    let own = own
        .lines()
        .filter_map(|line| Pid::from_raw(line.parse().ok()?));
    let below = folders(cgroup)
        .into_iter()
        .flat_map(|folder| members(&folder));
    own.chain(below).collect()
}

fn remove_tree(cgroup: &Path) {
    for folder in folders(cgroup) {
        remove_tree(&folder);
    }
    // A process that has ended leaves its cgroup a moment later.
    for _ in 0..100 {
        if fs::remove_dir(cgroup).is_ok() || !cgroup.exists() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    eprintln!("{} could not be removed", cgroup.display());
}

fn folders(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

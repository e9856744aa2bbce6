//! Removes a pod's directories from every cgroup hierarchy: the runtime makes them, and does not remove the
//! ones above a container.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// The mount points of cgroup hierarchies of both versions.
fn mounts() -> Vec<PathBuf> {
    let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mountinfo
        .lines()
        .filter_map(|line| {
            let (mount, kind) = line.split_once(" - ")?;
            let fields: Vec<&str> = mount.split(' ').collect();
            let whole = kind.starts_with("cgroup") && fields.get(3) == Some(&"/");
            whole.then(|| PathBuf::from(fields[4]))
        })
        .collect()
}

/// Removes the directory `top`, relative to the root of a hierarchy, and all below it, in every hierarchy.
pub fn remove(top: &str) {
    for mount in mounts() {
        let top = mount.join(top);
        if top.is_dir() && !remove_tree(&top) {
            eprintln!("{} could not be removed", top.display());
        }
    }
}

fn remove_tree(directory: &PathBuf) -> bool {
    let entries = fs::read_dir(directory).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path());
        }
    }
    // A killed process leaves its cgroup a moment later.
    (0..200).any(|_| {
        let gone = fs::remove_dir(directory).is_ok();
        if !gone {
            thread::sleep(Duration::from_millis(10));
        }
        gone
    })
}

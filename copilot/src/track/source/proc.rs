//! Watching the pod by looking at `/proc`, again and again.
//!
//! Needs a shared pid namespace and no privilege. Sees who lives, so that main ended, but not how:
//! only its parent and the kernel know the status. A main that begins and ends between two looks is
//! missed. Looks often while main is expected, seldom while it runs: a look costs CPU time that is
//! main's.

use std::{collections::VecDeque, fs, time::Duration};

use procfs::process::Process;
use thiserror::Error;
use tokio::time::sleep;

use crate::track::{
    Event, Tracker,
    kubelet::Traits,
    place::Place,
    scan::{Scanner, traits_of},
};

/// Between two looks while main has not started: a main that lives less than that may be missed.
/// A look at a pod's few processes takes a fraction of a millisecond, and main needs no CPU yet.
const WHILE_EXPECTED: Duration = Duration::from_millis(5);

/// Between two looks while main runs: what is added to the end of each task.
const WHILE_RUNNING: Duration = Duration::from_millis(100);

/// Why `/proc` shows nobody.
#[derive(Debug, Error)]
pub enum ProcError {
    /// We are alone in our pid namespace.
    #[error(
        "the pod does not share its pid namespace, so no other container can be seen; \
         set `shareProcessNamespace: true` in the pod, or give the sidecar CAP_BPF and CAP_PERFMON"
    )]
    NotShared,
}

/// Looks at `/proc`.
#[derive(Debug)]
pub struct ProcSource {
    scanner: Scanner,
    queue: VecDeque<Event>,
    interval: Duration,
    first: bool,
}

impl ProcSource {
    /// Begins to look, unless there can be nobody to see.
    pub fn new(place: &Place) -> Result<Self, ProcError> {
        if is_alone(place) {
            return Err(ProcError::NotShared);
        }
        Ok(Self {
            scanner: Scanner::new(place.clone()),
            queue: VecDeque::new(),
            interval: WHILE_EXPECTED,
            first: true,
        })
    }

    /// The next event; looks again after a while when all have been told.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            if !self.first {
                sleep(self.interval).await;
            }
            self.first = false;
            self.queue.extend(self.scanner.scan());
        }
    }

    /// Main runs: look less often.
    pub fn focus(&mut self, _tracker: &Tracker) {
        self.interval = WHILE_RUNNING;
    }
}

/// In a pid namespace of its own a container's first process, pid 1, is ours; in a shared one it is
/// the sandbox's.
fn is_alone(place: &Place) -> bool {
    let read = |pid: &str| fs::read_to_string(format!("/proc/{pid}/cgroup")).ok();
    let (Some(first), Some(own)) = (read("1"), read("self")) else {
        return false;
    };
    let traits = Process::new(1).ok().as_ref().and_then(traits_of);
    is_private_pid_namespace() && is_ours(&first, traits.as_ref(), &own, &place.traits)
}

/// Whether pid 1 is of our own container, by its cgroup and, where all containers are in one
/// cgroup, by its mounts.
fn is_ours(first: &str, traits: Option<&Traits>, own: &str, own_traits: &Traits) -> bool {
    first == own && traits.is_none_or(|traits| traits.name == own_traits.name)
}

/// Inode of the initial pid namespace (`PROC_PID_INIT_INO`).
const INITIAL_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

fn is_private_pid_namespace() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self/ns/pid").is_ok_and(|found| found.ino() != INITIAL_PID_NAMESPACE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::recorded;

    #[test]
    fn a_sidecar_is_alone_in_the_recorded_pods_that_do_not_share_pids() {
        for pod in recorded::pods() {
            let first = pod.processes("inside").find(|process| process.pid == 1);
            let role = &first.expect("pid 1 was recorded").role;
            let text = |role, file| pod.text("inside", role, file);
            let traits = |role| Traits::from_mountinfo(&text(role, "mountinfo"));
            let alone = is_ours(
                &text(role, "cgroup"),
                Some(&traits(role)),
                &text("self", "cgroup"),
                &traits("self"),
            );
            assert_eq!(alone, pod.truth.variant == "noshare", "{}", pod.label());
        }
    }

    #[test]
    fn where_all_are_in_one_cgroup_the_mounts_tell_who_pid_1_is() {
        let named = |name: Option<&str>| Traits {
            name: name.map(str::to_owned),
            ..Traits::default()
        };
        let own = named(Some("uploader"));
        let is_ours = |first: Option<&Traits>| is_ours("0::/\n", first, "0::/\n", &own);
        assert!(is_ours(Some(&own)));
        assert!(!is_ours(Some(&named(None))), "the sandbox");
        assert!(is_ours(None), "nothing but the cgroup tells");
    }
}

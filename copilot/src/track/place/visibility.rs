//! Whether we see the processes of other containers.
//!
//! Without `shareProcessNamespace` we see the processes of our own container only. Their absence then
//! does not mean that main has ended, so a source that looks for processes must refuse to start.

use std::{fs, io};

use procfs::process::Process;

use super::cgroup;
use crate::track::{
    mounts::{MountEvidence, evidence_of},
    process,
};

/// Whether our container has a pid namespace of its own: pid 1 is then our container's first process.
/// In a shared pid namespace it is the sandbox's.
#[must_use]
pub fn is_alone(own: &MountEvidence) -> bool {
    let Ok(first) = Process::new(1) else {
        return false;
    };
    is_private_pid_namespace() && are_of_one_container(&first, own).unwrap_or(false)
}

/// Whether a process belongs to our own container; `own` is the evidence of our own mounts.
///
/// # Errors
///
/// The process's cgroup, or our own, cannot be read.
pub fn are_of_one_container(process: &Process, own: &MountEvidence) -> io::Result<bool> {
    let ours = fs::read_to_string("/proc/self/cgroup")?;
    let text = process::read(process, "cgroup")?;
    // If our own mounts do not name a container, as outside Kubernetes, those of others do not count.
    let is_named = own.name.is_some();
    let evidence = is_named.then(|| evidence_of(process, false)).flatten();
    Ok(is_ours(&text, evidence.as_ref(), &ours, own))
}

/// Whether a process belongs to our own container, by its cgroup and, where all containers share one
/// cgroup, by its mounts.
fn is_ours(
    cgroup: &str,
    evidence: Option<&MountEvidence>,
    own_cgroup: &str,
    own_evidence: &MountEvidence,
) -> bool {
    cgroup::is_same_container(cgroup, own_cgroup)
        && evidence.is_none_or(|evidence| evidence.name == own_evidence.name)
}

/// Inode of the initial pid namespace (`PROC_PID_INIT_INO`).
const INITIAL_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

/// Whether our pid namespace is another one than the node's: then we see no process of other pods.
pub fn is_private_pid_namespace() -> bool {
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
            let evidence = |role| MountEvidence::from_mountinfo(&text(role, "mountinfo"));
            let alone = is_ours(
                &text(role, "cgroup"),
                Some(&evidence(role)),
                &text("self", "cgroup"),
                &evidence("self"),
            );
            assert_eq!(alone, pod.truth.variant == "noshare", "{}", pod.label());
        }
    }

    #[test]
    fn where_all_containers_share_a_cgroup_the_mounts_show_whose_pid_1_is() {
        let named = |name: Option<&str>| MountEvidence {
            name: name.map(str::to_owned),
            ..MountEvidence::default()
        };
        let own = named(Some("uploader"));
        let is_ours = |first: Option<&MountEvidence>| is_ours("0::/\n", first, "0::/\n", &own);
        assert!(is_ours(Some(&own)));
        assert!(!is_ours(Some(&named(None))), "the sandbox");
        assert!(is_ours(None), "only the cgroup is known");
    }
}

//! Whether we see the processes of other containers.
//!
//! Without `shareProcessNamespace` we see the processes of our own container only. Their absence then
//! does not mean that main has ended, so a source that looks for processes must refuse to start.

use std::{fs, io};

use procfs::process::Process;
use rustix::thread::CapabilitySet;

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

/// The option of a mounted `/proc` that hides the processes of other users, and its values that hide none.
const HIDEPID: &str = "hidepid=";
const HIDES_NONE: [&str; 2] = ["0", "off"];

/// Whether the `/proc` that is mounted at `target` hides processes from us, by the text of our mountinfo. Then that a
/// process is not there proves nothing. `CAP_SYS_PTRACE` shows all of them; so does membership in a group that the
/// mount names, which we leave out.
#[must_use]
pub fn hides_processes(mountinfo: &str, target: &str) -> bool {
    let is_mounted_there = |line: &&str| line.split(' ').nth(4) == Some(target);
    let options = mountinfo.lines().rfind(is_mounted_there).and_then(|line| {
        let (_, source) = line.split_once(" - ")?;
        source.rsplit(' ').next()
    });
    let hides = |option: &str| {
        let value = option.strip_prefix(HIDEPID);
        value.is_some_and(|value| !HIDES_NONE.contains(&value))
    };
    let is_hidden = options.is_some_and(|options| options.split(',').any(hides));
    is_hidden && !may_see_all()
}

fn may_see_all() -> bool {
    rustix::thread::capabilities(None)
        .is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_PTRACE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proc_that_hides_processes_is_known_by_its_options() {
        let line = |options: &str| format!("9 1 0:21 / /proc rw,nosuid - proc proc rw{options}\n");
        for (options, hides) in [
            ("", false),
            (",hidepid=0", false),
            (",hidepid=off", false),
            (",gid=5,hidepid=2", true),
            (",hidepid=invisible", true),
            (",hidepid=ptraceable,subset=pid", true),
        ] {
            let hides = hides && !may_see_all();
            assert_eq!(hides_processes(&line(options), "/proc"), hides, "{options}");
            assert!(!hides_processes(&line(options), "/host/proc"));
        }
        // The mount on top counts.
        let text = format!("{}{}", line(",hidepid=2"), line(""));
        assert!(!hides_processes(&text, "/proc"));
    }
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

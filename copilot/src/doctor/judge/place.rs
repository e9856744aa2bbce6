//! Our place: the pid namespace, `/proc`, the cgroups, the pod.

use crate::doctor::facts::{CgroupVersion, PidNamespace, PlaceFacts, PodFacts, Reason};
use crate::doctor::{Finding, Group};

const GROUP: Group = Group::Place;

/// What shares pids.
pub(super) const SHARE: &str = "shareProcessNamespace: true in the pod";

pub(super) fn judge(facts: &PlaceFacts, ebpf_works: bool) -> Vec<Finding> {
    let mut findings = vec![pids(facts, ebpf_works), proc(facts, ebpf_works)];
    match &facts.pod {
        Ok(pod) => findings.extend([cgroups(pod, &facts.own_path), named(pod)]),
        Err(Reason(reason)) => findings.push(no_pod(facts, reason)),
    }
    findings
}

fn pids(facts: &PlaceFacts, ebpf_works: bool) -> Finding {
    let subject = "pid namespace";
    match facts.pids {
        PidNamespace::Pod => Finding::ok(GROUP, subject, "shared by the containers of the pod"),
        PidNamespace::Node => Finding::ok(GROUP, subject, "that of the node"),
        PidNamespace::Own if ebpf_works => Finding::ok(
            GROUP,
            subject,
            "of this container alone, which ebpf does not mind",
        ),
        PidNamespace::Own => Finding::degraded(
            GROUP,
            subject,
            "of this container alone: it shows no process of another container",
        )
        .costs("the watchers pidfd and proc do not work")
        .mend(SHARE),
    }
}

fn proc(facts: &PlaceFacts, ebpf_works: bool) -> Finding {
    let subject = "/proc";
    if !facts.hides_processes {
        return Finding::ok(GROUP, subject, "it hides no process");
    }
    let found = "mounted with hidepid: it hides the processes of other users";
    let cost = if ebpf_works {
        "containers that run already are not named, and a lost event cannot be made good by a scan"
    } else {
        "the watchers pidfd and proc do not work"
    };
    Finding::degraded(GROUP, subject, found)
        .costs(cost)
        .mend("mount /proc without hidepid")
}

fn no_pod(facts: &PlaceFacts, reason: &str) -> Finding {
    let cost = "no watcher can tell which processes are the pod's: only SIGTERM shows main's end";
    let found = if facts.is_in_a_cluster {
        reason.to_owned()
    } else {
        format!("{reason}. Nothing here is kubelet's, so this is not a pod of Kubernetes")
    };
    Finding::degraded(GROUP, "pod", found).costs(cost)
}

fn cgroups(pod: &PodFacts, own: &str) -> Finding {
    let subject = "cgroups";
    let version = match &pod.cgroups {
        CgroupVersion::Two => "version 2".to_owned(),
        CgroupVersion::One(controllers) if controllers.is_empty() => {
            return Finding::degraded(
                GROUP,
                subject,
                format!("our own is {own}, and all containers of the pod share it"),
            )
            .costs("the watcher ebpf does not work: it tells containers apart by their cgroups")
            .mend("a runtime that gives each container a cgroup (its cgroup driver must be kubelet's)");
        }
        CgroupVersion::One(controllers) => format!("version 1 ({})", controllers.join(",")),
    };
    let driver = driver(own).map_or(String::new(), |driver| format!(", driver {driver}"));
    let found = format!(
        "{version}{driver}; our own is {own}, the pod's is {}",
        pod.path
    );
    Finding::ok(GROUP, subject, found)
}

/// The cgroup driver of kubelet and the runtime, if the path shows it.
fn driver(path: &str) -> Option<&'static str> {
    if path.contains(".slice") || path.contains(".scope") {
        Some("systemd")
    } else if path.contains("/kubepods") || path.contains("/pod") {
        Some("cgroupfs")
    } else {
        None
    }
}

fn named(pod: &PodFacts) -> Finding {
    let subject = "pod";
    if pod.is_hidden {
        return Finding::degraded(
            GROUP,
            subject,
            "we see processes of other pods, and nothing shows which are our pod's",
        )
        .costs("the watchers pidfd and proc do not work")
        .mend("name the pod's cgroup with --pod-cgroup");
    }
    let found = format!(
        "uid {}, our container {}",
        pod.uid.as_deref().unwrap_or("unknown"),
        pod.container.as_deref().unwrap_or("unknown")
    );
    Finding::ok(GROUP, subject, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_shows_the_driver() {
        for (path, expected) in [
            (
                "/kubepods.slice/kubepods-pod1.slice/cri-containerd-2.scope",
                Some("systemd"),
            ),
            ("/kubepods/besteffort/pod1/2", Some("cgroupfs")),
            ("/", None),
        ] {
            assert_eq!(driver(path), expected, "{path}");
        }
    }
}

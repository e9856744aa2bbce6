//! The kernel: its version, its description of itself (BTF), its security modules.

use crate::doctor::facts::{CgroupVersion, KernelFacts, PlaceFacts, Reason};
use crate::doctor::{Finding, Group};

const GROUP: Group = Group::Kernel;

pub(super) fn judge(facts: &KernelFacts, place: &PlaceFacts) -> Vec<Finding> {
    vec![version(facts), btf(facts, place), modules(facts)]
}

fn version(facts: &KernelFacts) -> Finding {
    let found = format!("Linux {} on {}", facts.release, std::env::consts::ARCH);
    if facts.has_ring_buffers {
        return Finding::ok(GROUP, "version", found);
    }
    Finding::degraded(GROUP, "version", format!("{found}, older than 5.8"))
        .costs("the watcher ebpf does not work")
        .mend("a node with Linux 5.8 or newer")
}

fn btf(facts: &KernelFacts, place: &PlaceFacts) -> Finding {
    let reason = match &facts.btf {
        Ok(true) => return Finding::ok(GROUP, "BTF", "it describes how processes end"),
        Ok(false) => "it lacks the fields that show how a process ended",
        Err(Reason(reason)) => reason,
    };
    let is_v1 = |pod: &crate::doctor::facts::PodFacts| pod.cgroups != CgroupVersion::Two;
    let is_needed = !facts.has_ancestor_helper || place.pod.as_ref().is_ok_and(is_v1);
    let cost = if is_needed {
        "the watcher ebpf does not work: it needs BTF before Linux 5.14 and with cgroup v1"
    } else {
        "the watcher ebpf learns no exit status: pidfd does from Linux 6.15 on, else the outputs decide"
    };
    Finding::degraded(GROUP, "BTF", reason)
        .costs(cost)
        .mend("a kernel with CONFIG_DEBUG_INFO_BTF, and /sys visible in this container")
}

fn modules(facts: &KernelFacts) -> Finding {
    let modules = facts.security_modules.as_deref();
    let modules = modules.unwrap_or("the list is not visible in this container");
    let label = facts.label.as_deref().unwrap_or("none");
    let found = format!("{modules}; our label: {label}");
    Finding::ok(GROUP, "security modules", found)
}

//! What we may do: capabilities, the filter of system calls, Landlock; now, and once a watcher is attached.

use crate::doctor::facts::{Reason, RightsFacts};
use crate::doctor::{Finding, Group};

const GROUP: Group = Group::Rights;

/// What gives the capabilities for BPF.
pub(super) const GIVE_BPF: &str = "runAsUser: 0 with capabilities: {add: [BPF, PERFMON]} in the sidecar's securityContext (they are \
     effective for uid 0 only)";

pub(super) fn judge(facts: &RightsFacts, ebpf_works: bool) -> Vec<Finding> {
    let foretold = match &facts.foretold {
        Ok(foretold) => foretold,
        Err(Reason(reason)) => {
            return vec![Finding::not_checked(GROUP, "capabilities", reason.clone())];
        }
    };
    let capabilities = &foretold.capabilities;
    let held = format!(
        "uid {}, effective {}, permitted {}",
        facts.uid, capabilities.effective, capabilities.permitted
    );
    let now = if ebpf_works || facts.have_bpf() {
        Finding::ok(GROUP, "capabilities", held)
    } else {
        Finding::degraded(
            GROUP,
            "capabilities",
            format!("{held}; BPF and PERFMON are missing"),
        )
        .costs("the watcher ebpf does not work")
        .mend(GIVE_BPF)
    };
    let later = format!(
        "effective {}, permitted {}",
        capabilities.later, capabilities.later_permitted
    );
    vec![
        now,
        Finding::ok(GROUP, "capabilities after the attach", later),
        files(facts),
        seccomp(facts, ebpf_works),
        landlock(foretold),
    ]
}

/// Whether we may read the outputs of other users.
fn files(facts: &RightsFacts) -> Finding {
    let subject = "files of other users";
    let held = ["DAC_READ_SEARCH", "DAC_OVERRIDE"];
    if let Some(held) = held.into_iter().find(|name| facts.has(name)) {
        return Finding::ok(GROUP, subject, format!("{held} reads them all"));
    }
    let found = "DAC_READ_SEARCH is missing, so their modes decide";
    let cost = format!(
        "an output that only its owner may read is not uploaded, unless main runs as uid {}",
        facts.uid
    );
    Finding::degraded(GROUP, subject, found)
        .costs(cost)
        .mend("add DAC_READ_SEARCH to the sidecar's capabilities (drop: [ALL] takes it from root as well)")
}

fn seccomp(facts: &RightsFacts, ebpf_works: bool) -> Finding {
    let subject = "seccomp";
    if !facts.is_filtered {
        return Finding::ok(
            GROUP,
            subject,
            "no filter is in force; after the attach ours is",
        );
    }
    if ebpf_works || facts.bpf_reaches_kernel {
        return Finding::ok(
            GROUP,
            subject,
            "the container's filter allows bpf; after the attach ours is in force as well",
        );
    }
    if facts.have_bpf() {
        return Finding::degraded(GROUP, subject, "the container's filter refuses bpf")
            .costs("the watcher ebpf does not work, although the capabilities are there")
            .mend(
                "seccompProfile: {type: RuntimeDefault}, which allows bpf to a container with CAP_BPF, or allow bpf in \
                 your own profile",
            );
    }
    Finding::not_checked(
        GROUP,
        subject,
        "a filter is in force; whether it allows bpf shows only with the capabilities for BPF",
    )
}

fn landlock(foretold: &crate::confine::Foretold) -> Finding {
    let subject = "Landlock";
    let version = foretold.landlock_abi.map_or_else(
        || "the kernel has none".to_owned(),
        |version| format!("ABI {version}"),
    );
    match &foretold.landlock_obstacle {
        None => Finding::ok(
            GROUP,
            subject,
            format!("{version}; after the attach nothing is written outside the job's own places"),
        ),
        // Not the environment's fault alone, and no run is worse for it.
        Some(reason) => Finding::ok(
            GROUP,
            subject,
            format!("{version}; it will not be in force: {reason}"),
        ),
    }
}

//! Capabilities: which ones stay, and for what.
//!
//! What stays is effective, except those that serve only a look into another process: they stay permitted, and
//! are effective for the moment of the look. A look needs all capabilities of the process that is looked at:
//! `ptrace_may_access` compares our effective ones with its permitted ones.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
};

use super::{Needs, Step};

/// What reads outputs of other users, and writes into directories of theirs.
const FILES_OF_OTHERS: CapabilitySet =
    CapabilitySet::DAC_OVERRIDE.union(CapabilitySet::DAC_READ_SEARCH);

/// What a container gets that asks for none and drops none.
const OF_A_CONTAINER: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::AUDIT_WRITE)
    .union(CapabilitySet::SETFCAP);

/// From this kernel on, maps are read and updated without `CAP_BPF`, also where
/// `kernel.unprivileged_bpf_disabled` is set, as it is almost everywhere.
const MAPS_WITHOUT_BPF: (u32, u32) = (5, 19);

/// Whether some capabilities are permitted only, for looks.
static IS_BRACKETED: AtomicBool = AtomicBool::new(false);

/// Gives up all capabilities but those that the job needs, in every set.
pub(super) fn give_up(needs: &Needs) -> Step {
    Step {
        name: "capabilities",
        outcome: lowered(needs)
            .map(|sets| {
                format!(
                    "effective {}, permitted {}, bounding {}",
                    shown(sets.effective),
                    shown(sets.permitted),
                    shown(bounding())
                )
            })
            .map_err(|error| format!("the kernel refuses to lower them ({error})")),
    }
}

fn lowered(needs: &Needs) -> io::Result<CapabilitySets> {
    let before = capabilities(None)?;
    let sets = kept_here(&before, needs);
    clear_bounding_set(&before);
    let _ = clear_ambient_capability_set();
    set_capabilities(None, sets)?;
    IS_BRACKETED.store(sets.permitted != sets.effective, Ordering::Relaxed);
    Ok(capabilities(None)?)
}

/// What stays of these sets on the running kernel.
fn kept_here(before: &CapabilitySets, needs: &Needs) -> CapabilitySets {
    kept(before, needs, !crate::kernel::is_at_least(MAPS_WITHOUT_BPF))
}

/// The capabilities of this process by the names of Kubernetes, such as `BPF`; `none` if a set is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldCapabilities {
    /// What it can use now.
    pub effective: String,
    /// What it may make effective.
    pub permitted: String,
    /// What stays effective once a watcher is attached.
    pub later: String,
    /// What stays permitted then, for looks into other processes.
    pub later_permitted: String,
}

/// What this process holds now, and what it holds after [`give_up`](super::give_up).
///
/// # Errors
/// The kernel does not tell.
pub fn held(needs: &Needs) -> io::Result<HeldCapabilities> {
    let now = capabilities(None)?;
    let later = kept_here(&now, needs);
    Ok(HeldCapabilities {
        effective: shown(now.effective),
        permitted: shown(now.permitted),
        later: shown(later.effective),
        later_permitted: shown(later.permitted),
    })
}

/// What stays of these sets. `is_old`: maps need `CAP_BPF`.
fn kept(before: &CapabilitySets, needs: &Needs, is_old: bool) -> CapabilitySets {
    let mut used = FILES_OF_OTHERS;
    used.set(CapabilitySet::BPF, needs.bpf && is_old);
    used.set(CapabilitySet::LEASE, needs.leases);
    used.set(CapabilitySet::FOWNER, needs.replaces);
    let looks = if !needs.looks {
        CapabilitySet::empty()
    } else if before.permitted.contains(CapabilitySet::SYS_PTRACE) {
        // It allows each look.
        CapabilitySet::SYS_PTRACE
    } else {
        OF_A_CONTAINER
    };
    CapabilitySets {
        effective: before.effective & used,
        permitted: before.permitted & (used | looks),
        inheritable: CapabilitySet::empty(),
    }
}

/// We run no program, so this set has no effect; but it shows, and takes `CAP_SETPCAP`.
fn clear_bounding_set(before: &CapabilitySets) {
    let mut raised = *before;
    raised.effective |= before.permitted & CapabilitySet::SETPCAP;
    let _ = set_capabilities(None, raised);
    for capability in each() {
        if capability_is_in_bounding_set(capability).unwrap_or(false) {
            let _ = remove_capability_from_bounding_set(capability);
        }
    }
}

fn bounding() -> CapabilitySet {
    each()
        .filter(|capability| capability_is_in_bounding_set(*capability).unwrap_or(false))
        .collect()
}

/// Every capability that the kernel may know.
fn each() -> impl Iterator<Item = CapabilitySet> {
    (0..64).map(|bit| CapabilitySet::from_bits_retain(1 << bit))
}

/// The names of a set, as Kubernetes writes them.
fn shown(set: CapabilitySet) -> String {
    let names: Vec<String> = set.iter_names().map(|(name, _)| name.to_owned()).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join("+")
    }
}

/// Looks into another process, with all permitted capabilities effective for that time.
pub fn looking<T>(look: impl FnOnce() -> T) -> T {
    if !IS_BRACKETED.load(Ordering::Relaxed) {
        return look();
    }
    let Ok(before) = capabilities(None) else {
        return look();
    };
    let mut raised = before;
    raised.effective = raised.permitted;
    let _ = set_capabilities(None, raised);
    let seen = look();
    let _ = set_capabilities(None, before);
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(all: CapabilitySet) -> CapabilitySets {
        CapabilitySets {
            effective: all,
            permitted: all,
            inheritable: all,
        }
    }

    #[test]
    fn a_capability_stays_only_for_what_the_job_still_does() {
        let all = OF_A_CONTAINER
            | CapabilitySet::BPF
            | CapabilitySet::PERFMON
            | CapabilitySet::LEASE
            | CapabilitySet::SYS_RESOURCE;
        let plain = Needs::default();
        let bpf = Needs {
            bpf: true,
            ..plain.clone()
        };
        let eager = Needs {
            leases: true,
            ..plain.clone()
        };
        let looks = Needs {
            looks: true,
            ..plain.clone()
        };
        let files = CapabilitySet::DAC_OVERRIDE;
        for (needs, is_old, effective, permitted) in [
            (&plain, true, files, files),
            (&bpf, false, files, files),
            (
                &bpf,
                true,
                files | CapabilitySet::BPF,
                files | CapabilitySet::BPF,
            ),
            (
                &eager,
                false,
                files | CapabilitySet::LEASE,
                files | CapabilitySet::LEASE,
            ),
            (&looks, false, files, OF_A_CONTAINER),
        ] {
            let kept = kept(&sets(all), needs, is_old);
            assert_eq!(kept.effective, effective, "{needs:?}");
            assert_eq!(kept.permitted, permitted, "{needs:?}");
            assert!(kept.inheritable.is_empty());
        }
        // One capability in place of all that main may have.
        let kept_with = kept(&sets(all | CapabilitySet::SYS_PTRACE), &looks, false);
        assert_eq!(kept_with.permitted, files | CapabilitySet::SYS_PTRACE);
        // Nothing is taken that was not there.
        let none = kept(&sets(CapabilitySet::empty()), &looks, true);
        assert_eq!(none, sets(CapabilitySet::empty()));
    }

    #[test]
    fn names_are_those_of_kubernetes() {
        assert_eq!(shown(CapabilitySet::empty()), "none");
        let some = CapabilitySet::DAC_OVERRIDE | CapabilitySet::LEASE;
        assert_eq!(shown(some), "DAC_OVERRIDE+LEASE");
    }
}

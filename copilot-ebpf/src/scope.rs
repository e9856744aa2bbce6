//! Whether the current task is in our pod, in which container, and whether it still matters.
//!
//! The pod is an *ancestor* of a process's cgroup, never the cgroup itself: containers are one level
//! below it, and with crun the processes are one level deeper still. So both ids are read at a level,
//! never from the leaf.

use aya_ebpf::helpers::{
    bpf_get_current_ancestor_cgroup_id, bpf_get_current_task, generated::bpf_get_current_task_btf,
};
use copilot_common::{FOREIGN, LEVELS, Offset, ancestor, pod};

use crate::{
    fields::{inner, offset, read, read_at, read_typed},
    maps::{KNOWN, LINEAGE, POD, POPULATED, WATCHED},
    namespace::pid_in_our_namespace,
};

/// `include/uapi/linux/bpf.h`: insert only what is not there yet.
const BPF_NOEXIST: u64 = 1;

/// One of [`ancestor`]: how to find a task's cgroups on this kernel.
#[unsafe(no_mangle)]
static ANCESTOR: u32 = ancestor::HELPER;

/// Our own thread group id, in our own pid namespace: for the program `learn`.
#[unsafe(no_mangle)]
static OWN_PID: u32 = 0;

/// Where the current task is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Whereabouts {
    /// Outside our pod.
    Elsewhere,
    /// In our pod, by the id of its cgroup, or because the pod's cgroup stays at its address.
    InPod,
    /// In our pod by the address of its cgroup: another cgroup may be there by now. Or deep below some cgroup.
    Unproven,
}

/// Where the current task is. Each exec and exit of the node pays for this.
#[inline(always)]
pub fn whereabouts() -> Whereabouts {
    let Some(pod) = POD.get_ptr_mut(0) else {
        return Whereabouts::Elsewhere;
    };
    let pod = pod.cast();
    if way() == ancestor::DIRECT {
        let known = number(pod, pod::ADDRESS);
        if known != 0 {
            return by_address(pod, known);
        }
    }
    if !is_in(pod) {
        return Whereabouts::Elsewhere;
    }
    if way() == ancestor::DIRECT {
        learn_address(pod);
    }
    Whereabouts::InPod
}

/// The container of the current task, if it belongs to our pod.
#[inline(always)]
pub fn container_of_current(found: Whereabouts) -> Option<u64> {
    let pod = POD.get_ptr_mut(0)?.cast();
    if way() == ancestor::DIRECT && found == Whereabouts::Unproven && !is_in(pod) {
        return None;
    }
    let level = u32::try_from(number(pod, pod::LEVEL)).ok()?;
    let container = ancestor_id(level + 1);
    (container != 0).then_some(container)
}

/// Whether the cgroup of the current task is the pod's, or lies below it, by its id.
#[inline(always)]
fn is_in(pod: *const u64) -> bool {
    let (level, id) = (number(pod, pod::LEVEL), number(pod, pod::ID));
    #[expect(clippy::cast_possible_truncation, reason = "cgroups are not that deep")]
    let found = ancestor_id(level as u32);
    id != 0 && found == id
}

/// The same with few reads, where the kernel keeps the pod's cgroup at this address. A container's processes are one
/// level below the pod or, with crun, two.
#[inline(always)]
fn by_address(pod: *const u64, known: u64) -> Whereabouts {
    let level = number(pod, pod::LEVEL);
    let cgroup = typed_cgroup();
    let own = u64::from(read_typed::<u32>(cgroup, Offset::CgroupLevel));
    if own <= level {
        return Whereabouts::Elsewhere;
    }
    let parent = parent_of(cgroup);
    if parent as u64 != known {
        if own == level + 1 {
            return Whereabouts::Elsewhere;
        }
        if own > level + 2 {
            return Whereabouts::Unproven;
        }
        let above: *const u8 = read_typed(parent, Offset::ControllerParent);
        if above as u64 != known {
            return Whereabouts::Elsewhere;
        }
    }
    if number(pod, pod::STAYS) == 0 {
        return Whereabouts::Unproven;
    }
    Whereabouts::InPod
}

/// Notes where the kernel keeps the pod's cgroup, if the current task, which is in the pod, shows it.
#[inline(always)]
fn learn_address(pod: *mut u64) {
    let cgroup = typed_cgroup();
    let own = u64::from(read_typed::<u32>(cgroup, Offset::CgroupLevel));
    let level = number(pod, pod::LEVEL);
    let mut pods = parent_of(cgroup);
    if own == level + 2 {
        pods = read_typed(pods, Offset::ControllerParent);
    } else if own != level + 1 {
        return;
    }
    // SAFETY: as in `number`. All programs write the same number.
    unsafe { pod.add(pod::ADDRESS).write_volatile(pods as u64) };
}

/// The current task's cgroup, of a type that the verifier knows.
#[inline(always)]
fn typed_cgroup() -> *const u8 {
    // SAFETY: the helper takes no argument.
    let task = unsafe { bpf_get_current_task_btf() } as *const u8;
    let css_set: *const u8 = read_typed(task, Offset::TaskCgroups);
    read_typed(css_set, Offset::CssSetDflCgrp)
}

/// The cgroup above a cgroup, as the address of its `self`.
#[inline(always)]
fn parent_of(cgroup: *const u8) -> *const u8 {
    read_typed(inner(cgroup, Offset::CgroupSelf), Offset::ControllerParent)
}

/// One of the numbers of the filter.
#[inline(always)]
fn number(pod: *const u64, slot: usize) -> u64 {
    // SAFETY: the pointer leads to the element of the map, which has `pod::NUMBERS` of them.
    unsafe { pod.add(slot).read_volatile() }
}

/// Whether user space has set what it waits for.
#[inline(always)]
pub fn focused() -> bool {
    POD.get(0).is_some_and(|pod| pod[pod::FOCUS] != 0)
}

/// Whether user space waits for the exit of the current process.
#[inline(always)]
pub fn is_watched(host_pid: u32) -> bool {
    let key = match pid_in_our_namespace() {
        0 => FOREIGN + u64::from(host_pid),
        pid => u64::from(pid),
    };
    WATCHED.get_ptr(key).is_some()
}

/// Whether user space knows this container.
#[inline(always)]
pub fn is_known(container: u64) -> bool {
    KNOWN.get_ptr(container).is_some()
}

/// Whether a process has been created in this container. Nearly all forks cost no more than this.
#[inline(always)]
pub fn has_forked(container: u64) -> bool {
    POPULATED.get_ptr(container).is_some()
}

/// Whether this is the first process created in this container.
#[inline(always)]
pub fn is_first_in(container: u64) -> bool {
    POPULATED.insert(container, 1, BPF_NOEXIST).is_ok()
}

/// Our own thread group id in our own pid namespace.
#[inline(always)]
pub fn own_pid() -> u32 {
    // SAFETY: as in `fields::offset`; user space replaces the value before loading.
    unsafe { core::ptr::read_volatile(&raw const OWN_PID) }
}

/// Writes the id of the current task's cgroup of each level to `LINEAGE`. The root comes last: once user space
/// sees it, all others are there.
#[inline(always)]
pub fn learn() {
    for level in (0..LEVELS).rev() {
        let id = ancestor_id(level);
        if id != 0
            && let Some(ancestor) = LINEAGE.get_ptr_mut(level)
        {
            // SAFETY: the pointer comes from a successful look-up, and only this program writes there.
            unsafe { (*ancestor).id = id };
        }
    }
}

#[inline(always)]
fn way() -> u32 {
    // SAFETY: as in `fields::offset`; user space replaces the value before loading.
    unsafe { core::ptr::read_volatile(&raw const ANCESTOR) }
}

/// The cgroup of a task, in the hierarchy that we use.
#[inline(always)]
pub fn cgroup_of(task: *const u8) -> Option<*const u8> {
    let css_set: *const u8 = read(task, Offset::TaskCgroups)?;
    if way() == ancestor::WALK_V1 {
        let controller: *const u8 = read(css_set, Offset::CssSetController)?;
        return read(controller, Offset::ControllerCgroup);
    }
    read(css_set, Offset::CssSetDflCgrp)
}

/// The id of the current task's ancestor cgroup at a level of the hierarchy; 0 below the task's own.
#[inline(always)]
fn ancestor_id(level: u32) -> u64 {
    if matches!(way(), ancestor::HELPER | ancestor::DIRECT) {
        // SAFETY: the helper takes a number and checks it.
        return unsafe { bpf_get_current_ancestor_cgroup_id(level.cast_signed()) };
    }
    walk(level).unwrap_or(0)
}

/// Does the helper's work on kernels before 5.14 and with cgroup v1. The arrays are only as long as the
/// cgroup is deep, hence the check.
#[inline(always)]
fn walk(level: u32) -> Option<u64> {
    // SAFETY: the helper takes no argument.
    let task = unsafe { bpf_get_current_task() } as *const u8;
    let cgroup = cgroup_of(task)?;
    if level > read::<u32>(cgroup, Offset::CgroupLevel)? {
        return None;
    }
    let place = level as usize * size_of::<u64>();
    if let Some(ids) = offset(Offset::CgroupAncestorIds) {
        return read_at(cgroup, ids + place);
    }
    let ancestors = offset(Offset::CgroupAncestors)?;
    let ancestor: *const u8 = read_at(cgroup, ancestors + place)?;
    let node: *const u8 = read(ancestor, Offset::CgroupNode)?;
    read(node, Offset::NodeId)
}

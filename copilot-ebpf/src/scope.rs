//! Whether the current task is in our pod, in which container, and whether it still matters.
//!
//! The pod is an *ancestor* of a process's cgroup, never the cgroup itself: containers are one level
//! below it, and with crun the processes are one level deeper still. So both ids are read at a level,
//! never from the leaf.

use aya_ebpf::helpers::{bpf_get_current_ancestor_cgroup_id, bpf_get_current_task};
use copilot_common::{FOREIGN, LEVELS, Offset, ancestor, pod};

use crate::{
    fields::{offset, read, read_at},
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

/// The container of the current task, if it belongs to our pod.
#[inline(always)]
pub fn container_of_current() -> Option<u64> {
    let pod = POD.get(0)?;
    let (level, id) = (u32::try_from(pod[pod::LEVEL]).ok()?, pod[pod::ID]);
    if id == 0 || ancestor_id(level) != id {
        return None;
    }
    let container = ancestor_id(level + 1);
    (container != 0).then_some(container)
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
    if way() == ancestor::HELPER {
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

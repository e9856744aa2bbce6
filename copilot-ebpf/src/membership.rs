//! Whether a container below the pod's cgroup is our pod's, where its place does not show it: a runtime may
//! keep the containers of all pods side by side.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use copilot_common::{LEVELS, NAME_BYTES, NAME_WORDS, Offset, pod, proof};

use crate::{
    fields::read,
    maps::{LINEAGE, MEMBERS, NAME, POD, POD_NAME},
    namespace,
    process::Task,
    scope::cgroup_of,
};

/// [`NAME_BYTES`] as the helper takes it.
const NAME_SIZE: u32 = 128;
const _: () = assert!(NAME_SIZE as usize == NAME_BYTES);

/// Whether an exec or an exit of the current process is one of our pod. Only a first process shows a
/// container's namespaces: an agent of the node enters ours in a child.
#[inline(always)]
pub fn is_ours(container: u64, task: &Task) -> bool {
    let Some(pod) = POD.get(0) else {
        return false;
    };
    match pod[pod::PROOF] {
        proof::PLACE => true,
        proof::NAME => has_pods_name(pod, task.thread()),
        _ => {
            if MEMBERS.get_ptr(container).is_some() {
                return true;
            }
            if task.is_child_of_its_cgroup() || !namespace::is_of_our_pod(pod, task.thread()) {
                return false;
            }
            // If it fails, the next event shows the namespaces again.
            let _ = MEMBERS.insert(container, 1, 0);
            true
        }
    }
}

/// Whether the current process may make a container of our pod. It enters the pod's namespaces before it
/// creates the container's first process.
#[inline(always)]
pub fn may_make_ours(task: &Task) -> bool {
    let Some(pod) = POD.get(0) else {
        return false;
    };
    match pod[pod::PROOF] {
        proof::PLACE => true,
        proof::NAME => has_pods_name(pod, task.thread()),
        _ => namespace::is_of_our_pod(pod, task.thread()),
    }
}

/// Whether the cgroup one level below the filter's has a name that begins with our pod's.
#[inline(always)]
fn has_pods_name(pod: &[u64; pod::NUMBERS], thread: *const u8) -> bool {
    compare_name(pod, thread).unwrap_or(false)
}

#[inline(always)]
fn compare_name(pod: &[u64; pod::NUMBERS], thread: *const u8) -> Option<bool> {
    let cgroup = ancestor(thread, u32::try_from(pod[pod::LEVEL]).ok()? + 1)?;
    let words = NAME.get_ptr_mut(0)?.cast::<u64>();
    read_name(cgroup, words.cast())?;
    let wanted = POD_NAME.get(0)?;
    // Without a branch: each would double what the verifier has to follow. Without an iterator: it compares
    // pointers, which the verifier may refuse.
    let mut difference = 0;
    for index in 0..NAME_WORDS {
        // SAFETY: the index is below `NAME_WORDS`, and the slot is this CPU's own. What an earlier name left behind
        // this one's end is beyond the mask, or the end differs.
        let word = unsafe { words.add(index).read_volatile() };
        difference |= (word ^ wanted.name[index]) & wanted.mask[index];
    }
    Some(difference == 0)
}

/// Writes the names of our own task's cgroups to `LINEAGE`, where the program `learn` has written their ids.
#[inline(always)]
pub fn learn_names(thread: *const u8) -> Option<()> {
    let mut cgroup = cgroup_of(thread)?;
    for _ in 0..LEVELS {
        let level = read::<u32>(cgroup, Offset::CgroupLevel)?;
        let slot = LINEAGE.get_ptr_mut(level)?;
        // SAFETY: the pointer comes from a successful look-up; only the address of a field is taken.
        read_name(cgroup, unsafe { &raw mut (*slot).name }.cast())?;
        if level == 0 {
            break;
        }
        cgroup = parent(cgroup)?;
    }
    Some(())
}

/// Reads the beginning of a cgroup's name to `target`, which has room for [`NAME_BYTES`].
#[inline(always)]
fn read_name(cgroup: *const u8, target: *mut u8) -> Option<()> {
    let node: *const u8 = read(cgroup, Offset::CgroupNode)?;
    let name: *const u8 = read(node, Offset::NodeName)?;
    // SAFETY: the target has room for that many bytes. The helper checks the address that it reads from.
    let read = unsafe { bpf_probe_read_kernel_str(target.cast(), NAME_SIZE, name.cast()) };
    (read > 0).then_some(())
}

/// The cgroup of a task, or that above it at this level. A container's processes are rarely more than one
/// level below it.
#[inline(always)]
fn ancestor(thread: *const u8, level: u32) -> Option<*const u8> {
    let mut cgroup = cgroup_of(thread)?;
    for _ in 0..LEVELS {
        if read::<u32>(cgroup, Offset::CgroupLevel)? <= level {
            return Some(cgroup);
        }
        cgroup = parent(cgroup)?;
    }
    None
}

#[inline(always)]
fn parent(cgroup: *const u8) -> Option<*const u8> {
    let own = crate::fields::offset(Offset::CgroupSelf)?;
    let above: *const u8 = read(cgroup.wrapping_add(own), Offset::ControllerParent)?;
    read(above, Offset::ControllerCgroup)
}

//! Namespaces: which processes `/proc` shows us, and under which id; and whether a process has a namespace
//! that only our pod has.

use aya_ebpf::{bindings::bpf_pidns_info, helpers::bpf_get_ns_current_pid_tgid};
use copilot_common::{Offset, pod};

use crate::fields::{offset, read, read_at};

/// Size of what `bpf_get_ns_current_pid_tgid` fills in: two ids of four bytes.
const PIDNS_INFO_SIZE: u32 = 8;

/// Device and inode of our own pid namespace, as `bpf_get_ns_current_pid_tgid` wants them.
#[unsafe(no_mangle)]
static PID_NAMESPACE: [u64; 2] = [0; 2];

/// The current process's id in our own pid namespace; 0 if its innermost namespace is another one.
#[inline(always)]
pub fn pid_in_our_namespace() -> u32 {
    // SAFETY: as in `fields::offset`; user space replaces the values before loading.
    let [device, inode] = unsafe { core::ptr::read_volatile(&raw const PID_NAMESPACE) };
    let mut info = bpf_pidns_info { pid: 0, tgid: 0 };
    // SAFETY: the pointer and the size are those of a local structure of the type that the helper fills.
    let result =
        unsafe { bpf_get_ns_current_pid_tgid(device, inode, &raw mut info, PIDNS_INFO_SIZE) };
    if result == 0 { info.tgid } else { 0 }
}

/// Whether the current process has a namespace of our pod: `pod` holds those that only our pod has.
/// `thread` is the current task.
#[inline(always)]
pub fn is_of_our_pod(pod: &[u64; pod::NUMBERS], thread: *const u8) -> bool {
    if pod[pod::PIDS] != 0 && pid_in_our_namespace() != 0 {
        return true;
    }
    let Some(all) = read::<*const u8>(thread, Offset::TaskNamespaces) else {
        return false;
    };
    // A process that ends loses them late, and the tracepoint comes before.
    if all.is_null() {
        return false;
    }
    has(all, Offset::NamespacesIpc, Offset::IpcCommon, pod[pod::IPC])
        || has(all, Offset::NamespacesNet, Offset::NetCommon, pod[pod::NET])
        || has(all, Offset::NamespacesUts, Offset::UtsCommon, pod[pod::UTS])
}

/// Whether a task's namespace of one kind has this inode number.
#[inline(always)]
fn has(all: *const u8, kind: Offset, common: Offset, wanted: u64) -> bool {
    wanted != 0 && number(all, kind, common).is_some_and(|found| u64::from(found) == wanted)
}

#[inline(always)]
fn number(all: *const u8, kind: Offset, common: Offset) -> Option<u32> {
    let namespace: *const u8 = read(all, kind)?;
    if namespace.is_null() {
        return None;
    }
    read_at(
        namespace,
        offset(common)? + offset(Offset::NamespaceNumber)?,
    )
}

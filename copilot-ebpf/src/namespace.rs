//! Our own pid namespace: which processes `/proc` shows us, and under which id.

use aya_ebpf::{bindings::bpf_pidns_info, helpers::bpf_get_ns_current_pid_tgid};

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

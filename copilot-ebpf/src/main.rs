//! The kernel side: raw tracepoints that tell which processes of one pod start and end, and how.
//!
//! Each program filters first, so that a process of another pod costs one helper call and a
//! compare; then it reserves a record, fills and submits it. Nothing here decides who main is or
//! when a container has started: whatever can be tested in user space lives there.
//!
//! Raw tracepoints need neither tracefs nor the kernel's BTF to attach. Field offsets come from
//! user space (`OFFSETS`); a branch on such a constant is pruned by the verifier before it is
//! checked, so one object loads on kernels that lack a helper or a field.
#![no_std]
#![no_main]
#![expect(
    clippy::inline_always,
    reason = "a call is a few instructions that a tracepoint need not pay; before 5.10 functions \
              that are not inlined limit what a program may do"
)]

mod fields;
mod maps;
mod process;
mod scope;
mod trace;

/// Never reached: the programs cannot panic, but a `no_std` binary must say what would happen.
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// `bpf_get_current_ancestor_cgroup_id` and the other helpers are open to GPL programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

//! The kernel side: raw tracepoints that report which processes of one pod start and end, and how.
//!
//! Each program filters first, so a process of another pod costs a few reads and a comparison; then
//! it reserves a record, fills it and submits it. Never here: deciding which container is main or when a
//! container starts. What can be tested in user space is there.
//!
//! Raw tracepoints need neither tracefs nor the kernel's BTF to attach. Field offsets come from user
//! space (`OFFSETS`). The verifier prunes a branch on such a constant before it checks the branch, so one
//! object loads on kernels that lack a helper or a field.
#![no_std]
#![no_main]
#![expect(
    clippy::inline_always,
    reason = "a call costs a few instructions in each tracepoint; before 5.10 functions that are \
              not inlined limit what a program may do"
)]

mod command;
mod fields;
mod maps;
mod membership;
mod namespace;
mod process;
mod scope;
mod trace;

/// Never called: the programs cannot panic, but a `no_std` binary needs a handler.
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// `bpf_get_current_ancestor_cgroup_id` and the other helpers are open to GPL programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

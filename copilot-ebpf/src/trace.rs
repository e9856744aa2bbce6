//! The programs, one for each question of user space: what started, what ended, where a container is
//! created, and where we are ourselves.

#![expect(
    clippy::needless_pass_by_value,
    reason = "the attribute of a program passes its context by value"
)]

use core::ffi::c_void;

use aya_ebpf::{EbpfContext as _, macros::raw_tracepoint, programs::RawTracePointContext};
use copilot_common::{Record, flag, kind, lost};

use crate::{
    command, maps, membership, namespace,
    process::{self, Task},
    scope::{self, Whereabouts},
};

// Each program begins with the check that ends it for processes outside the pod. The rest is a function
// of its own, so those processes do not even fetch its code.

/// A process of the pod successfully replaced its program.
#[raw_tracepoint(tracepoint = "sched_process_exec")]
fn process_exec(ctx: RawTracePointContext) -> i32 {
    match scope::whereabouts() {
        Whereabouts::Elsewhere => 0,
        found => report_exec(ctx.as_ptr(), found),
    }
}

#[inline(never)]
fn report_exec(ctx: *mut c_void, found: Whereabouts) -> i32 {
    let ctx = RawTracePointContext::new(ctx);
    let Some(container) = scope::container_of_current(found) else {
        return 0;
    };
    if scope::focused() && scope::is_known(container) {
        return 0;
    }
    let task = Task::current(&ctx);
    if !membership::is_ours(container, &task) {
        return 0;
    }
    let flags = if task.is_child_of_its_cgroup() {
        flag::CHILD
    } else {
        0
    };
    send(&ctx, &task, container, kind::EXEC, 0, flags);
    0
}

/// A thread of the pod exits; reported if it is the last of its process.
#[raw_tracepoint(tracepoint = "sched_process_exit")]
fn process_exit(ctx: RawTracePointContext) -> i32 {
    match scope::whereabouts() {
        Whereabouts::Elsewhere => 0,
        found => report_exit(ctx.as_ptr(), found),
    }
}

#[inline(never)]
fn report_exit(ctx: *mut c_void, found: Whereabouts) -> i32 {
    let ctx = RawTracePointContext::new(ctx);
    let Some(container) = scope::container_of_current(found) else {
        return 0;
    };
    if scope::focused() && scope::is_known(container) && !scope::is_watched(ctx.tgid()) {
        return 0;
    }
    let task = Task::current(&ctx);
    if !task.is_last_thread(&ctx) || !membership::is_ours(container, &task) {
        return 0;
    }
    let mut flags = 0;
    let mut status = 0;
    if let Some((told, is_chosen)) = task.end() {
        status = told;
        flags |= flag::STATUS;
        if is_chosen {
            flags |= flag::OOM;
        }
    }
    if task.is_child_of_its_cgroup() {
        flags |= flag::CHILD;
    }
    send(&ctx, &task, container, kind::EXIT, status, flags);
    0
}

/// A process of the pod creates another one; reported if it is the first in its container, as long as
/// main is unknown. A runtime does this before it sets up the container's mounts and long before the
/// container's program starts: enough time to find out which container it is.
#[raw_tracepoint(tracepoint = "sched_process_fork")]
fn process_fork(ctx: RawTracePointContext) -> i32 {
    let found = scope::whereabouts();
    if found == Whereabouts::Elsewhere {
        return 0;
    }
    let Some(container) = scope::container_of_current(found) else {
        return 0;
    };
    if scope::focused() || scope::has_forked(container) {
        return 0;
    }
    // The first argument is the parent, which is the current task.
    let task = Task::current(&ctx);
    if membership::may_make_ours(&task) && scope::is_first_in(container) {
        send(&ctx, &task, container, kind::FORK, 0, 0);
    }
    0
}

/// Reports the cgroup of our own task and all its ancestors, with their names, when a thread exits that was
/// started for this: in a private cgroup namespace no file shows them.
#[raw_tracepoint(tracepoint = "sched_process_exit")]
fn learn(ctx: RawTracePointContext) -> i32 {
    if namespace::pid_in_our_namespace() == 0
        || namespace::pid_in_our_namespace() != scope::own_pid()
    {
        return 0;
    }
    // Before the ids, for which user space waits. Without the kernel's BTF the names stay empty.
    let _ = membership::learn_names(ctx.arg(0));
    scope::learn();
    0
}

/// Must be inlined, not only for speed: the compiler drops unused arguments but describes the function
/// with all of them, and kernels from 7.2 on trust the description.
#[inline(always)]
fn send(
    ctx: &RawTracePointContext,
    task: &Task,
    container: u64,
    what: u32,
    status: u32,
    flags: u32,
) {
    let pid = namespace::pid_in_our_namespace();
    // User space reads from `/proc` what `/proc` shows.
    let is_visible = pid != 0;
    let comm = if is_visible {
        [0; 16]
    } else {
        ctx.command().unwrap_or_default()
    };
    if what == kind::EXEC && !is_visible {
        command::send_ours(ctx.arg(0), ctx.tgid(), comm);
    }
    let Some(mut entry) = maps::EVENTS.reserve::<Record>(0) else {
        maps::count_lost(lost::RING_FULL);
        return;
    };
    entry.write(Record {
        at: process::boot_time(),
        started: task.started(),
        cgroup: container,
        kind: what,
        pid,
        host_pid: ctx.tgid(),
        inner_pid: if is_visible {
            pid
        } else {
            task.innermost_pid()
        },
        status,
        flags,
        command: if what == kind::EXEC && !is_visible {
            command::fingerprint(ctx.arg(0))
        } else {
            0
        },
        comm,
    });
    // Waking the reader costs the reported process several microseconds. Records of what a container's own
    // processes start can wait for the next important record, or until many records wait.
    let can_wait = flags & flag::CHILD != 0 && !maps::much_waits();
    entry.submit(if can_wait {
        maps::LET_SLEEP
    } else {
        maps::WAKE_READER
    });
}

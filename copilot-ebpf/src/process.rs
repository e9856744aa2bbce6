//! One task of the kernel: whether it is the last thread of its process, and how that process ended.

use aya_ebpf::{EbpfContext as _, helpers::bpf_ktime_get_boot_ns, programs::RawTracePointContext};
use copilot_common::Offset;

use crate::{
    fields::{offset, read, read_at},
    scope::cgroup_of,
};

/// `include/linux/sched/signal.h`: the process is being ended by `exit_group` or a fatal signal.
const SIGNAL_GROUP_EXIT: u32 = 0x4;

/// The bits of a wait status that hold a fatal signal's number, and that of SIGKILL.
const SIGNAL: u32 = 0x7f;
const SIGKILL: u32 = 9;

/// Size of `struct upid` (an int, padding, a pointer) on every 64-bit kernel.
const UPID_SIZE: usize = 16;

/// Deepest nesting of pid namespaces that the kernel allows (`MAX_PID_NS_LEVEL`).
const MAX_PID_NAMESPACES: u32 = 32;

/// Not 0 on newer kernels, where the exit tracepoint passes `group_dead` as its second argument.
#[unsafe(no_mangle)]
static HAS_GROUP_DEAD: u32 = 0;

/// The task that the tracepoint is about, which is always the current one.
pub struct Task {
    thread: *const u8,
    leader: *const u8,
}

impl Task {
    /// Both tracepoints pass the task as their first argument.
    #[inline(always)]
    pub fn current(ctx: &RawTracePointContext) -> Self {
        let thread: *const u8 = ctx.arg(0);
        let leader = read::<*const u8>(thread, Offset::TaskGroupLeader).unwrap_or(thread);
        Self { thread, leader }
    }

    /// The task.
    #[inline(always)]
    pub fn thread(&self) -> *const u8 {
        self.thread
    }

    /// What the threads of the process share about its end, read only when needed.
    #[inline(always)]
    fn signal(&self) -> Option<*const u8> {
        read(self.thread, Offset::TaskSignal)
    }

    /// Whether no other thread of the process lives. Without `group_dead` two threads that exit at the
    /// same time may both see a count of 0; user space treats two reports of one exit as one.
    #[inline(always)]
    pub fn is_last_thread(&self, ctx: &RawTracePointContext) -> bool {
        // SAFETY: as in `fields::offset`; user space replaces the value before loading.
        if unsafe { core::ptr::read_volatile(&raw const HAS_GROUP_DEAD) } != 0 {
            return ctx.arg::<u64>(1) & 0xff != 0;
        }
        let live = self
            .signal()
            .and_then(|signal| read::<i32>(signal, Offset::SignalLive));
        match live {
            Some(live) => live == 0,
            // This kernel lacks the field: the leader's exit is the best guess.
            None => ctx.pid() == ctx.tgid(),
        }
    }

    /// How the process ended, as wait(2) tells it: the group's code if the whole group was ended, else the
    /// leader's own. And whether the OOM killer chose the process: it sets `signal->oom_mm` before it
    /// sends SIGKILL.
    #[inline(always)]
    pub fn end(&self) -> Option<(u32, bool)> {
        let signal = self.signal()?;
        let flags = read::<u32>(signal, Offset::SignalFlags)?;
        let status: u32 = if flags & SIGNAL_GROUP_EXIT != 0 {
            read(signal, Offset::SignalGroupExitCode)?
        } else {
            read(self.leader, Offset::TaskExitCode)?
        };
        let is_chosen = status & SIGNAL == SIGKILL
            && read::<u64>(signal, Offset::SignalOomMm).is_some_and(|mm| mm != 0);
        Some((status, is_chosen))
    }

    /// Whether the parent is in the same cgroup. The parent of a container's first process, or of an exec
    /// session's, is not.
    #[inline(always)]
    pub fn is_child_of_its_cgroup(&self) -> bool {
        let Some(parent) = read::<*const u8>(self.thread, Offset::TaskParent) else {
            return false;
        };
        // Processes of one cgroup usually share the cgroups of all controllers.
        // (Not by `map`: it becomes a function, in which 5.10's verifier finds a register without a value.)
        let theirs = read::<u64>(parent, Offset::TaskCgroups).unwrap_or(0);
        let own = read::<u64>(self.thread, Offset::TaskCgroups).unwrap_or(0);
        if theirs != 0 && theirs == own {
            return true;
        }
        let parents = cgroup_of(parent);
        parents.is_some() && parents == cgroup_of(self.thread)
    }

    /// When the process was started, in nanoseconds of boot time; 0 if unknown.
    #[inline(always)]
    pub fn started(&self) -> u64 {
        read(self.leader, Offset::TaskStartBoottime).unwrap_or(0)
    }

    /// The process's id in its own pid namespace: 1 for the first process of a container with its own
    /// namespace.
    #[inline(always)]
    pub fn innermost_pid(&self) -> u32 {
        self.read_innermost_pid().unwrap_or(0)
    }

    #[inline(always)]
    fn read_innermost_pid(&self) -> Option<u32> {
        let numbers = offset(Offset::PidNumbers)?;
        let pid: *const u8 = read(self.signal()?, Offset::SignalTgidPid)?;
        let level = read::<u32>(pid, Offset::PidLevel)?;
        if level > MAX_PID_NAMESPACES {
            return None;
        }
        read_at(pid, numbers + level as usize * UPID_SIZE)
    }
}

/// Nanoseconds since boot, with suspended time: the clock `CLOCK_BOOTTIME`.
#[inline(always)]
pub fn boot_time() -> u64 {
    // SAFETY: the helper takes no argument and only reads a clock.
    unsafe { bpf_ktime_get_boot_ns() }
}

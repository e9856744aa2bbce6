//! One task of the kernel: whether it is the last of its process, and how that process ended.

use aya_ebpf::{
    EbpfContext as _,
    bindings::bpf_pidns_info,
    helpers::{bpf_get_ns_current_pid_tgid, bpf_ktime_get_boot_ns},
    programs::RawTracePointContext,
};
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

/// Size of what `bpf_get_ns_current_pid_tgid` fills in: two ids of four bytes.
const PIDNS_INFO_SIZE: u32 = 8;

/// Deepest nesting of pid namespaces that the kernel allows (`MAX_PID_NS_LEVEL`).
const MAX_PID_NAMESPACES: u32 = 32;

/// Device and inode of our own pid namespace, as `bpf_get_ns_current_pid_tgid` wants them.
#[unsafe(no_mangle)]
static PID_NAMESPACE: [u64; 2] = [0; 2];

/// Not 0: the exit tracepoint passes `group_dead` as its second argument (newer kernels).
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

    /// What the threads of the process share of its end, read when it is needed.
    #[inline(always)]
    fn signal(&self) -> Option<*const u8> {
        read(self.thread, Offset::TaskSignal)
    }

    /// Whether no other thread of the process lives. Without `group_dead` two threads that exit at
    /// once may both see a count of 0: user space takes the same exit twice for one.
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
            // The field is unknown here: the leader's exit is the best that can be told.
            None => ctx.pid() == ctx.tgid(),
        }
    }

    /// How the process ended, by the rule of wait(2): the group's code if the whole group was ended,
    /// else the leader's own; and whether the OOM killer had chosen it, which it marks by
    /// `signal->oom_mm` before it sends SIGKILL.
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

    /// Whether the parent is of the very same cgroup. The first process of a container and those of
    /// exec sessions are put there by a process that is not.
    #[inline(always)]
    pub fn is_child_of_its_cgroup(&self) -> bool {
        let Some(parent) = read::<*const u8>(self.thread, Offset::TaskParent) else {
            return false;
        };
        // Processes of one cgroup mostly share all their controllers' as well.
        let sets = [parent, self.thread].map(|task| read::<u64>(task, Offset::TaskCgroups));
        if sets[0].is_some() && sets[0] == sets[1] {
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

    /// The process's id in its own pid namespace: 1 for the first process of a container that has
    /// one to itself.
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

/// Nanoseconds since boot, suspended time included: what `CLOCK_BOOTTIME` says.
#[inline(always)]
pub fn boot_time() -> u64 {
    // SAFETY: the helper takes no argument and only reads a clock.
    unsafe { bpf_ktime_get_boot_ns() }
}

//! What the kernel side and user space share: the record of the ring buffer, the globals that user space
//! sets before loading, and the slots of the maps.
//!
//! Never here: logic. Both sides are built from this file, so they cannot disagree.
#![no_std]

use bytemuck::{Pod, Zeroable};

/// One process event, as it stands in the ring buffer. Times are nanoseconds of `CLOCK_BOOTTIME`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Record {
    /// When it happened.
    pub at: u64,
    /// When the thread group's leader was started; 0 if the kernel's BTF lacks the field.
    pub started: u64,
    /// The container: id of the cgroup one level below the pod.
    pub cgroup: u64,
    /// For [`kind::EXEC`] of a process that our own pid namespace does not show: a fingerprint of its
    /// command line; 0 if it could not be read.
    pub command: u64,
    /// [`kind`]: what happened.
    pub kind: u32,
    /// Thread group id in our own pid namespace; 0 if the process's innermost namespace is another one.
    pub pid: u32,
    /// Thread group id in the initial pid namespace.
    pub host_pid: u32,
    /// Thread group id in the process's innermost pid namespace; 0 if it could not be read.
    pub inner_pid: u32,
    /// For [`kind::EXIT`]: the status as wait(2) returns it.
    pub status: u32,
    /// [`flag`] bits.
    pub flags: u32,
    /// The process's command name, padded with NUL; empty if our own pid namespace shows the process
    /// (`pid` is not 0).
    pub comm: [u8; 16],
}

/// The command line of a process that has the name of our program, and that our own pid namespace does not show.
/// Comes before the [`Record`] of its exec, in the same ring buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct CommandLine {
    /// Thread group id in the initial pid namespace.
    pub host_pid: u32,
    /// How many bytes of `text` are the command line's.
    pub length: u32,
    /// Its beginning: each argument ends with NUL.
    pub text: [u8; COMMAND_BYTES],
}

/// How many bytes of such a command line the programs read.
pub const COMMAND_BYTES: usize = 2048;

/// Values of [`Record::kind`].
pub mod kind {
    /// A process replaced its program (`sched_process_exec`).
    pub const EXEC: u32 = 1;
    /// The last thread of a process exited (`sched_process_exit`).
    pub const EXIT: u32 = 2;
    /// The first process was created in a container (`sched_process_fork`). The runtime creates it before
    /// it sets up the container's mounts, unless the container is older than the programs. Not sent once
    /// user space has set [`pod::FOCUS`](super::pod::FOCUS).
    pub const FORK: u32 = 3;
}

/// Bits of [`Record::flags`].
pub mod flag {
    /// [`Record::status`](super::Record::status) could be read.
    pub const STATUS: u32 = 1;
    /// The out-of-memory killer chose this process.
    pub const OOM: u32 = 2;
    /// The process's parent is known to be in the same cgroup: the process did not enter its container
    /// from outside.
    pub const CHILD: u32 = 4;
}

/// Field offsets that the programs need, as slots of the global `OFFSETS`. The kernel side has no offsets
/// of its own: they come from the running kernel's BTF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Offset {
    // The fields that each exec and exit of the node reads come first: they share a cache line.
    /// `task_struct.cgroups`
    TaskCgroups,
    /// `css_set.dfl_cgrp`
    CssSetDflCgrp,
    /// `cgroup.level`
    CgroupLevel,
    /// `cgroup.self`
    CgroupSelf,
    /// `cgroup_subsys_state.parent`
    ControllerParent,
    /// `task_struct.signal`
    TaskSignal,
    /// `task_struct.exit_code`
    TaskExitCode,
    /// `task_struct.group_leader`
    TaskGroupLeader,
    /// `task_struct.start_boottime`
    TaskStartBoottime,
    /// `task_struct.real_parent`
    TaskParent,
    /// `signal_struct.live`
    SignalLive,
    /// `signal_struct.flags`
    SignalFlags,
    /// `signal_struct.group_exit_code`
    SignalGroupExitCode,
    /// `signal_struct.oom_mm`
    SignalOomMm,
    /// `signal_struct.pids[PIDTYPE_TGID]`
    SignalTgidPid,
    /// `pid.level`
    PidLevel,
    /// `pid.numbers`
    PidNumbers,
    /// `cgroup.ancestor_ids`, until 6.0
    CgroupAncestorIds,
    /// `cgroup.ancestors`, from 6.1 on
    CgroupAncestors,
    /// `cgroup.kn`
    CgroupNode,
    /// `kernfs_node.id`
    NodeId,
    /// `css_set.subsys[…]`: the slot of the cgroup v1 controller whose hierarchy we use
    CssSetController,
    /// `cgroup_subsys_state.cgroup`
    ControllerCgroup,
    /// `task_struct.mm`
    TaskMm,
    /// `mm_struct.arg_start`
    MmArgStart,
    /// `mm_struct.arg_end`
    MmArgEnd,
    /// `kernfs_node.name`
    NodeName,
    /// `task_struct.nsproxy`
    TaskNamespaces,
    /// `nsproxy.ipc_ns`
    NamespacesIpc,
    /// `nsproxy.uts_ns`
    NamespacesUts,
    /// `nsproxy.net_ns`
    NamespacesNet,
    /// `ipc_namespace.ns`
    IpcCommon,
    /// `uts_namespace.ns`
    UtsCommon,
    /// `net.ns`
    NetCommon,
    /// `ns_common.inum`
    NamespaceNumber,
}

/// Number of [`Offset`] slots.
pub const OFFSETS: usize = Offset::NamespaceNumber as usize + 1;

/// The value of a slot whose field this kernel lacks: what needs the field is switched off.
pub const ABSENT: u32 = u32::MAX;

/// How the programs find the cgroup of a task: values of the global `ANCESTOR`.
pub mod ancestor {
    /// By the helper `bpf_get_current_ancestor_cgroup_id`, open to tracing programs from 5.14 on.
    pub const HELPER: u32 = 0;
    /// By reading from `task->cgroups->dfl_cgrp` on, for older kernels.
    pub const WALK: u32 = 1;
    /// By reading from `task->cgroups->subsys[…]->cgroup` on: in a hierarchy of cgroup v1, which no helper
    /// covers.
    pub const WALK_V1: u32 = 2;
    /// By plain reads from `task->cgroups->dfl_cgrp` on, and by the helper for processes deep below the pod. From
    /// 5.14 on as well, with the kernel's BTF.
    pub const DIRECT: u32 = 3;
}

/// The numbers in the only element of the map `POD`: which processes are reported. It has one element,
/// because each process of the node pays for the look-up.
pub mod pod {
    /// The cgroup id of the pod; 0 matches nothing.
    pub const ID: usize = 0;
    /// The level of the pod's cgroup below the root of the hierarchy.
    pub const LEVEL: usize = 1;
    /// Where the kernel keeps that cgroup (its `self`), which the programs write here; 0 as long as no process of the
    /// pod has shown it. It tells processes of other pods apart with fewer reads than the id. A process that it does
    /// not rule out has its id compared.
    pub const ADDRESS: usize = 2;
    /// If not 0, containers in `KNOWN` report only the exits of processes in `WATCHED`.
    pub const FOCUS: usize = 3;
    /// One of [`proof`](super::proof): what shows that a container below that cgroup is our pod's.
    pub const PROOF: usize = 4;
    /// Not 0 if we live in the pod: then its cgroup stays as long as we do, and [`ADDRESS`] alone proves that a process
    /// is in the pod.
    pub const STAYS: usize = 5;
    /// For [`proof::NAMESPACE`](super::proof::NAMESPACE): the inode numbers of our ipc, uts and network
    /// namespaces; 0 for one that proves nothing, because processes of the node have it too.
    pub const IPC: usize = 6;
    /// See [`IPC`].
    pub const UTS: usize = 7;
    /// See [`IPC`].
    pub const NET: usize = 8;
    /// For [`proof::NAMESPACE`](super::proof::NAMESPACE): not 0 if our pid namespace is the pod's.
    pub const PIDS: usize = 9;
    /// The number of numbers.
    pub const NUMBERS: usize = 10;
}

/// What shows that a container is our pod's: values of [`pod::PROOF`].
pub mod proof {
    /// Its place: the cgroup above it is the pod's own.
    pub const PLACE: u64 = 0;
    /// The name of its cgroup begins with the pod's: the containers of all pods lie side by side.
    pub const NAME: u64 = 1;
    /// Its first process has a namespace of our pod.
    pub const NAMESPACE: u64 = 2;
}

/// How many bytes of a cgroup's name the programs read: kubelet's names of pods are about 70 bytes long.
pub const NAME_BYTES: usize = 128;

/// The name with which the cgroups of our pod's containers begin: the only element of the map `POD_NAME`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct PodName {
    /// The name, padded with NUL, in words of this machine's byte order.
    pub name: [u64; NAME_WORDS],
    /// The bits that must be equal: all that belong to the name.
    pub mask: [u64; NAME_WORDS],
}

/// The words of [`NAME_BYTES`].
pub const NAME_WORDS: usize = NAME_BYTES / 8;

/// One cgroup above our own task, or its own: what the program `learn` reports.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Ancestor {
    /// Its id; 0 for none.
    pub id: u64,
    /// The beginning of its name, padded with NUL; empty if it cannot be read.
    pub name: [u8; NAME_BYTES],
}

/// Slots of the per-CPU map `LOST`: why a record was not sent.
pub mod lost {
    /// The ring buffer was full.
    pub const RING_FULL: u32 = 0;
    /// A field of the kernel could not be read.
    pub const UNREADABLE: u32 = 1;
    /// Number of slots.
    pub const SLOTS: u32 = 2;
}

/// Added to a key of `WATCHED` for a process whose innermost pid namespace is not ours: the key is then
/// the pid in the initial namespace.
pub const FOREIGN: u64 = 1 << 32;

/// Number of levels that the program `learn` reports for our own task. Cgroup trees of real nodes are at
/// most about a dozen levels deep.
pub const LEVELS: u32 = 24;

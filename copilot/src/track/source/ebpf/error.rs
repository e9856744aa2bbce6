//! Why the `ebpf` source does not work here.

use std::io;

use aya::{maps::MapError, programs::ProgramError};
use copilot_common::Offset;
use thiserror::Error;

use crate::track::source::causes::with_causes;

/// Why the `ebpf` source does not work here.
#[derive(Debug, Error)]
pub enum EbpfError {
    /// Our pod lies in no hierarchy whose cgroups the programs can compare.
    #[error(
        "the kernel cannot tell our pod's processes from others: its containers have cgroups of their \
         own neither in cgroup2 nor in a cgroup v1 hierarchy with a controller"
    )]
    NoHierarchy,
    /// The pod has no cgroup of its own.
    #[error("all containers share one cgroup, so the kernel cannot tell our pod's from others")]
    NoPodCgroup,
    /// Nothing shows which containers are our pod's.
    #[error(
        "nothing shows which containers are our pod's: the cgroup above ours has no name of a pod, pids are \
         not shared, and our ipc, uts and network namespaces are the node's (or the kernel does not describe \
         its structures). Set `shareProcessNamespace: true` in the pod, or name the pod's cgroup with \
         --pod-cgroup"
    )]
    PodUntold,
    /// We lack capabilities.
    #[error(
        "the kernel refuses BPF ({0}): the container needs CAP_BPF and CAP_PERFMON, effective \
         (uid 0 with `capabilities: add: [BPF, PERFMON]`, or privileged)"
    )]
    Refused(#[source] io::Error),
    /// We have the capabilities, and something else refuses all the same.
    #[error(
        "the kernel refuses BPF ({source}), although CAP_BPF and CAP_PERFMON are effective: {by}"
    )]
    Forbidden {
        /// The kernel's error.
        source: io::Error,
        /// What refuses it, as far as we can tell.
        by: Refuser,
    },
    /// We have the capabilities, but the limit of locked memory is too low.
    #[error(
        "the kernel refuses BPF ({source}): before Linux 5.11 it counts all BPF of one user on the \
         node against the limit of locked memory (RLIMIT_MEMLOCK), which is {limit} bytes here. Add \
         SYS_RESOURCE to the container's capabilities, or raise the limit that the node's container \
         runtime gives (LimitMEMLOCK of its systemd unit) to 8 MiB or more"
    )]
    LockedMemory {
        /// The kernel's error.
        source: io::Error,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The programs cannot be loaded or attached.
    #[error("the BPF programs could not be loaded: {}", with_causes(.0))]
    Load(#[source] LoadError),
    /// The kernel's BTF lacks a field that the programs need.
    #[error(
        "the kernel does not describe its structures ({0:?} is unknown), and without that the programs \
         cannot find a process's cgroups before Linux 5.14 or in cgroup v1"
    )]
    MissingField(Offset),
    /// The cgroup id of our pod could not be learned from the kernel.
    #[error("the cgroup of our pod was not found in the kernel: {0}")]
    PodCgroup(&'static str),
    /// The thread whose exit shows our pod's cgroup could not be started.
    #[error(
        "a thread could not be started, whose exit shows the cgroup of our pod: {0}. The container may not have more \
         processes and threads (pids.max). Raise that limit"
    )]
    Thread(#[source] io::Error),
    /// Another call to the operating system failed.
    #[error("the BPF programs could not be set up: {0}")]
    System(#[from] io::Error),
}

/// What refuses a system call to a process that has the capabilities for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refuser {
    /// The capabilities are those of a user namespace.
    #[error(
        "they count only in the pod's user namespace, and BPF needs those of the node. Set `hostUsers: true` in \
         the pod"
    )]
    UserNamespace,
    /// A filter of system calls is in force.
    #[error(
        "the container's seccomp profile refuses it, or a security module (AppArmor, SELinux). Allow `bpf` in the \
         profile, as `RuntimeDefault` does for a container with CAP_BPF"
    )]
    Seccomp,
    /// No such filter is in force.
    #[error(
        "no seccomp profile is in force, so a security module refuses it (AppArmor, SELinux, lockdown). Look for \
         the refusal in the node's audit log"
    )]
    SecurityModule,
}

/// Why the programs cannot be loaded or attached.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The kernel's verifier does not accept a program.
    #[error("the kernel's verifier says: {reason} ({source})")]
    Verifier {
        /// The last line of its log that gives a reason.
        reason: String,
        /// The error of the system call.
        source: io::Error,
    },
    /// The object lacks a map, so this binary was built wrong.
    #[error("the object has no map {0}")]
    NoMap(String),
    /// The object lacks a program, so this binary was built wrong.
    #[error("the object has no program {0}")]
    NoProgram(String),
    /// The object cannot be loaded.
    #[error(transparent)]
    Object(#[from] aya::EbpfError),
    /// A program cannot be loaded or attached.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A map cannot be opened or used.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The kernel refuses a program and gives no reason. Not transparent: the error itself must stay a cause, since
    /// the advice about limits depends on it.
    #[error("{0}")]
    Kernel(#[from] io::Error),
}

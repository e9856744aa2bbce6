//! The offsets of kernel fields that the programs read, from the running kernel's BTF.
//!
//! A field that this kernel lacks is [`ABSENT`], and the programs do without it; no offset is guessed.

use copilot_common::{ABSENT, OFFSETS, Offset};

use super::btf::{Btf, BtfError};

/// The handlers of the exit tracepoint.
const EXIT_HANDLER: &str = "btf_trace_sched_process_exit";

/// The enumeration that numbers the controllers, in the order of `css_set.subsys`.
const CONTROLLERS: &str = "cgroup_subsys_id";

/// Size of a pointer in the kernel: `signal_struct.pids` is an array of them, the thread group's
/// (`PIDTYPE_TGID`) second.
const POINTER: u32 = 8;

/// The structure and field behind each slot, and what to add to the field's offset.
const FIELDS: [(Offset, &str, &str, u32); OFFSETS] = [
    (Offset::TaskSignal, "task_struct", "signal", 0),
    (Offset::TaskExitCode, "task_struct", "exit_code", 0),
    (Offset::TaskGroupLeader, "task_struct", "group_leader", 0),
    (
        Offset::TaskStartBoottime,
        "task_struct",
        "start_boottime",
        0,
    ),
    (Offset::TaskCgroups, "task_struct", "cgroups", 0),
    (Offset::TaskParent, "task_struct", "real_parent", 0),
    (Offset::SignalLive, "signal_struct", "live", 0),
    (Offset::SignalFlags, "signal_struct", "flags", 0),
    (
        Offset::SignalGroupExitCode,
        "signal_struct",
        "group_exit_code",
        0,
    ),
    (Offset::SignalOomMm, "signal_struct", "oom_mm", 0),
    (Offset::SignalTgidPid, "signal_struct", "pids", POINTER),
    (Offset::PidLevel, "pid", "level", 0),
    (Offset::PidNumbers, "pid", "numbers", 0),
    (Offset::CssSetDflCgrp, "css_set", "dfl_cgrp", 0),
    (Offset::CgroupLevel, "cgroup", "level", 0),
    (Offset::CgroupAncestorIds, "cgroup", "ancestor_ids", 0),
    (Offset::CgroupAncestors, "cgroup", "ancestors", 0),
    (Offset::CgroupNode, "cgroup", "kn", 0),
    (Offset::NodeId, "kernfs_node", "id", 0),
    // The offset of the first controller; `choose_controller` adds the rest.
    (Offset::CssSetController, "css_set", "subsys", 0),
    (Offset::ControllerCgroup, "cgroup_subsys_state", "cgroup", 0),
    (Offset::TaskMm, "task_struct", "mm", 0),
    (Offset::MmArgStart, "mm_struct", "arg_start", 0),
    (Offset::MmArgEnd, "mm_struct", "arg_end", 0),
    (Offset::NodeName, "kernfs_node", "name", 0),
    (Offset::CgroupSelf, "cgroup", "self", 0),
    (Offset::ControllerParent, "cgroup_subsys_state", "parent", 0),
    (Offset::TaskNamespaces, "task_struct", "nsproxy", 0),
    (Offset::NamespacesIpc, "nsproxy", "ipc_ns", 0),
    (Offset::NamespacesUts, "nsproxy", "uts_ns", 0),
    (Offset::NamespacesNet, "nsproxy", "net_ns", 0),
    (Offset::IpcCommon, "ipc_namespace", "ns", 0),
    (Offset::UtsCommon, "uts_namespace", "ns", 0),
    (Offset::NetCommon, "net", "ns", 0),
    (Offset::NamespaceNumber, "ns_common", "inum", 0),
];

/// What the programs need to know about this kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldOffsets {
    /// One offset per slot, or [`ABSENT`].
    pub offsets: [u32; OFFSETS],
    /// Whether the exit tracepoint passes the argument `group_dead`: the whole process is dead.
    pub has_group_dead: bool,
}

impl FieldOffsets {
    /// Reads the running kernel's BTF; `controllers` are those of the cgroup v1 hierarchy that names our
    /// pod, and empty for cgroup2.
    ///
    /// # Errors
    ///
    /// The kernel's BTF cannot be read.
    pub fn from_kernel(controllers: &[String]) -> Result<Self, BtfError> {
        let names = FIELDS.map(|(_, structure, _, _)| structure);
        let btf = Btf::from_kernel(&[&names[..], &[EXIT_HANDLER, CONTROLLERS]].concat())?;
        let mut fields = Self::from_btf(&btf);
        if !controllers.is_empty() {
            fields.choose_controller(&btf, controllers);
        }
        Ok(fields)
    }

    /// No field is known: the programs still report starts and ends, without the exit status.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            offsets: [ABSENT; OFFSETS],
            has_group_dead: false,
        }
    }

    /// The offset of a field, if this kernel has it.
    #[must_use]
    pub fn get(&self, field: Offset) -> Option<u32> {
        Some(self.offsets[field as usize]).filter(|offset| *offset != ABSENT)
    }

    /// Whether all fields are known that show how a process ended.
    #[must_use]
    pub fn include_status(&self) -> bool {
        const NEEDED: [Offset; 5] = [
            Offset::TaskSignal,
            Offset::TaskExitCode,
            Offset::TaskGroupLeader,
            Offset::SignalFlags,
            Offset::SignalGroupExitCode,
        ];
        self.have(&NEEDED)
    }

    /// Whether all fields are known that lead from a task to the name of its cgroup.
    #[must_use]
    pub fn name_cgroups(&self) -> bool {
        self.have(&[
            Offset::TaskCgroups,
            Offset::CgroupLevel,
            Offset::CgroupSelf,
            Offset::ControllerParent,
            Offset::ControllerCgroup,
            Offset::CgroupNode,
            Offset::NodeName,
        ])
    }

    /// Whether all fields are known that lead from a task to its namespaces.
    #[must_use]
    pub fn show_namespaces(&self) -> bool {
        self.have(&[
            Offset::TaskNamespaces,
            Offset::NamespacesIpc,
            Offset::NamespacesUts,
            Offset::NamespacesNet,
            Offset::IpcCommon,
            Offset::UtsCommon,
            Offset::NetCommon,
            Offset::NamespaceNumber,
        ])
    }

    /// Whether all fields are known that the programs read without a helper.
    #[must_use]
    pub fn allow_plain_reads(&self) -> bool {
        self.have(&[
            Offset::TaskCgroups,
            Offset::CssSetDflCgrp,
            Offset::CgroupLevel,
            Offset::CgroupSelf,
            Offset::ControllerParent,
        ])
    }

    fn have(&self, fields: &[Offset]) -> bool {
        fields.iter().all(|field| self.get(*field).is_some())
    }

    /// The first unknown field that the walk to a task's cgroups needs, in cgroup v1 or cgroup2; `None`
    /// if all are known.
    #[must_use]
    pub fn missing_for_a_walk(&self, v1: bool) -> Option<Offset> {
        let to_cgroup = if v1 {
            &[Offset::CssSetController, Offset::ControllerCgroup][..]
        } else {
            &[Offset::CssSetDflCgrp][..]
        };
        let to_ids = if self.get(Offset::CgroupAncestorIds).is_some() {
            &[][..]
        } else {
            &[Offset::CgroupAncestors, Offset::CgroupNode, Offset::NodeId][..]
        };
        let always = &[Offset::TaskCgroups, Offset::CgroupLevel][..];
        let needed = [always, to_cgroup, to_ids].concat();
        needed.into_iter().find(|field| self.get(*field).is_none())
    }

    /// Sets the slot of the first of these controllers that the kernel has; all share one hierarchy.
    fn choose_controller(&mut self, btf: &Btf, controllers: &[String]) {
        let index = controllers.iter().find_map(|controller| {
            // The only controller with another name in cgroup v1.
            let name = if controller == "blkio" {
                "io"
            } else {
                controller
            };
            btf.value(CONTROLLERS, &format!("{name}_cgrp_id"))
        });
        let slot = &mut self.offsets[Offset::CssSetController as usize];
        let first = Some(*slot).filter(|offset| *offset != ABSENT);
        let chosen = first
            .zip(index)
            .and_then(|(first, index)| first.checked_add(index.checked_mul(POINTER)?));
        *slot = chosen.unwrap_or(ABSENT);
    }

    fn from_btf(btf: &Btf) -> Self {
        let mut fields = Self::unknown();
        for (slot, structure, field, add) in FIELDS {
            if let Some(offset) = btf.offset(structure, field) {
                fields.offsets[slot as usize] = offset.saturating_add(add);
            }
        }
        fields.has_group_dead = btf.tracepoint_arguments(EXIT_HANDLER) == Some(2);
        fields
    }
}

#[cfg(test)]
mod tests;

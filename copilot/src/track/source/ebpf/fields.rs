//! The field offsets that the programs need, from the running kernel's BTF.
//!
//! A field that this kernel does not have is `ABSENT`, and what needs it is switched off in the
//! program; nothing is guessed.

use copilot_common::{ABSENT, OFFSETS, Offset};

use super::btf::{Btf, BtfError};

/// The handlers of the exit tracepoint.
const EXIT_HANDLER: &str = "btf_trace_sched_process_exit";

/// Size of a pointer in the kernel: `signal_struct.pids` is an array of them, the thread group's
/// (`PIDTYPE_TGID`) second.
const POINTER: u32 = 8;

/// Which field each slot stands for, and what to add to its offset.
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
];

/// What the programs must be told of this kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// One offset a slot, or [`ABSENT`].
    pub offsets: [u32; OFFSETS],
    /// Whether the exit tracepoint says that the whole process is dead.
    pub has_group_dead: bool,
}

impl Fields {
    /// Of the running kernel.
    pub fn of_the_kernel() -> Result<Self, BtfError> {
        let names = FIELDS.map(|(_, structure, _, _)| structure);
        let btf = Btf::of_the_kernel(&[&names[..], &[EXIT_HANDLER]].concat())?;
        Ok(Self::from_btf(&btf))
    }

    /// None known: the programs still tell what starts and ends, without how.
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

//! The memory that a tmpfs may still take: of our cgroup, of its parents, and of the machine.

use std::fs;

use crate::transfer::memory::cgroup::{self, Bound};

const MIB: u64 = 1 << 20;

/// What limits the pages of a tmpfs.
#[derive(Debug)]
pub(super) struct TmpfsMemory {
    bounds: Vec<Bound>,
    /// Whether the kernel may swap its pages out.
    swaps: bool,
}

/// Which limit leaves so little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bounding {
    /// A cgroup of this limit in bytes.
    Limit(u64),
    /// The memory of the machine.
    Node,
}

impl TmpfsMemory {
    /// What limits a tmpfs that we write to.
    pub(super) fn from_own_cgroups(swaps: bool) -> Self {
        let bounds = cgroup::bounds();
        Self { bounds, swaps }
    }

    /// The bytes left for planned files by the tightest limit, and that limit.
    pub(super) fn left(&self) -> Option<(u64, Bounding)> {
        self.least(1)
    }

    /// The limit that what is written has reached. Half of the margin may be used up by then: a plan that
    /// just fitted must not fail at its end.
    pub(super) fn shortage(&self) -> Option<Bounding> {
        let (left, bounding) = self.least(2)?;
        (left == 0).then_some(bounding)
    }

    /// The bytes that the tightest limit leaves, besides this fraction of its margin.
    fn least(&self, part: u64) -> Option<(u64, Bounding)> {
        let free = meminfo(&fs::read_to_string("/proc/meminfo").unwrap_or_default());
        let swap = if self.swaps { free.swap } else { 0 };
        let bounds = self.bounds.iter().filter_map(|bound| {
            let usage = bound.usage()?;
            let held = usage.current.saturating_sub(usage.reclaimable);
            let left = bound
                .limit
                .saturating_sub(held + margin(bound.limit) / part);
            let swap = if swap > 0 {
                swap.min(bound.swap_left())
            } else {
                0
            };
            Some((left.saturating_add(swap), Bounding::Limit(bound.limit)))
        });
        let node = free.available.map(|available| {
            let left = available.saturating_add(swap);
            (left.saturating_sub(NODE_MARGIN / part), Bounding::Node)
        });
        bounds.chain(node).min_by_key(|(left, _)| *left)
    }

    /// Bytes between two looks while files are written: a fraction of the margin, so that the limit is
    /// not reached between them.
    pub(super) fn step(&self) -> u64 {
        let margins = self.bounds.iter().map(|bound| margin(bound.limit));
        margins.min().unwrap_or(NODE_MARGIN) / 8
    }
}

/// The margin of the machine's memory: kubelet evicts pods below 100 MiB.
const NODE_MARGIN: u64 = 128 * MIB;

/// The margin of a limit, for what we need besides files: our buffers, and the kernel's for us.
fn margin(limit: u64) -> u64 {
    (limit / 8).clamp(MIB, 32 * MIB)
}

struct Free {
    available: Option<u64>,
    swap: u64,
}

/// Numbers of `/proc/meminfo`, in bytes.
fn meminfo(text: &str) -> Free {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kibibytes * 1024)
    };
    Free {
        available: field("MemAvailable:"),
        swap: field("SwapFree:").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_gives_the_memory_of_the_machine() {
        let free = meminfo("MemTotal: 9 kB\nMemAvailable:      4 kB\nSwapFree:   2 kB\n");
        assert_eq!((free.available, free.swap), (Some(4096), 2048));
        let free = meminfo("");
        assert_eq!((free.available, free.swap), (None, 0));
    }
}

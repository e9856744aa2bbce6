//! How much a run of transfers may use, and where the numbers come from.

use super::cgroup;

const MIB: u64 = 1 << 20;

/// Bounds of one engine. Connections are bounded by the stores
/// ([`Network::connections`](crate::store::Network)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of objects that may be held in memory at once.
    pub memory: u64,
    /// Objects in transfer at once. 16: more brought nothing in our measurements.
    pub objects: usize,
    /// Parts of one large object in transfer at once. 4 of 8 MiB keep a fast line busy.
    pub parts: usize,
    /// Size in bytes of a part, and the size up to which an object goes in one request. 8 MiB: the
    /// cost of a request is lost in the time it takes, and four fit in the default memory.
    pub part_size: u64,
}

impl Limits {
    /// The most memory that is taken without being asked: what four parts need.
    const MEMORY: u64 = 32 * MIB;

    /// Limits for a process that the kernel kills beyond `limit` bytes; a quarter of it is ours.
    #[must_use]
    pub fn within(limit: Option<u64>) -> Self {
        let memory = limit.map_or(Self::MEMORY, |limit| (limit / 4).min(Self::MEMORY));
        Self {
            // One part must fit, however small the limit.
            memory: memory.max(8 * MIB),
            objects: 16,
            parts: 4,
            part_size: 8 * MIB,
        }
    }

    /// Limits from the memory limit of our own cgroup.
    #[must_use]
    pub fn of_this_process() -> Self {
        let limit = cgroup::memory_limit();
        let limits = Self::within(limit);
        tracing::debug!(
            cgroup_limit = limit,
            memory = limits.memory,
            "transfer limits"
        );
        limits
    }

    /// The size of the parts of a file of `size` bytes: grown where the store's limit on their number
    /// demands it. `None` if such a part does not fit in the memory.
    pub(super) fn part_size_for(&self, size: u64) -> Option<u64> {
        let least = size.div_ceil(MAX_PARTS).next_multiple_of(MIB);
        Some(self.part_size.max(least)).filter(|part| *part <= self.memory)
    }
}

/// Parts of one object, by the rules of S3 (and kin).
pub(super) const MAX_PARTS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_up_to_a_bound() {
        for (limit, memory) in [
            (None, 32 * MIB),
            (Some(1 << 40), 32 * MIB),
            (Some(128 * MIB), 32 * MIB),
            (Some(64 * MIB), 16 * MIB),
            (Some(MIB), 8 * MIB),
        ] {
            assert_eq!(Limits::within(limit).memory, memory, "{limit:?}");
        }
    }

    #[test]
    fn parts_grow_with_the_file_and_stay_within_the_memory() {
        let limits = Limits::within(None);
        for (size, part) in [
            (9 * MIB, Some(8 * MIB)),
            (80_000 * MIB, Some(8 * MIB)),
            (80_001 * MIB, Some(9 * MIB)),
            (320_000 * MIB, Some(32 * MIB)),
            (320_001 * MIB, None),
        ] {
            assert_eq!(limits.part_size_for(size), part, "{size}");
            if let Some(part) = part {
                assert!(size.div_ceil(part) <= MAX_PARTS);
            }
        }
    }
}

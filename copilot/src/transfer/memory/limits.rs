//! How much transfers may use, and where the numbers come from.

use super::cgroup;

const MIB: u64 = 1 << 20;

/// Bounds of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferLimits {
    /// Bytes of objects in memory at once.
    pub memory: u64,
    /// Objects in transfer at once. 16: more made nothing faster in our measurements.
    pub objects: usize,
    /// Parts of one large object in transfer at once. 4 of 8 MiB keep a fast line busy.
    pub parts: usize,
    /// Size in bytes of a part, and the size up to which an object goes in one request. 8 MiB: long
    /// enough that the overhead of a request does not matter, and four parts fit in the default memory.
    pub part_size: u64,
    /// Connections to stores at once; the stores enforce it
    /// ([`Network::connections`](crate::store::Network)).
    pub connections: usize,
}

impl TransferLimits {
    /// The default memory at most: what four parts need.
    const MEMORY: u64 = 32 * MIB;

    /// The least memory that transfers work with: one part.
    pub const LEAST_MEMORY: u64 = 8 * MIB;

    /// The default number of connections at most. More made nothing faster in our measurements (small
    /// objects over loopback), and S3 answers a burst with `SlowDown`.
    const CONNECTIONS: u64 = 16;

    /// Bytes of a memory limit for each connection. The kernel uses most of them: data that arrives
    /// faster than we read it waits in socket buffers of up to 6 MiB, which count against the limit.
    const PER_CONNECTION: u64 = 8 * MIB;

    /// Limits for a process that the kernel kills beyond `limit` bytes: objects take a quarter of it. A
    /// limit on CPU time changes nothing, since a connection that waits uses none.
    #[must_use]
    pub fn within(limit: Option<u64>) -> Self {
        let memory = limit.map_or(Self::MEMORY, |limit| (limit / 4).min(Self::MEMORY));
        let connections = limit.map_or(Self::CONNECTIONS, |limit| limit / Self::PER_CONNECTION);
        let connections = connections.clamp(4, Self::CONNECTIONS);
        Self {
            memory: memory.max(Self::LEAST_MEMORY),
            objects: 16,
            parts: 4,
            part_size: 8 * MIB,
            connections: usize::try_from(connections).unwrap_or(usize::MAX),
        }
    }

    /// The same limits, with the numbers that the user has chosen.
    #[must_use]
    pub fn chosen(self, memory: Option<u64>, connections: Option<usize>) -> Self {
        Self {
            // One part must fit.
            memory: memory.map_or(self.memory, |memory| memory.max(Self::LEAST_MEMORY)),
            connections: connections.unwrap_or(self.connections),
            ..self
        }
    }

    /// Limits from the memory limit of our own cgroup.
    #[must_use]
    pub fn from_own_cgroup() -> Self {
        let limit = cgroup::memory_limit();
        let limits = Self::within(limit);
        tracing::debug!(
            cgroup_limit = limit,
            memory = limits.memory,
            connections = limits.connections,
            "transfer limits"
        );
        limits
    }

    /// The size of the parts of a file of `size` bytes. It grows where the file would need more parts
    /// than a store allows, even beyond the memory.
    pub(in crate::transfer) fn part_size_for(&self, size: u64) -> u64 {
        let least = size.div_ceil(MAX_PARTS).next_multiple_of(MIB);
        self.part_size.max(least)
    }
}

/// The most parts of one object, by the rules of S3.
pub(in crate::transfer) const MAX_PARTS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_up_to_a_bound() {
        for (limit, memory, connections) in [
            (None, 32 * MIB, 16),
            (Some(1 << 40), 32 * MIB, 16),
            (Some(128 * MIB), 32 * MIB, 16),
            (Some(64 * MIB), 16 * MIB, 8),
            (Some(MIB), 8 * MIB, 4),
        ] {
            let limits = TransferLimits::within(limit);
            let found = (limits.memory, limits.connections);
            assert_eq!(found, (memory, connections), "{limit:?}");
        }
    }

    #[test]
    fn chosen_numbers_replace_the_defaults() {
        let limits = TransferLimits::within(Some(64 * MIB));
        for (memory, connections, expected) in [
            (None, None, (16 * MIB, 8)),
            (Some(600 * MIB), None, (600 * MIB, 8)),
            (Some(8 * MIB), Some(100), (8 * MIB, 100)),
            (Some(1), Some(1), (8 * MIB, 1)),
        ] {
            let chosen = limits.chosen(memory, connections);
            assert_eq!((chosen.memory, chosen.connections), expected);
        }
    }

    #[test]
    fn parts_grow_with_the_file() {
        let limits = TransferLimits::within(None);
        for (size, part) in [
            (9 * MIB, 8 * MIB),
            (80_000 * MIB, 8 * MIB),
            (80_001 * MIB, 9 * MIB),
            (320_000 * MIB, 32 * MIB),
            (5 << 40, 525 * MIB),
        ] {
            assert_eq!(limits.part_size_for(size), part, "{size}");
            assert!(size.div_ceil(part) <= MAX_PARTS);
        }
    }
}

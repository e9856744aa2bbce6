//! How much transfers may use, and where the numbers come from.

use super::cgroup;

const MIB: u64 = 1 << 20;

/// Bounds of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferLimits {
    /// Bytes of objects in memory at once.
    pub memory: u64,
    /// Objects in transfer at once: as many as there are connections, and a few whose requests come next.
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

    /// The default number of connections at most. How many of them are used depends on what helps (`store::http`):
    /// 256 requests at once are 12,000 a second to a store that is 20 ms away.
    const CONNECTIONS: u64 = 256;

    /// Bytes of a memory limit for each connection: its buffers, those of TLS, and a small object. Large objects
    /// need more, and are bounded by `memory` ([`window`](Self::window)).
    const PER_CONNECTION: u64 = MIB / 2;

    /// How many large bodies may arrive at once, if their windows fill the memory.
    const WINDOWS: u64 = 16;

    /// The most that the HTTP client reads ahead of a body.
    const READ_AHEAD: u64 = MIB / 2;

    /// Limits for a process that the kernel kills beyond `limit` bytes: objects take a quarter of it. A
    /// limit on CPU time changes nothing, since a connection that waits uses none.
    #[must_use]
    pub fn within(limit: Option<u64>) -> Self {
        let memory = limit.map_or(Self::MEMORY, |limit| (limit / 4).min(Self::MEMORY));
        let connections = limit.map_or(Self::CONNECTIONS, |limit| limit / Self::PER_CONNECTION);
        let connections = connections.clamp(4, Self::CONNECTIONS);
        let connections = usize::try_from(connections).unwrap_or(usize::MAX);
        Self {
            memory: memory.max(Self::LEAST_MEMORY),
            objects: objects_for(connections),
            parts: 4,
            part_size: 8 * MIB,
            connections,
        }
    }

    /// The same limits, with the numbers that the user has chosen.
    #[must_use]
    pub fn chosen(self, memory: Option<u64>, connections: Option<usize>) -> Self {
        Self {
            // One part must fit.
            memory: memory.map_or(self.memory, |memory| memory.max(Self::LEAST_MEMORY)),
            connections: connections.unwrap_or(self.connections),
            objects: connections.map_or(self.objects, objects_for),
            ..self
        }
    }

    /// The memory that a body of `size` bytes reserves while it arrives. A large one arrives faster than it is
    /// read: the client reads ahead, and the kernel keeps up to 6 MiB in the socket's buffer, which counts
    /// against a memory limit as well. So a large body takes a sixteenth of the memory, and a small one what
    /// it is.
    pub(in crate::transfer) fn window(&self, size: Option<u64>) -> u64 {
        let most = (self.memory / Self::WINDOWS).max(Self::READ_AHEAD);
        size.map_or(most, |size| size.saturating_add(HEAD).min(most))
    }

    /// Limits from the memory limit of our own cgroup.
    #[must_use]
    pub fn from_own_cgroup() -> Self {
        let limit = cgroup::memory_limit();
        let limits = Self::within(limit);
        tracing::debug!(
            cgroup_limit_bytes = limit,
            memory_bytes = limits.memory,
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

/// Bytes of an answer beside its body, and the client's first buffer.
const HEAD: u64 = 16 << 10;

/// How many objects are in transfer at once with so many connections.
fn objects_for(connections: usize) -> usize {
    connections.saturating_add(connections / 8).max(4)
}

/// The most parts of one object, by the rules of S3.
pub(in crate::transfer) const MAX_PARTS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_up_to_a_bound() {
        for (limit, memory, connections) in [
            (None, 32 * MIB, 256),
            (Some(1 << 40), 32 * MIB, 256),
            (Some(128 * MIB), 32 * MIB, 256),
            (Some(64 * MIB), 16 * MIB, 128),
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
            (None, None, (16 * MIB, 128)),
            (Some(600 * MIB), None, (600 * MIB, 128)),
            (Some(8 * MIB), Some(100), (8 * MIB, 100)),
            (Some(1), Some(1), (8 * MIB, 1)),
        ] {
            let chosen = limits.chosen(memory, connections);
            assert_eq!((chosen.memory, chosen.connections), expected);
        }
    }

    #[test]
    fn a_body_reserves_what_it_may_take() {
        let limits = TransferLimits::within(Some(128 * MIB));
        for (size, window) in [
            (Some(0), 16 << 10),
            (Some(10 << 10), 26 << 10),
            (Some(MIB), MIB + (16 << 10)),
            (Some(8 * MIB), 2 * MIB),
            (Some(u64::MAX), 2 * MIB),
            (None, 2 * MIB),
        ] {
            assert_eq!(limits.window(size), window, "{size:?}");
        }
        let tight = TransferLimits::within(Some(MIB));
        assert_eq!(tight.window(None), MIB / 2);
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

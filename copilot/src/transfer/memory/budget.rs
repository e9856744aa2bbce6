//! The bytes that all transfers together may hold in memory.
//!
//! [`MemoryBudget::take`] reserves memory that somebody else allocates; [`MemoryBudget::buffer`]
//! allocates it as well, and uses freed buffers again. An allocator that gets and frees megabytes all
//! the time keeps a fifth of them to itself (measured), and the kernel clears every page anew.
//! Dropping a permit or a buffer releases its memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of one permit: a semaphore cannot count as many permits as there are bytes.
const UNIT: u64 = 4096;

/// Buffers of at least this size are kept for the next caller.
const KEPT: usize = 1 << 20;

/// Memory, handed out in the order of requests, so that small requests cannot starve a large one. A
/// caller that holds memory never asks for more.
#[derive(Clone, Debug)]
pub(in crate::transfer) struct MemoryBudget {
    units: Arc<Semaphore>,
    total: u32,
    spare: Spare,
    /// The most units that were handed out at once.
    peak: Arc<AtomicU64>,
}

/// Memory that was released and not yet handed out again.
type Spare = Arc<Mutex<Vec<Vec<u8>>>>;

impl MemoryBudget {
    pub(in crate::transfer) fn new(bytes: u64) -> Self {
        let total = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        Self {
            units: Arc::new(Semaphore::new(total as usize)),
            total,
            spare: Spare::default(),
            peak: Arc::default(),
        }
    }

    /// The most bytes that were handed out at once.
    pub(in crate::transfer) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed) * UNIT
    }

    /// Waits until `bytes` are free, or all memory if `bytes` is more. Dropping the permit releases them.
    pub(in crate::transfer) async fn take(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let units = units.clamp(1, self.total);
        // An error would mean that the semaphore is closed, and nothing closes it.
        let taken = Arc::clone(&self.units).acquire_many_owned(units).await.ok();
        let in_use = u64::from(self.total) - self.units.available_permits() as u64;
        self.peak.fetch_max(in_use, Ordering::Relaxed);
        taken
    }

    /// Waits until `length` bytes are free and returns a buffer of them.
    pub(in crate::transfer) async fn buffer(&self, length: usize) -> Buffer {
        let permit = self.take(length as u64).await;
        Buffer {
            data: self.allocate(length),
            length,
            spare: Arc::clone(&self.spare),
            _permit: permit,
        }
    }

    /// Spare memory of about that size, or new memory. New memory replaces spare memory, so that both
    /// together stay within the budget.
    fn allocate(&self, length: usize) -> Vec<u8> {
        if length < KEPT {
            return vec![0; length];
        }
        let spare = self
            .spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match spare {
            Some(spare) if (length..=2 * length).contains(&spare.len()) => spare,
            other => {
                drop(other);
                vec![0; length]
            }
        }
    }
}

/// Memory from the budget, released when its last user drops it.
#[derive(Debug)]
pub(in crate::transfer) struct Buffer {
    data: Vec<u8>,
    length: usize,
    spare: Spare,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Buffer {
    /// The bytes to fill.
    pub(in crate::transfer) fn bytes(&mut self) -> &mut [u8] {
        &mut self.data[..self.length]
    }

    /// The filled bytes, to share.
    pub(in crate::transfer) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.data[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let data = std::mem::take(&mut self.data);
        if data.len() >= KEPT {
            let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
            spare.push(data);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const MIB: usize = 1 << 20;

    #[tokio::test]
    async fn shared_memory_counts_until_its_last_user_drops_it() {
        let budget = MemoryBudget::new(4 * MIB as u64);
        let first = budget.buffer(3 * MIB).await.freeze();
        assert_eq!(first.len(), 3 * MIB);
        let second = first.slice(1..2);
        drop(first);
        assert!(budget.buffer(2 * MIB).now_or_never().is_none());
        drop(second);
        assert!(budget.buffer(2 * MIB).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_request_for_more_than_all_gets_all() {
        let budget = MemoryBudget::new(MIB as u64);
        let all = budget.take(u64::MAX).await;
        assert!(budget.take(1).now_or_never().is_none());
        drop(all);
        assert!(budget.take(1).now_or_never().is_some());
        assert_eq!(budget.peak(), MIB as u64);
    }

    #[tokio::test]
    async fn memory_is_used_again_and_does_not_pile_up() {
        let budget = MemoryBudget::new(8 * MIB as u64);
        let spare = || {
            budget
                .spare
                .lock()
                .unwrap()
                .iter()
                .map(Vec::len)
                .sum::<usize>()
        };
        let mut buffer = budget.buffer(4 * MIB).await;
        buffer.bytes().fill(7);
        drop(buffer);
        assert_eq!(spare(), 4 * MIB);
        let mut again = budget.buffer(3 * MIB).await;
        assert_eq!((again.bytes().len(), again.bytes()[0]), (3 * MIB, 7));
        drop(again);
        // A buffer of another size replaces the spare memory.
        let other = budget.buffer(MIB).await;
        assert_eq!(spare(), 0);
        drop(other);
        drop(budget.buffer(10).await);
        assert_eq!(spare(), MIB);
    }
}

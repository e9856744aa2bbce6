//! Counts of a run, while it runs and at its end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::Reached;
use crate::store::Reference;

/// The counts of a finished run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Objects copied whole.
    pub objects: u64,
    /// Bytes that arrived, those of unfinished objects included.
    pub bytes: u64,
    /// Requests that were sent again, and bodies that broke and were resumed.
    pub retries: u64,
    /// The most bytes of objects that were held in memory at once.
    pub peak_in_flight: u64,
    /// The time from its beginning to its end.
    pub elapsed: Duration,
    /// When the first byte arrived from a store, or was accepted by one.
    pub first_byte: Option<Instant>,
    /// Prefixes without objects.
    pub empty_prefixes: Vec<Reference>,
}

impl Summary {
    /// Adds what a further run moved.
    pub fn add(&mut self, more: &Self) {
        self.objects += more.objects;
        self.bytes += more.bytes;
        self.retries += more.retries;
        self.peak_in_flight = self.peak_in_flight.max(more.peak_in_flight);
        self.elapsed += more.elapsed;
        self.first_byte = self.first_byte.or(more.first_byte);
    }

    /// Bytes a second.
    #[must_use]
    pub fn rate(&self) -> u64 {
        let milliseconds = self.elapsed.as_millis().max(1);
        let rate = u128::from(self.bytes) * 1000 / milliseconds;
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

/// The counts of a run in progress; shared by its copies.
#[derive(Debug, Default)]
pub(in crate::transfer) struct Tally {
    objects: AtomicU64,
    bytes: AtomicU64,
    known_objects: AtomicU64,
    known_bytes: AtomicU64,
    resumed: AtomicU64,
    first_byte: OnceLock<Instant>,
    empty_prefixes: Mutex<Vec<Reference>>,
}

impl Tally {
    pub(in crate::transfer) fn moved(&self, bytes: usize) {
        self.first_byte.get_or_init(Instant::now);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// One more object to copy, and its size if that is known.
    pub(in crate::transfer) fn planned(&self, size: Option<u64>) {
        self.known_objects.fetch_add(1, Ordering::Relaxed);
        self.sized(size.unwrap_or_default());
    }

    /// More bytes to copy: the size of an object became known.
    pub(in crate::transfer) fn sized(&self, size: u64) {
        self.known_bytes.fetch_add(size, Ordering::Relaxed);
    }

    /// A body broke and is resumed.
    pub(in crate::transfer) fn resumed(&self) {
        self.resumed.fetch_add(1, Ordering::Relaxed);
    }

    /// How far the run has come, without what the stores and the budget count.
    pub(in crate::transfer) fn reached(&self) -> Reached {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Reached {
            objects: load(&self.objects),
            known_objects: load(&self.known_objects),
            bytes: load(&self.bytes),
            known_bytes: load(&self.known_bytes),
            retries: load(&self.resumed),
            peak: 0,
        }
    }

    pub(in crate::transfer) fn finished(&self) {
        self.objects.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::transfer) fn empty(&self, prefix: &Reference) {
        let mut prefixes = self
            .empty_prefixes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        prefixes.push(prefix.clone());
    }

    /// The counts at the end; `reached` has those of the stores and the budget.
    pub(in crate::transfer) fn summary(&self, reached: &Reached, elapsed: Duration) -> Summary {
        let prefixes = self
            .empty_prefixes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Summary {
            objects: reached.objects,
            bytes: reached.bytes,
            retries: reached.retries,
            peak_in_flight: reached.peak,
            elapsed,
            first_byte: self.first_byte.get().copied(),
            empty_prefixes: prefixes.clone(),
        }
    }
}

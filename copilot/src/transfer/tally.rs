//! What a run has done so far.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use crate::store::Reference;

/// The counts of a finished run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Objects copied whole.
    pub objects: u64,
    /// Bytes that arrived, those of unfinished objects included.
    pub bytes: u64,
    /// When the first byte arrived from a store, or was accepted by one.
    pub first_byte: Option<Instant>,
    /// Prefixes that nothing was found beneath.
    pub empty_prefixes: Vec<Reference>,
}

/// The counts of a run in progress; shared by its copies.
#[derive(Debug, Default)]
pub(super) struct Tally {
    objects: AtomicU64,
    bytes: AtomicU64,
    first_byte: OnceLock<Instant>,
    empty_prefixes: Mutex<Vec<Reference>>,
}

impl Tally {
    pub(super) fn moved(&self, bytes: usize) {
        self.first_byte.get_or_init(Instant::now);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn finished(&self) {
        self.objects.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn empty(&self, prefix: &Reference) {
        let mut prefixes = self
            .empty_prefixes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        prefixes.push(prefix.clone());
    }

    pub(super) fn summary(&self) -> Summary {
        let prefixes = self
            .empty_prefixes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Summary {
            objects: self.objects.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            first_byte: self.first_byte.get().copied(),
            empty_prefixes: prefixes.clone(),
        }
    }
}

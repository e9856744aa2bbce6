//! Counts the memory that a piece of work takes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[global_allocator]
static COUNTING: Counting = Counting;

/// The system's allocator, counting for each thread of its own: tests run side by side.
struct Counting;

thread_local! {
    /// Bytes held now, and the most since [`peak_of`] began.
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn count(bytes: usize, sign: isize) {
    // A thread that is ending counts no more.
    let _ = HELD.try_with(|held| {
        let (now, peak) = held.get();
        let now = now + sign * isize::try_from(bytes).unwrap_or(isize::MAX);
        held.set((now, peak.max(now)));
    });
}

// SAFETY: every call is passed on to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The outcome of `work`, and the most memory that it held at once, in bytes.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.with(|held| {
        let (now, _) = held.get();
        held.set((now, now));
        now
    });
    let outcome = work();
    let (_, peak) = HELD.with(Cell::get);
    (outcome, usize::try_from(peak - before).unwrap_or(0))
}

#[test]
fn it_counts() {
    let (kept, peak) = peak_of(|| {
        drop(vec![0_u8; 1 << 20]);
        vec![0_u8; 1 << 10]
    });
    assert_eq!(kept.len(), 1 << 10);
    assert!(((1 << 20)..(1 << 20) + 4096).contains(&peak), "{peak}");
}

//! Percentiles and how they are printed.

use std::time::Duration;

/// The value below which `percent` of the samples lie, the samples being sorted.
///
/// # Panics
///
/// If there are no samples: a bench that measured nothing has no result.
#[must_use]
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    assert!(!sorted.is_empty(), "nothing was measured");
    sorted[(sorted.len() - 1) * percent / 100]
}

/// One against another.
#[must_use]
pub fn ratio(ours: Duration, theirs: Duration) -> f64 {
    ours.as_secs_f64() / theirs.as_secs_f64()
}

//! How often to scan `/proc` where the kernel sends no events.

use std::time::Duration;

/// For this long after the last change, main's start is expected at any moment. An image pull may take
/// far longer, and must not cost a scan every few milliseconds.
const EXPECTANT: Duration = Duration::from_mins(1);

/// After that the pauses are this many times longer.
const PATIENT: u32 = 4;

/// The pause while a runtime's process waits in a new container for the order to start the program.
const BEFORE_A_START: Duration = Duration::from_millis(1);

/// The bounds of the pause between two scans of `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polling {
    /// The pause while main is expected. A main that ends within it may be missed, unless a scan saw its
    /// container in the making. A scan of a pod's few processes takes a fraction of a millisecond.
    pub fast: Duration,
    /// The pause while main runs. It delays the end of each task by at most this much; a shorter pause
    /// costs main more CPU time.
    pub slow: Duration,
}

impl Default for Polling {
    fn default() -> Self {
        Self {
            fast: Duration::from_millis(5),
            slow: Duration::from_millis(100),
        }
    }
}

impl Polling {
    /// The pause before main has started. `quiet` is the time since the last change; `in_the_making`
    /// is whether a container waits for its start.
    #[must_use]
    pub fn before_start(&self, quiet: Duration, in_the_making: bool) -> Duration {
        if in_the_making {
            self.fast.min(BEFORE_A_START)
        } else if quiet < EXPECTANT {
            self.fast
        } else {
            (self.fast * PATIENT).min(self.slow.max(self.fast))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_is_shortest_just_before_a_start_and_longer_when_nothing_happens() {
        let polling = Polling::default();
        let pause = |seconds, making| polling.before_start(Duration::from_secs(seconds), making);
        assert_eq!(pause(0, false), Duration::from_millis(5));
        assert_eq!(pause(0, true), Duration::from_millis(1));
        assert_eq!(pause(3600, true), Duration::from_millis(1));
        assert_eq!(pause(61, false), Duration::from_millis(20));
    }

    #[test]
    fn the_pause_stays_within_its_bounds() {
        let polling = Polling {
            fast: Duration::from_micros(200),
            slow: Duration::from_micros(500),
        };
        let pause = |seconds, making| polling.before_start(Duration::from_secs(seconds), making);
        assert_eq!(pause(0, true), Duration::from_micros(200));
        assert_eq!(pause(61, false), Duration::from_micros(500));
    }
}

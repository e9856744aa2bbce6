//! How often to look where nobody tells us anything.

use std::time::Duration;

/// How long after the last news main's start is expected from moment to moment. An image may take
/// far longer to be pulled, and nobody should pay for that by the millisecond.
const EXPECTANT: Duration = Duration::from_mins(1);

/// How many times longer the pauses are after that.
const PATIENT: u32 = 4;

/// While a runtime's process waits in a new container for the word to start the program.
const BEFORE_A_START: Duration = Duration::from_millis(1);

/// Both ends of the pause between two looks at `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polling {
    /// While main is expected: a main that lives less than that may be missed, unless its container
    /// was seen in the making. A look at a pod's few processes takes a fraction of a millisecond.
    pub fast: Duration,
    /// While main runs: what is added to the end of each task. A look costs CPU time that is main's.
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
    /// The pause before main has started: `quiet` is how long nothing has changed, `in_the_making`
    /// whether a container waits for its start.
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
    fn neither_end_is_overstepped() {
        let polling = Polling {
            fast: Duration::from_micros(200),
            slow: Duration::from_micros(500),
        };
        let pause = |seconds, making| polling.before_start(Duration::from_secs(seconds), making);
        assert_eq!(pause(0, true), Duration::from_micros(200));
        assert_eq!(pause(61, false), Duration::from_micros(500));
    }
}

//! Converts the API's times, wall-clock time in whole seconds, to boot time.
//!
//! The node's clock may be set at any time, so both clocks are read again for each answer. An event lies
//! anywhere within its second, and never later than now.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff};

use crate::track::Timestamp;

const SECOND: u64 = 1_000_000_000;

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The wall-clock time.
    pub wall: jiff::Timestamp,
    /// The boot time.
    pub boot: Timestamp,
}

impl Clock {
    /// Both clocks now.
    pub fn now() -> Self {
        Self {
            wall: jiff::Timestamp::now(),
            boot: Timestamp::now(),
        }
    }

    /// The earliest and the latest moment that the API can mean by `time`; now, if the time is missing
    /// or not after the epoch.
    pub fn moments(&self, time: Option<&Time>) -> (Timestamp, Timestamp) {
        let Some(time) = time.filter(|time| time.0.as_second() > 0) else {
            return (self.boot, self.boot);
        };
        let ago = self.wall.as_nanosecond() - time.0.as_nanosecond();
        let ago = u64::try_from(ago.max(0)).unwrap_or(u64::MAX);
        let earliest = self.boot.0.saturating_sub(ago);
        let latest = earliest.saturating_add(SECOND - 1).min(self.boot.0);
        (Timestamp(earliest), Timestamp(latest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> Time {
        Time(text.parse().expect("a time is written so"))
    }

    proptest! {
        #[test]
        fn no_time_lies_after_now_nor_ends_before_it_begins(
            wall in any::<i32>(), boot in any::<u64>(), reported in any::<i32>(),
        ) {
            let at = |second: i32| jiff::Timestamp::from_second(second.into()).expect("it is in range");
            let clock = Clock { wall: at(wall), boot: Timestamp(boot) };
            let (earliest, latest) = clock.moments(Some(&Time(at(reported))));
            prop_assert!(earliest <= latest && latest <= clock.boot);
        }
    }

    #[test]
    fn a_second_of_wall_clock_time_is_a_second_of_boot_time() {
        let clock = Clock {
            wall: time("2026-03-01T12:00:10.5Z").0,
            boot: Timestamp(100 * SECOND),
        };
        let half = SECOND / 2;
        for (text, earliest, latest) in [
            (
                "2026-03-01T12:00:00Z",
                89 * SECOND + half,
                90 * SECOND + half - 1,
            ),
            ("2026-03-01T12:00:10Z", 99 * SECOND + half, 100 * SECOND),
            // The clocks of the API and of the node may differ: not later than now.
            ("2026-03-01T12:00:12Z", 100 * SECOND, 100 * SECOND),
            // Before this boot.
            ("2026-03-01T11:00:00Z", 0, SECOND - 1),
            // Kubelet writes this for a container that never started.
            ("1970-01-01T00:00:00Z", 100 * SECOND, 100 * SECOND),
        ] {
            let expected = (Timestamp(earliest), Timestamp(latest));
            assert_eq!(clock.moments(Some(&time(text))), expected, "{text}");
        }
        assert_eq!(clock.moments(None), (clock.boot, clock.boot));
    }
}

//! When we began, as far as the times of files can be compared with it.
//!
//! File systems note the wall clock, which can be set. So a second clock, which nobody sets, shows whether that
//! has happened since.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// The clocks differ by less than this if nobody sets one: they are read one after the other, one counts in ticks, and
/// it is kept right in small steps.
const GRAIN: Duration = Duration::from_secs(1);

/// The moment when we began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beginning {
    /// By the wall clock, as the kernel stamps files.
    wall: Duration,
    /// By the time since boot.
    boot: Duration,
}

/// Whether something was made before we began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Born {
    /// Before.
    Before,
    /// Since then.
    Since,
    /// It seems to be before, and it may be since then: the clock was set back.
    Unknown,
}

impl Beginning {
    pub(super) fn now() -> Self {
        let [wall, boot] = now();
        Self { wall, boot }
    }

    /// Whether something was made before we began, by the time of its birth.
    pub(super) fn born(self, at: Timespec) -> Born {
        self.born_by(at, now())
    }

    /// The same where the two clocks show these times now.
    fn born_by(self, at: Timespec, [wall, boot]: [Duration; 2]) -> Born {
        let at = duration(at);
        if at >= self.wall {
            return Born::Since;
        }
        // What the wall clock would show now if nobody had set it.
        let unset = self.wall + boot.saturating_sub(self.boot);
        let set_back = unset.saturating_sub(wall);
        if set_back > GRAIN && at + set_back + GRAIN >= self.wall {
            Born::Unknown
        } else {
            Born::Before
        }
    }
}

/// The wall clock, which the kernel advances in ticks where it stamps files, and the time since boot.
fn now() -> [Duration; 2] {
    [ClockId::RealtimeCoarse, ClockId::Boottime].map(|clock| duration(clock_gettime(clock)))
}

/// A time as the time since its clock's zero; times before that are zero.
fn duration(time: Timespec) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    /// We began at 10,000 s by the wall clock and at 500 s since boot, and now it is 60 s later; the wall clock was
    /// set forward by `step` seconds meanwhile.
    fn born(at: i64, step: i64) -> Born {
        let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
        let began = Beginning {
            wall: seconds(10_000),
            boot: seconds(500),
        };
        let at = Timespec {
            tv_sec: at,
            tv_nsec: 0,
        };
        began.born_by(at, [seconds(10_060 + step), seconds(560)])
    }

    #[test]
    fn a_clock_that_is_set_back_proves_nothing() {
        for (at, step, expected) in [
            (9_999, 0, Born::Before),
            (10_000, 0, Born::Since),
            (10_050, 0, Born::Since),
            // Made after the clock was set back, or in the hour before we began.
            (10_050 - HOUR, -HOUR, Born::Unknown),
            (9_999, -HOUR, Born::Unknown),
            // At that moment, as far as the clocks tell; then older.
            (10_000 - HOUR - 1, -HOUR, Born::Unknown),
            (10_000 - HOUR - 2, -HOUR, Born::Before),
            (10_001, -HOUR, Born::Since),
            // Set forward.
            (9_999, HOUR, Born::Before),
            (10_030 + HOUR, HOUR, Born::Since),
            (-1, 0, Born::Before),
        ] {
            assert_eq!(born(at, step), expected, "{at} {step}");
        }
    }
}

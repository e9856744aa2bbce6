//! How far transfers have come, shown while they run: as a bar on a terminal, elsewhere as one log line
//! every ten seconds.
//!
//! `tally` counts. [`beside`] runs a transfer and shows its counts; [`Meter`] does so for a caller with a
//! loop of its own. Neither has a timer while nothing moves, so that a sidecar which waits for main never
//! wakes up for it. Never here: decisions about a transfer. Callers: the engine, `upload::eager`.

mod bar;
mod tally;
mod text;

use std::future::Future;
use std::time::Duration;

use bar::Bar;
use tokio::time::{Instant, sleep_until};

pub use tally::Summary;
pub(super) use tally::Tally;
pub use text::ByteCount;

/// Where progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Display {
    /// In the log, as lines.
    #[default]
    Log,
    /// On the terminal that standard error is.
    Terminal,
}

/// How far transfers have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// Objects copied whole.
    pub(super) objects: u64,
    /// Objects to copy, as far as they are known; more may come.
    pub(super) known_objects: u64,
    /// Bytes that arrived.
    pub(super) bytes: u64,
    /// Bytes of the known objects, as far as their sizes are known.
    pub(super) known_bytes: u64,
    /// Requests that were sent again, and bodies that broke and were resumed.
    pub(super) retries: u64,
    /// The most bytes that were held in memory at once.
    pub(super) peak: u64,
}

impl Display {
    /// Time between two updates: short enough to see a bar move, long enough for a log.
    fn period(self) -> Duration {
        match self {
            Self::Log => Duration::from_secs(10),
            Self::Terminal => Duration::from_millis(250),
        }
    }
}

/// Shows progress at the pace of its display. A bar is wiped when the meter is dropped.
#[derive(Debug)]
pub struct Meter {
    bar: Option<Bar>,
    period: Duration,
    due: Instant,
    /// When it was shown last, or begun, and how many bytes there were.
    before: (Instant, u64),
}

impl Meter {
    /// A meter that shows progress for the first time after one period; `bytes` have arrived by now.
    pub(super) fn new(display: Display, bytes: u64) -> Self {
        let (now, period) = (Instant::now(), display.period());
        Self {
            bar: (display == Display::Terminal).then(Bar::new),
            period,
            due: now + period,
            before: (now, bytes),
        }
    }

    /// When to show progress next.
    #[must_use]
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Shows how far the transfers have come.
    pub(super) fn show(&mut self, reached: &Reached) {
        let (now, (then, bytes)) = (Instant::now(), self.before);
        match &mut self.bar {
            Some(bar) => bar.show(now.into_std(), reached),
            None => log(now.duration_since(then), bytes, reached),
        }
        self.before = (now, reached.bytes);
        self.due = now + self.period;
    }
}

/// The outcome of `work`. Meanwhile shows what `reached` says.
pub(super) async fn beside<T>(
    display: Display,
    reached: impl Fn() -> Reached,
    work: impl Future<Output = T>,
) -> T {
    let mut meter = Meter::new(display, reached().bytes);
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            outcome = &mut work => return outcome,
            () = sleep_until(meter.due()) => meter.show(&reached()),
        }
    }
}

/// One line for the log; `before` is how many bytes there were when the time began.
fn log(time: Duration, before: u64, reached: &Reached) {
    let rate = ByteCount::per_second(reached.bytes.saturating_sub(before), time);
    tracing::info!(
        objects = reached.objects,
        known_objects = reached.known_objects,
        bytes = reached.bytes,
        known_bytes = reached.known_bytes,
        retries = reached.retries,
        bytes_per_second = rate.0,
        peak_in_flight_bytes = reached.peak,
        "transferring"
    );
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How many log lines a transfer of this length writes.
    async fn logged(length: Duration) -> u32 {
        let asked = Cell::new(0);
        let reached = || {
            asked.set(asked.get() + 1);
            Reached::default()
        };
        beside(Display::Log, reached, tokio::time::sleep(length)).await;
        // `beside` asks once before it begins.
        asked.get() - 1
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_line_is_written_every_ten_seconds() {
        for (seconds, times) in [(1, 0), (9, 0), (15, 1), (35, 3), (3605, 360)] {
            let length = Duration::from_secs(seconds);
            assert_eq!(logged(length).await, times, "{seconds}");
        }
    }
}

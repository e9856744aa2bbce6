//! How far transfers have come, told while they run: on a terminal as a bar, elsewhere as one log line
//! every ten seconds.
//!
//! [`beside`] runs a transfer and tells of it; its clock ticks only meanwhile, so a sidecar that waits
//! for main is never woken by it. What there is to tell is counted by the tally, the budget and the
//! stores' client. Never here: what is done about it. Caller: the engine.

mod bar;
mod text;

use std::future::Future;
use std::time::{Duration, Instant};

use bar::Bar;
use tokio::time::MissedTickBehavior;

pub(super) use text::Bytes;

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
    /// Objects known to be copied in all; more may come.
    pub(super) known_objects: u64,
    /// Bytes that arrived.
    pub(super) bytes: u64,
    /// Bytes of the known objects, as far as their sizes are known.
    pub(super) known_bytes: u64,
    /// Requests sent again, and bodies gone on with after they broke.
    pub(super) retries: u64,
    /// The most bytes that were held in memory at once.
    pub(super) peak: u64,
}

impl Display {
    /// Between two times of telling: often enough to see a bar move, seldom enough for a log.
    fn period(self) -> Duration {
        match self {
            Self::Log => Duration::from_secs(10),
            Self::Terminal => Duration::from_millis(250),
        }
    }
}

/// The outcome of `work`; meanwhile tells what `reached` says.
pub(super) async fn beside<T>(
    display: Display,
    reached: impl Fn() -> Reached,
    work: impl Future<Output = T>,
) -> T {
    let mut bar = (display == Display::Terminal).then(Bar::new);
    let period = display.period();
    let mut clock = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut before, mut work) = ((Instant::now(), reached().bytes), std::pin::pin!(work));
    loop {
        tokio::select! {
            biased;
            outcome = &mut work => {
                drop(bar);
                return outcome;
            }
            _ = clock.tick() => {
                let (now, reached) = (Instant::now(), reached());
                match &mut bar {
                    Some(bar) => bar.show(now, &reached),
                    None => log(now.duration_since(before.0), before.1, &reached),
                }
                before = (now, reached.bytes);
            }
        }
    }
}

/// One line for the log; `before` is how many bytes there were when the time began.
fn log(time: Duration, before: u64, reached: &Reached) {
    let rate = Bytes::per_second(reached.bytes.saturating_sub(before), time);
    tracing::info!(
        objects = reached.objects,
        known_objects = reached.known_objects,
        bytes = reached.bytes,
        known_bytes = reached.known_bytes,
        retries = reached.retries,
        bytes_per_second = rate.0,
        peak_in_flight = reached.peak,
        "transferring"
    );
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How often a transfer of this length is told of in the log.
    async fn told(length: Duration) -> u32 {
        let asked = Cell::new(0);
        let reached = || {
            asked.set(asked.get() + 1);
            Reached::default()
        };
        beside(Display::Log, reached, tokio::time::sleep(length)).await;
        // Once to begin with.
        asked.get() - 1
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_is_told_every_ten_seconds() {
        for (seconds, times) in [(1, 0), (9, 0), (15, 1), (35, 3), (3605, 360)] {
            let length = Duration::from_secs(seconds);
            assert_eq!(told(length).await, times, "{seconds}");
        }
    }
}

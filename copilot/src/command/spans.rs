//! The spans of a run go to the collector that the environment names. A run that has ended does not wait long for
//! that, and never fails by it.

use std::time::Duration;

use tokio::time::sleep;
use tracing::{debug, warn};

use crate::otlp;
use crate::report::Timeline;
use crate::store::Environment;
use crate::termination::Termination;

/// The longest time for an export once SIGTERM has come.
const AFTER_SIGTERM: Duration = Duration::from_secs(1);

/// Sends the spans of a run that has ended; `grace` is the time from SIGTERM to SIGKILL, if it is known. A warning says
/// why they were not sent.
pub(super) async fn send(
    timeline: &Timeline,
    termination: &mut Termination,
    grace: Option<Duration>,
) {
    let environment = Environment::from_process();
    let sent = tokio::select! {
        sent = otlp::export(timeline, &environment) => sent,
        () = before_kill(termination, grace) => {
            warn!("spans are not sent: kubelet stops this container soon");
            return;
        }
    };
    match sent {
        Ok(0) => {}
        Ok(count) => debug!(count, "spans are sent"),
        Err(error) => warn!(%error, "spans are not sent"),
    }
}

/// Waits until the export must end because kubelet ends this process soon. For ever without SIGTERM.
async fn before_kill(termination: &mut Termination, grace: Option<Duration>) {
    termination.received().await;
    let received = termination.received_at();
    let passed = received.map_or(Duration::ZERO, |at| at.elapsed());
    sleep(left(passed, grace)).await;
}

/// How long an export may still take when SIGTERM came this long ago: half of what is left of the grace period, and a
/// second at most.
fn left(passed: Duration, grace: Option<Duration>) -> Duration {
    let left = grace.map_or(Duration::MAX, |grace| grace.saturating_sub(passed));
    AFTER_SIGTERM.min(left / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_sigterm_little_time_is_left_and_never_that_until_the_kill() {
        for (passed, grace, expected) in [
            (0, None, 1_000),
            (90_000, None, 1_000),
            (0, Some(30_000), 1_000),
            (29_000, Some(30_000), 500),
            (29_999, Some(30_000), 0),
            (31_000, Some(30_000), 0),
            (0, Some(600), 300),
        ] {
            let found = left(
                Duration::from_millis(passed),
                grace.map(Duration::from_millis),
            );
            assert_eq!(found.as_millis(), expected, "{passed} of {grace:?}");
        }
    }
}

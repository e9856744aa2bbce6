//! When the upload must end so that its error document is still written.
//!
//! Flyte makes `--timeout` and the pod's grace period from one value. Kubelet sends SIGTERM about a second after
//! main's end, or earlier if the pod is deleted, and SIGKILL when the grace period is over. A limit that counts
//! from main's end alone may pass after that: the platform would learn nothing.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::termination::Termination;

/// Time for what follows the upload: deleting early objects, and the error document.
const RESERVE: Duration = Duration::from_secs(10);

/// At most this part of the time is kept back: a quarter.
const PART: u32 = 4;

/// Waits until the upload must end because kubelet ends this process soon: some seconds before `allowed`
/// (`--timeout`) has passed since SIGTERM. For ever without a limit, and without SIGTERM.
pub(super) async fn before_kill(termination: &mut Termination, allowed: Option<Duration>) {
    termination.received().await;
    match (termination.received_at(), allowed) {
        (Some(at), Some(allowed)) => sleep_until(last_moment(at, allowed)).await,
        _ => std::future::pending().await,
    }
}

/// When the upload must end after a SIGTERM at `at`.
fn last_moment(at: Instant, allowed: Duration) -> Instant {
    at + allowed.saturating_sub(RESERVE.min(allowed / PART))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_seconds_stay_for_the_document() {
        let at = Instant::now();
        for (allowed, left) in [
            (3_600, 10_000),
            (90, 10_000),
            (20, 5_000),
            (4, 1_000),
            (0, 0),
        ] {
            let allowed = Duration::from_secs(allowed);
            let kept = at + allowed - last_moment(at, allowed);
            assert_eq!(kept, Duration::from_millis(left), "{allowed:?}");
        }
    }
}

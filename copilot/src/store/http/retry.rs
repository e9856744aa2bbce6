//! When a failed request is sent again, and after how long. Caller: `client`.
//!
//! Three limits: of attempts, of time since the first failure, and, while nothing answers, of the time since
//! the silence began. Silence of a host that has answered before is a restart or a failover: it is waited for,
//! whatever the other limits say. Silence of a host that never answered is probably a wrong name.

use std::time::Duration;

use tokio::time::Instant;

use super::failure::{FailureKind, RequestFailure};
use crate::store::network::Retry;

/// The retries that one request has left.
#[derive(Debug)]
pub(super) struct RetryBudget<'a> {
    rules: &'a Retry,
    started: Instant,
    /// All attempts so far, for the report.
    attempts: u32,
    /// Those that the limit of attempts counts.
    counted: u32,
    /// When the first attempt failed.
    failing: Option<Instant>,
    /// When the host fell silent, and the failures since.
    silent: Option<(Instant, u32)>,
}

impl<'a> RetryBudget<'a> {
    pub(super) fn new(rules: &'a Retry) -> Self {
        Self {
            rules,
            started: Instant::now(),
            attempts: 0,
            counted: 0,
            failing: None,
            silent: None,
        }
    }

    /// Counts a failed attempt. `host_is_known` says whether the host has answered in this run, and `left`
    /// how much time the request has, if that is limited. Returns the wait before the next attempt, or the
    /// failure if none is left.
    pub(super) fn spend(
        &mut self,
        failure: RequestFailure,
        host_is_known: bool,
        left: Option<Duration>,
    ) -> Result<Duration, RequestFailure> {
        let now = Instant::now();
        self.attempts += 1;
        let failing = *self.failing.get_or_insert(now);
        self.silent = match self.silent {
            _ if !failure.is_silence() => None,
            None => Some((now, 1)),
            Some((since, failed)) => Some((since, failed + 1)),
        };
        let awaited = self.awaited(now).filter(|_| host_is_known);
        let wait = awaited.or_else(|| self.ordinary(&failure, now - failing));
        let is_in_time = |wait: &Duration| left.is_none_or(|left| *wait < left);
        let Some(wait) = wait.filter(is_in_time) else {
            return Err(RequestFailure {
                tried: Some((self.attempts, now - self.started)),
                ..failure
            });
        };
        tracing::debug!(
            attempt = self.attempts,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            reason = %failure,
            "request failed, trying again"
        );
        Ok(wait)
    }

    /// The wait for a host that is away. The last attempt is made when the time is over, and not before.
    fn awaited(&self, now: Instant) -> Option<Duration> {
        let (since, failed) = self.silent?;
        let left = self.rules.known_elapsed.checked_sub(now - since)?;
        Some(self.rules.pause(failed).min(left)).filter(|_| !left.is_zero())
    }

    /// The wait after any other failure.
    fn ordinary(&mut self, failure: &RequestFailure, elapsed: Duration) -> Option<Duration> {
        self.counted += 1;
        let limit = match failure.kind {
            FailureKind::Connect => self.rules.connect_elapsed.min(self.rules.elapsed),
            _ => self.rules.elapsed,
        };
        let wait = self.wait(failure);
        // A reused connection may have been out of step; a new one makes sure.
        let once_more = failure.kind == FailureKind::Foreign && self.attempts == 1;
        let may_help = failure.is_transient() || once_more;
        let is_left = self.counted < self.rules.attempts && elapsed + wait < limit;
        Some(wait).filter(|_| may_help && is_left)
    }

    fn wait(&self, failure: &RequestFailure) -> Duration {
        let jitter = self.rules.pause(self.counted);
        match failure.reply.as_ref().and_then(|reply| reply.retry_after) {
            // Jitter on top: the server gave every client the same number.
            Some(asked) => asked.min(self.rules.retry_after) + jitter.min(self.rules.base),
            None => jitter,
        }
    }
}

#[cfg(test)]
mod tests;

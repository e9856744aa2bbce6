//! When a failed request is sent again, and after how long. Caller: `client`.

use std::time::{Duration, Instant, SystemTime};

use super::failure::{FailureKind, RequestFailure};
use crate::store::network::Retry;

/// The retries that one request has left.
#[derive(Debug)]
pub(super) struct RetryBudget<'a> {
    rules: &'a Retry,
    started: Instant,
    attempts: u32,
}

impl<'a> RetryBudget<'a> {
    pub(super) fn new(rules: &'a Retry) -> Self {
        Self {
            rules,
            started: Instant::now(),
            attempts: 0,
        }
    }

    /// Counts a failed attempt. Returns the wait before the next one, or the failure if none is left.
    pub(super) fn spend(&mut self, failure: RequestFailure) -> Result<Duration, RequestFailure> {
        self.attempts += 1;
        let elapsed = self.started.elapsed();
        let limit = match failure.kind {
            FailureKind::Connect => self.rules.connect_elapsed.min(self.rules.elapsed),
            _ => self.rules.elapsed,
        };
        let wait = self.wait(&failure);
        // A reused connection may have been out of step; a new one makes sure.
        let once_more = failure.kind == FailureKind::Foreign && self.attempts == 1;
        if (failure.is_transient() || once_more)
            && self.attempts < self.rules.attempts
            && elapsed + wait < limit
        {
            tracing::debug!(
                attempt = self.attempts,
                wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                reason = %failure,
                "request failed, trying again"
            );
            return Ok(wait);
        }
        Err(RequestFailure {
            tried: Some((self.attempts, elapsed)),
            ..failure
        })
    }

    fn wait(&self, failure: &RequestFailure) -> Duration {
        let jitter = self.rules.pause(self.attempts);
        match failure.reply.as_ref().and_then(|reply| reply.retry_after) {
            // Jitter on top: the server gave every client the same number.
            Some(asked) => asked.min(self.rules.retry_after) + jitter.min(self.rules.base),
            None => jitter,
        }
    }
}

/// `Retry-After`: seconds, or a moment by the server's clock, which the header `date` gives; without it,
/// by ours.
pub(super) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let due = httpdate::parse_http_date(value).ok()?;
    let now = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    let wait = due.duration_since(now.unwrap_or_else(SystemTime::now));
    // A moment that has passed needs no wait.
    Some(wait.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::http::Reply;

    fn failure(kind: FailureKind) -> RequestFailure {
        RequestFailure::new(kind, "broken")
    }

    #[test]
    fn attempts_are_counted_and_reported() {
        let rules = Retry {
            attempts: 3,
            ..Retry::default()
        };
        let mut budget = RetryBudget::new(&rules);
        assert!(budget.spend(failure(FailureKind::Broken)).is_ok());
        assert!(budget.spend(failure(FailureKind::Broken)).is_ok());
        let last = budget.spend(failure(FailureKind::Broken)).unwrap_err();
        assert!(last.to_string().contains("3 attempts"), "{last}");
    }

    #[test]
    fn lasting_failures_are_not_tried_again() {
        let rules = Retry::default();
        for kind in [
            FailureKind::Tls,
            FailureKind::Credentials,
            FailureKind::Protocol,
        ] {
            assert!(
                RetryBudget::new(&rules).spend(failure(kind)).is_err(),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_foreign_answer_is_tried_twice() {
        let rules = Retry::default();
        let mut budget = RetryBudget::new(&rules);
        assert!(budget.spend(failure(FailureKind::Foreign)).is_ok());
        assert!(budget.spend(failure(FailureKind::Foreign)).is_err());
    }

    #[test]
    fn waits_grow_within_their_bounds() {
        let rules = Retry {
            attempts: u32::MAX,
            elapsed: Duration::MAX,
            ..Retry::default()
        };
        let mut budget = RetryBudget::new(&rules);
        for attempt in 0..40 {
            let wait = budget.spend(failure(FailureKind::Broken)).unwrap();
            let ceiling = (rules.base * (1 << attempt.min(20))).min(rules.cap);
            assert!(wait <= ceiling, "{attempt}: {wait:?}");
        }
    }

    #[test]
    fn the_servers_wish_is_honoured_up_to_a_bound() {
        let rules = Retry::default();
        let asking = |seconds| RequestFailure {
            reply: Some(Box::new(Reply {
                retry_after: retry_after(seconds, None),
                ..Reply::default()
            })),
            ..failure(FailureKind::Broken)
        };
        let wait = RetryBudget::new(&rules).spend(asking("2")).unwrap();
        assert!(wait >= Duration::from_secs(2), "{wait:?}");
        let wait = RetryBudget::new(&rules).spend(asking("86400")).unwrap();
        assert!(wait <= rules.retry_after + rules.base, "{wait:?}");
        assert_eq!(retry_after("soon", None), None);
    }

    #[test]
    fn a_moment_is_taken_by_the_servers_clock() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (value, date, seconds) in [
            ("Sun, 06 Nov 1994 08:49:49 GMT", Some(date), 12),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(date), 60),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(date), 0),
            // Long ago by our clock.
            ("Sun, 06 Nov 1994 08:49:49 GMT", None, 0),
            ("Sun, 06 Nov 1994 08:49:49 GMT", Some("now"), 0),
            (" 7 ", Some(date), 7),
        ] {
            let expected = Some(Duration::from_secs(seconds));
            assert_eq!(retry_after(value, date), expected, "{value} {date:?}");
        }
    }
}

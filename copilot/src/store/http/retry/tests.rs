use http::{HeaderMap, StatusCode};

use super::*;

fn failure(kind: FailureKind) -> RequestFailure {
    RequestFailure::new(kind, "broken")
}

fn answer(status: u16, headers: &[(&'static str, &str)]) -> RequestFailure {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    RequestFailure::from_response(StatusCode::from_u16(status).unwrap(), &headers, b"")
}

/// Fails again and again until the budget is spent. Returns for how long, and the last failure.
async fn until_spent(
    budget: &mut RetryBudget<'_>,
    known: bool,
    fails: impl Fn() -> RequestFailure,
) -> (Duration, RequestFailure) {
    let begun = Instant::now();
    loop {
        match budget.spend(fails(), known, None) {
            Ok(wait) => tokio::time::sleep(wait).await,
            Err(last) => return (begun.elapsed(), last),
        }
    }
}

#[tokio::test]
async fn attempts_are_counted_and_reported() {
    let rules = Retry {
        attempts: 3,
        ..Retry::default()
    };
    let mut budget = RetryBudget::new(&rules);
    assert!(
        budget
            .spend(failure(FailureKind::Broken), false, None)
            .is_ok()
    );
    assert!(
        budget
            .spend(failure(FailureKind::Broken), false, None)
            .is_ok()
    );
    let last = budget.spend(failure(FailureKind::Broken), false, None);
    let last = last.unwrap_err();
    assert!(last.to_string().contains("3 attempts"), "{last}");
}

#[tokio::test]
async fn lasting_failures_are_not_tried_again() {
    let rules = Retry::default();
    for kind in [
        FailureKind::Tls,
        FailureKind::Credentials,
        FailureKind::Protocol,
    ] {
        let spent = RetryBudget::new(&rules).spend(failure(kind), true, None);
        assert!(spent.is_err(), "{kind:?}");
    }
    for status in [400, 403, 404, 501, 505] {
        let spent = RetryBudget::new(&rules).spend(answer(status, &[]), true, None);
        assert!(spent.is_err(), "{status}");
    }
}

#[tokio::test]
async fn a_foreign_answer_is_tried_twice() {
    let rules = Retry::default();
    let mut budget = RetryBudget::new(&rules);
    assert!(
        budget
            .spend(failure(FailureKind::Foreign), false, None)
            .is_ok()
    );
    assert!(
        budget
            .spend(failure(FailureKind::Foreign), false, None)
            .is_err()
    );
}

#[tokio::test]
async fn waits_grow_within_their_bounds() {
    let rules = Retry {
        attempts: u32::MAX,
        elapsed: Duration::MAX,
        ..Retry::default()
    };
    let mut budget = RetryBudget::new(&rules);
    for attempt in 0..40 {
        let wait = budget
            .spend(failure(FailureKind::Broken), false, None)
            .unwrap();
        let ceiling = (rules.base * (1 << attempt.min(20))).min(rules.cap);
        assert!(wait <= ceiling, "{attempt}: {wait:?}");
    }
}

#[tokio::test]
async fn the_servers_wish_is_honoured_up_to_a_bound() {
    let rules = Retry::default();
    let asked = |value| {
        let failure = answer(503, &[("retry-after", value)]);
        RetryBudget::new(&rules)
            .spend(failure, false, None)
            .unwrap()
    };
    let wait = asked("2");
    assert!(wait >= Duration::from_secs(2), "{wait:?}");
    for long in ["86400", "1e30"] {
        let wait = asked(long);
        assert!(wait >= rules.retry_after, "{long}: {wait:?}");
        assert!(wait <= rules.retry_after + rules.base, "{long}: {wait:?}");
    }
}

/// A restart of the store: refused, reset, silent.
#[tokio::test(start_paused = true)]
async fn a_host_that_has_answered_is_waited_for() {
    let rules = Retry::default();
    for kind in [
        FailureKind::Connect,
        FailureKind::Broken,
        FailureKind::Stalled,
    ] {
        let mut budget = RetryBudget::new(&rules);
        let (waited, _) = until_spent(&mut budget, true, || failure(kind)).await;
        assert!(waited >= Duration::from_secs(30), "{kind:?}: {waited:?}");
        assert!(waited <= rules.elapsed, "{kind:?}: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_answered_is_told_at_once() {
    let rules = Retry::default();
    let mut budget = RetryBudget::new(&rules);
    let (waited, _) = until_spent(&mut budget, false, || failure(FailureKind::Connect)).await;
    assert!(waited <= rules.connect_elapsed, "{waited:?}");
}

/// The wait counts from the first failure: a long attempt that sends bytes shows that the host is there.
#[tokio::test(start_paused = true)]
async fn the_wait_begins_with_the_first_failure() {
    let rules = Retry::default();
    let mut budget = RetryBudget::new(&rules);
    tokio::time::sleep(rules.elapsed * 2).await;
    assert!(
        budget
            .spend(failure(FailureKind::Broken), true, None)
            .is_ok()
    );
    let (waited, _) = until_spent(&mut budget, true, || failure(FailureKind::Connect)).await;
    assert!(waited >= Duration::from_secs(29), "{waited:?}");
}

/// A store that starts again refuses connections first, and then answers 503 until it is ready.
#[tokio::test(start_paused = true)]
async fn attempts_at_a_silent_host_leave_the_others_untouched() {
    let rules = Retry {
        base: Duration::from_millis(1),
        cap: Duration::from_millis(100),
        ..Retry::default()
    };
    let mut budget = RetryBudget::new(&rules);
    for _ in 0..rules.attempts * 3 {
        let wait = budget
            .spend(failure(FailureKind::Connect), true, None)
            .unwrap();
        tokio::time::sleep(wait).await;
    }
    for _ in 1..rules.attempts {
        assert!(budget.spend(answer(503, &[]), true, None).is_ok());
    }
    assert!(budget.spend(answer(503, &[]), true, None).is_err());
}

/// Each silence has its own time.
#[tokio::test(start_paused = true)]
async fn a_second_restart_is_waited_for_as_well() {
    let rules = Retry::default();
    let mut budget = RetryBudget::new(&rules);
    for _ in 0..2 {
        assert!(
            budget
                .spend(failure(FailureKind::Connect), true, None)
                .is_ok()
        );
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert!(
            budget
                .spend(failure(FailureKind::Connect), true, None)
                .is_ok()
        );
        assert!(budget.spend(answer(503, &[]), true, None).is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_limited_time_ends_the_attempts() {
    let rules = Retry::default();
    let mut budget = RetryBudget::new(&rules);
    let mut left = Duration::from_secs(5);
    while let Ok(wait) = budget.spend(failure(FailureKind::Connect), true, Some(left)) {
        assert!(wait < left);
        left -= wait;
    }
    let none = Some(Duration::ZERO);
    assert!(budget.spend(answer(503, &[]), true, none).is_err());
}

//! The search against simulated stores, in simulated time.

use std::time::Duration;

use super::super::AdaptiveLimit;
use super::super::simulation::{CEILING, START, Simulation, Store};

const fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

const fn us(time: u64) -> Duration {
    Duration::from_micros(time)
}

/// A store that answers 8,000 requests a second, so far away.
const fn at(round_trip: Duration) -> Store {
    Store {
        round_trip,
        workers: 8,
        work: ms(1),
        bears: usize::MAX,
    }
}

/// A store that is never busy, so far away.
const fn idle_at(round_trip: Duration) -> Store {
    Store {
        workers: 1000,
        work: us(500),
        ..at(round_trip)
    }
}

/// The first answers come after two round trips, or three with TLS. Then the limit grows twice, and each time
/// that takes as many answers as are in flight, twice.
#[test]
fn a_store_far_away_gets_as_many_as_help_after_a_few_round_trips() {
    for round_trip in [ms(20), ms(80), ms(300)] {
        for (mut simulation, most) in [(Simulation::of(1), 9), (Simulation::of(1).over_tls(), 12)] {
            simulation.go(idle_at(round_trip), 20 * round_trip);
            let reached = simulation.at_ceiling.unwrap();
            assert!(reached <= most * round_trip, "{round_trip:?}: {reached:?}");
        }
    }
}

#[test]
fn a_store_near_by_keeps_what_it_began_with() {
    let store = Store {
        workers: 2,
        work: us(200),
        ..at(us(50))
    };
    let outcome = Simulation::of(1).go(store, ms(20_000));
    assert!(outcome.average < 40.0, "{}", outcome.average);
    assert!(outcome.rate > 9_000.0, "{}", outcome.rate);
}

#[test]
fn the_stores_own_bound_is_found() {
    // 20 ms and 8,000 a second: 160 requests keep it busy.
    let mut run = Simulation::of(1);
    run.go(at(ms(20)), ms(2_000));
    let outcome = run.go(at(ms(20)), ms(20_000));
    assert!(outcome.rate > 7_000.0, "{}", outcome.rate);
}

#[test]
fn more_are_sent_when_the_way_becomes_longer() {
    let mut run = Simulation::of(1);
    let near = run.go(at(ms(2)), ms(5_000));
    let far = run.go(at(ms(20)), ms(60_000));
    assert!(near.average < 64.0, "{}", near.average);
    assert!(far.limit >= 110, "{}", far.limit);
}

#[test]
fn what_no_longer_helps_is_given_back() {
    let mut run = Simulation::of(1);
    let far = run.go(at(ms(30)), ms(5_000));
    let near = run.go(at(ms(1)), ms(120_000));
    assert_eq!(far.limit, CEILING);
    assert!(near.limit <= 128, "{}", near.limit);
    assert!(near.rate > 7_500.0, "{}", near.rate);
}

/// Twenty times as slow after a minute. It is always as busy as it can be, and a store that slows down gets no
/// more requests for it.
#[test]
fn a_store_that_slows_down_is_followed() {
    let minute = ms(60_000);
    let slower = |since: Duration| Store {
        work: ms(1).mul_f64(1.0 + 19.0 * since.as_secs_f64() / minute.as_secs_f64()),
        ..at(ms(10))
    };
    let mut run = Simulation::of(1);
    let begun = run.go(at(ms(10)), ms(3_000));
    run.go_on(minute, slower);
    let end = run.go(slower(minute), minute);
    assert!(begun.rate > 7_000.0, "{}", begun.rate);
    assert!(end.rate > 380.0, "{}", end.rate);
    assert!(end.limit <= 64, "{}", end.limit);
}

#[test]
fn a_limit_that_nobody_reaches_stays() {
    let mut limit = AdaptiveLimit::new(START, CEILING);
    for step in 1..10_000 {
        let epoch = limit.entered();
        assert_eq!(limit.succeeded(epoch, ms(20) * step), None);
        limit.left();
    }
}

/// What the host bears is less than what would help, and nobody has announced it.
#[test]
fn a_hard_limit_is_kept_with_few_refusals() {
    for bears in [5, 20, 100] {
        for round_trip in [ms(1), ms(20)] {
            let store = Store {
                bears,
                work: ms(5),
                workers: 1000,
                ..at(round_trip)
            };
            let mut run = Simulation::of(1);
            let begun = run.go(store, ms(2_000));
            let then = run.go(store, ms(15_000));
            let context = format!("{bears} {round_trip:?}");
            assert!(begun.refused < 0.25, "{context}: {}", begun.refused);
            assert!(then.refused < 0.03, "{context}: {}", then.refused);
            // What so many requests in flight bring, wherever they are.
            let in_flight = f64::from(u32::try_from(bears).unwrap());
            let steady = in_flight / (round_trip + ms(5)).as_secs_f64();
            assert!(then.rate > 0.6 * steady, "{context}: {}", then.rate);
        }
    }
}

/// Many pods of one node, whose store has a line: each client could get more of it by sending more.
#[test]
fn clients_of_one_store_get_fair_shares() {
    for (clients, store) in [
        (8, at(ms(20))),
        (50, at(ms(1))),
        (50, at(ms(20))),
        (
            8,
            Store {
                bears: 40,
                ..at(ms(5))
            },
        ),
    ] {
        let mut run = Simulation::of(clients);
        let outcome = run.go(store, ms(6_000));
        let mut answers = run.answers();
        answers.sort_unstable();
        let (least, most) = (answers[0], answers[clients - 1]);
        assert!(least * 3 > most, "{clients}: {least} and {most}");
        assert!(outcome.rate > 5_000.0, "{clients}: {}", outcome.rate);
    }
}

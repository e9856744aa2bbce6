//! The search against simulated stores, in simulated time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::super::AdaptiveLimit;

const START: usize = 16;
const CEILING: usize = 256;

/// A store some way off that works on so many requests at once.
#[derive(Clone, Copy)]
struct Store {
    round_trip: Duration,
    workers: usize,
    /// What one request takes a worker.
    work: Duration,
}

/// How a phase of a run went.
struct Outcome {
    /// Answers a second.
    rate: f64,
    /// The limit at its end.
    limit: usize,
    /// The average limit.
    average: f64,
}

/// Clients that always have another request.
struct Run {
    limit: AdaptiveLimit,
    now: Duration,
    /// When each request in flight is answered, and its epoch.
    out: BinaryHeap<Reverse<(Duration, u64)>>,
    /// When each worker is free.
    free: BinaryHeap<Reverse<Duration>>,
    random: u64,
}

impl Run {
    fn new() -> Self {
        Self {
            limit: AdaptiveLimit::new(START, CEILING),
            now: Duration::ZERO,
            out: BinaryHeap::new(),
            free: BinaryHeap::new(),
            random: 1,
        }
    }

    /// Up to a fifth more or less: no store answers to the microsecond.
    fn about(&mut self, time: Duration) -> Duration {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let percent = 80 + u32::try_from((self.random >> 33) % 41).unwrap();
        time * percent / 100
    }

    fn send(&mut self, store: Store) {
        let epoch = self.limit.entered();
        let arrives = self.now + store.round_trip / 2;
        while self.free.len() < store.workers {
            self.free.push(Reverse(Duration::ZERO));
        }
        let Reverse(free) = self.free.pop().unwrap();
        let work = self.about(store.work);
        let done = free.max(arrives) + work;
        self.free.push(Reverse(done));
        let back = self.about(store.round_trip / 2);
        self.out.push(Reverse((done + back, epoch)));
    }

    /// Lets the clients send for so long.
    fn go(&mut self, store: Store, time: Duration) -> Outcome {
        let (begun, end) = (self.now, self.now + time);
        self.free.clear();
        let (mut answers, mut sum) = (0_u32, 0.0);
        while self.now < end {
            while self.out.len() < self.limit.limit {
                self.send(store);
            }
            let Reverse((at, epoch)) = self.out.pop().unwrap();
            self.now = at.max(self.now);
            self.limit.succeeded(epoch, self.now);
            self.limit.left();
            answers += 1;
            sum += u32::try_from(self.limit.limit).map(f64::from).unwrap();
        }
        Outcome {
            rate: f64::from(answers) / self.now.saturating_sub(begun).as_secs_f64(),
            limit: self.limit.limit,
            average: sum / f64::from(answers),
        }
    }
}

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
    }
}

#[test]
fn a_store_far_away_gets_as_many_as_help_within_a_second() {
    for round_trip in [ms(20), ms(80)] {
        let store = Store {
            workers: 1000,
            work: us(500),
            round_trip,
        };
        let outcome = Run::new().go(store, ms(1000));
        assert_eq!(outcome.limit, CEILING, "{round_trip:?}");
    }
}

#[test]
fn a_store_near_by_keeps_what_it_began_with() {
    let store = Store {
        round_trip: us(50),
        workers: 2,
        work: us(200),
    };
    let outcome = Run::new().go(store, ms(20_000));
    assert!(outcome.average < 22.0, "{}", outcome.average);
    assert!(outcome.rate > 9_000.0, "{}", outcome.rate);
}

#[test]
fn the_stores_own_bound_is_found() {
    // 20 ms and 8,000 a second: 160 requests keep it busy.
    let mut run = Run::new();
    run.go(at(ms(20)), ms(2_000));
    let outcome = run.go(at(ms(20)), ms(20_000));
    assert!(outcome.rate > 7_000.0, "{}", outcome.rate);
}

#[test]
fn more_are_sent_when_the_way_becomes_longer() {
    let mut run = Run::new();
    let near = run.go(at(ms(2)), ms(5_000));
    let far = run.go(at(ms(20)), ms(60_000));
    assert!(near.average < 64.0, "{}", near.average);
    assert!(far.limit >= 110, "{}", far.limit);
}

#[test]
fn what_no_longer_helps_is_given_back() {
    let mut run = Run::new();
    let far = run.go(at(ms(30)), ms(5_000));
    let near = run.go(at(ms(1)), ms(120_000));
    assert_eq!(far.limit, CEILING);
    assert!(near.limit <= 128, "{}", near.limit);
    assert!(near.rate > 7_500.0, "{}", near.rate);
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

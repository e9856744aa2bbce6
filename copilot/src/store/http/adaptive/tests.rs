use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;

use super::{AdaptiveLimit, Change, PATIENCE, ROUNDS, Reason};

/// A host's permits as `ConcurrencyLimit` keeps them, with the requests in flight.
struct Model {
    limit: AdaptiveLimit,
    free: usize,
    out: VecDeque<u64>,
}

impl Model {
    fn new(ceiling: usize) -> Self {
        Self {
            limit: AdaptiveLimit::new(ceiling, ceiling),
            free: ceiling,
            out: VecDeque::new(),
        }
    }

    /// Sends as many requests as it may.
    fn fill(&mut self) {
        while self.free > 0 {
            self.free -= 1;
            self.out.push_back(self.limit.entered());
        }
    }

    fn refuse(&mut self, epoch: u64) {
        let change = self.limit.refused(epoch);
        self.apply(change);
    }

    fn succeed(&mut self, epoch: u64) {
        let change = self.limit.succeeded(epoch, Duration::ZERO);
        self.apply(change);
    }

    fn apply(&mut self, change: Option<Change>) {
        let Some(Change { from, to, .. }) = change else {
            return;
        };
        if to > from {
            self.free += self.limit.grant(to - from);
        } else {
            let taken = (from - to).min(self.free);
            self.free -= taken;
            self.limit.owe(from - to - taken);
        }
    }

    /// The oldest request ends, well or not.
    fn end(&mut self, well: bool) {
        let Some(epoch) = self.out.pop_front() else {
            return;
        };
        // A body may still be read after a success; a refusal has been read whole.
        if well {
            self.succeed(epoch);
        }
        if self.limit.left() {
            self.free += 1;
        }
        if !well {
            self.refuse(epoch);
        }
    }
}

#[test]
fn one_burst_of_refusals_halves_once() {
    let mut model = Model::new(16);
    model.fill();
    for _ in 0..16 {
        model.end(false);
    }
    assert_eq!((model.limit.limit, model.free), (8, 8));
    model.fill();
    model.end(false);
    assert_eq!(model.limit.limit, 4);
}

/// The limit has grown meanwhile: that says nothing for the host.
#[test]
fn a_refusal_counts_whatever_has_changed_since_unless_it_was_a_refusal() {
    let mut limit = AdaptiveLimit::new(4, 64);
    let old = limit.entered();
    let mut now = Duration::ZERO;
    let grown = loop {
        let epochs: Vec<u64> = (0..4).map(|_| limit.entered()).collect();
        now += Duration::from_millis(20);
        let mut changes = epochs.into_iter().map(|epoch| {
            let change = limit.succeeded(epoch, now);
            limit.left();
            change
        });
        if let Some(change) = changes.find_map(|change| change) {
            break change;
        }
    };
    assert_eq!((grown.from, grown.to, grown.reason), (4, 8, Reason::Pace));
    limit.left();
    assert_eq!(limit.refused(old).unwrap().reason, Reason::Refused);
    assert_eq!(limit.refused(old), None);
}

#[test]
fn what_was_out_counts_and_not_what_might_have_been() {
    let mut limit = AdaptiveLimit::new(16, 16);
    let epochs: Vec<u64> = (0..4).map(|_| limit.entered()).collect();
    limit.left();
    assert_eq!(limit.refused(epochs[0]).unwrap().to, 2);
    assert_eq!(limit.refused(epochs[1]), None);
}

/// The rule finds a host that bears so many at once, from above, and stays near.
#[test]
fn it_settles_where_the_host_is_content() {
    for bears in 1..=12 {
        let mut model = Model::new(16);
        let (mut refused, rounds) = (0, 4000);
        for round in 0..rounds {
            model.fill();
            let well = model.out.len() <= bears;
            if round > rounds / 2 {
                assert!(model.out.len() <= bears + 1, "{bears}");
                assert!(model.out.len() >= bears / 2, "{bears}");
                refused += usize::from(!well);
            }
            model.end(well);
        }
        assert!(refused * 25 < rounds / 2, "{bears}: {refused}");
    }
}

proptest! {
    #[test]
    fn permits_are_neither_lost_nor_made(
        ceiling in 1_usize..40,
        steps in prop::collection::vec((any::<bool>(), 0_u8..4), 0..400),
    ) {
        let mut model = Model::new(ceiling);
        for (well, filled) in steps {
            if filled > 0 {
                model.fill();
            }
            model.end(well);
            let limit = &model.limit;
            prop_assert!((1..=ceiling).contains(&limit.limit));
            prop_assert_eq!(limit.held, model.out.len());
            prop_assert_eq!(model.free + model.out.len(), limit.limit + limit.owed);
        }
        // All that are out come back, and the host is content from now on.
        while !model.out.is_empty() {
            model.end(true);
        }
        for _ in 0..=ceiling * (ceiling * ROUNDS).max(PATIENCE) {
            model.succeed(u64::MAX);
        }
        prop_assert_eq!(model.limit.limit, ceiling);
        prop_assert_eq!(model.free, ceiling);
    }
}

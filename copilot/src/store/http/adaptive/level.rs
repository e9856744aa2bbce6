//! How many requests at once help: the search for it, by the rate of answers.
//!
//! A store that is far away answers more requests a second the more there are at once, until the network, the
//! store or our own CPU is busy. From there on more only wait longer, and hold memory. So the limit doubles
//! while that pays, and grows fourfold after a doubling that brought nearly twice as many answers: each step
//! takes three round trips. Then it returns to the last limit that paid, and tries now and then whether a few
//! more or a few fewer are better by now. What it has gained it gives back if fewer do as well, down to `LEAST`.
//! Pure, like its caller `adaptive`.

use std::time::Duration;

/// The limit does not fall below this because fewer do as well: requests are not all alike, and the next ones may
/// need more.
const LEAST: usize = 16;

/// The shortest time over which a rate is measured while the limit grows: a few answers that happen to come
/// together say nothing. Answers from afar come in one burst for each round trip, so a measurement should not
/// take two where one is enough: less than a common round trip of 20 ms.
const SHORTEST: Duration = Duration::from_millis(15);

/// The same while the limit holds. A CPU limit stops and starts us every 100 ms.
const STEADY: Duration = Duration::from_millis(300);

/// How much more each doubling of the limit must bring.
const GAIN: f64 = 1.2;

/// Which part of the factor by which the limit grew must come as answers for the store to be far from busy.
const NEARLY_ALL: f64 = 0.9;

/// How much more a few more must bring.
const SMALL_GAIN: f64 = 1.06;

/// How much a few fewer may cost.
const SMALL_LOSS: f64 = 0.98;

/// Measurements at one limit before the next try; twice as many after each try that fails, up to `RAREST`.
const PATIENCE: u32 = 4;
const RAREST: u32 = 32;

/// The search.
#[derive(Debug)]
pub(super) struct Level {
    floor: usize,
    ceiling: usize,
    limit: usize,
    step: Step,
    measurement: Measurement,
    /// Measurements before the next try, and the direction that it takes.
    patience: u32,
    upward: bool,
}

/// What the present limit is.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The first one.
    First,
    /// Twice or four times the one that gave this rate.
    Grown { from: usize, rate: f64 },
    /// The best one that is known. `rate` is an average.
    Hold { rate: f64, left: u32 },
    /// A little more or less than the one that gave this rate.
    Tried { from: usize, rate: f64 },
}

/// Answers since the limit changed.
#[derive(Debug, Default)]
struct Measurement {
    /// Answers to the first requests at this limit: their connections may be new.
    skipped: usize,
    begun: Option<Duration>,
    answers: usize,
    /// The most requests in flight at once.
    most: usize,
}

impl Level {
    pub(super) fn new(start: usize, ceiling: usize) -> Self {
        Self {
            floor: start.min(LEAST),
            ceiling,
            limit: start,
            step: Step::First,
            measurement: Measurement::default(),
            patience: PATIENCE,
            upward: true,
        }
    }

    /// So many requests are in flight.
    pub(super) fn entered(&mut self, held: usize) {
        self.measurement.most = self.measurement.most.max(held);
    }

    /// A request at this limit was answered well. Gives the next limit, if it changes.
    pub(super) fn succeeded(&mut self, now: Duration) -> Option<usize> {
        let rate = self.measure(now)?;
        let from = self.limit;
        let next = match self.step {
            Step::First => self.grow(2, rate),
            Step::Grown { from, rate: before } => self.go_on(from, before, rate),
            Step::Hold { rate: before, left } => {
                let rate = before.midpoint(rate);
                if left > 0 {
                    self.step = Step::Hold {
                        rate,
                        left: left - 1,
                    };
                    return None;
                }
                self.try_another(rate)
            }
            Step::Tried { from, rate: before } => self.judge(from, before, rate),
        };
        self.limit = next;
        (next != from).then_some(next)
    }

    /// Counts an answer; gives the rate of answers once there are enough.
    fn measure(&mut self, now: Duration) -> Option<f64> {
        let measurement = &mut self.measurement;
        let Some(begun) = measurement.begun else {
            measurement.skipped += 1;
            if measurement.skipped >= self.limit {
                measurement.begun = Some(now);
            }
            return None;
        };
        measurement.answers += 1;
        let shortest = match self.step {
            Step::First | Step::Grown { .. } => SHORTEST,
            Step::Hold { .. } | Step::Tried { .. } => STEADY,
        };
        let took = now.saturating_sub(begun);
        if measurement.answers < self.limit || took < shortest {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let rate = measurement.answers as f64 / took.as_secs_f64();
        // A limit that nobody reaches is neither too low nor too high.
        let is_reached = measurement.most >= self.limit;
        // The requests in flight go on at the same limit.
        *measurement = Measurement {
            skipped: self.limit,
            begun: Some(now),
            ..Measurement::default()
        };
        is_reached.then_some(rate)
    }

    /// What a larger limit has shown: `before` is the rate at the limit `from`.
    fn go_on(&mut self, from: usize, before: f64, rate: f64) -> usize {
        let gain = rate / before;
        let factor = ratio(self.limit, from);
        if gain >= factor * NEARLY_ALL {
            self.grow(4, rate)
        } else if gain >= GAIN.powf(factor.log2()) {
            self.grow(2, rate)
        } else if gain >= GAIN {
            // The first doubling of two has paid.
            self.hold(from * 2, rate)
        } else {
            self.hold(from, before)
        }
    }

    fn grow(&mut self, factor: usize, rate: f64) -> usize {
        let from = self.limit;
        if from == self.ceiling {
            return self.hold(from, rate);
        }
        self.step = Step::Grown { from, rate };
        self.begin((from * factor).min(self.ceiling))
    }

    fn hold(&mut self, limit: usize, rate: f64) -> usize {
        self.step = Step::Hold {
            rate,
            left: self.patience,
        };
        self.begin(limit)
    }

    fn try_another(&mut self, rate: f64) -> usize {
        let from = self.limit;
        let a_few = (from / 4).max(1);
        let to = if self.upward {
            (from + a_few).min(self.ceiling)
        } else {
            (from - a_few).max(self.floor)
        };
        if to == from {
            self.upward = !self.upward;
            return self.hold(from, rate);
        }
        self.step = Step::Tried { from, rate };
        self.begin(to)
    }

    /// What a try has shown: `before` is the rate at the limit `from`.
    fn judge(&mut self, from: usize, before: f64, rate: f64) -> usize {
        let pays = if self.limit > from {
            rate >= before * SMALL_GAIN
        } else {
            rate >= before * SMALL_LOSS
        };
        if pays {
            self.patience = PATIENCE;
            return self.hold(self.limit, rate);
        }
        self.upward = !self.upward;
        self.patience = (self.patience * 2).min(RAREST);
        self.hold(from, before)
    }

    /// Goes to this limit, and measures anew if it is another one.
    fn begin(&mut self, limit: usize) -> usize {
        if limit != self.limit {
            self.measurement = Measurement::default();
        }
        limit
    }
}

/// How many times as many requests at once.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn ratio(limit: usize, from: usize) -> f64 {
    limit as f64 / from as f64
}

#[cfg(test)]
mod tests;

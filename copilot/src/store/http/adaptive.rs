//! How many requests one host bears: a limit that halves when the host asks for fewer, and grows by one
//! after enough successes. It is the rule of TCP's windows: it finds a host's limit that nobody
//! announces, and many clients that follow it end up with fair shares.
//!
//! Pure: no clock, no waiting. Epochs stand for round trips: a request that was sent before the limit
//! was last lowered says nothing about the lowered limit.

/// Rounds of successes (as many as the limit) before the limit grows. With one, as in TCP, a host of
/// constant strength refuses one request in ten; with four it refuses one in forty.
const ROUNDS: usize = 4;

/// Successes before the limit grows, at least: small limits would overshoot too often.
const PATIENCE: usize = 32;

/// The limit of one host.
#[derive(Debug)]
pub(super) struct AdaptiveLimit {
    ceiling: usize,
    limit: usize,
    /// Requests in flight.
    held: usize,
    /// Permits above a lowered limit that requests still hold; they end with those requests.
    owed: usize,
    /// How often the limit was lowered.
    epoch: u64,
    /// Successes since the limit last changed.
    successes: usize,
}

/// What a refusal changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lowered {
    /// The limit before.
    pub(super) from: usize,
    /// The limit now.
    pub(super) to: usize,
    /// Whether it had been at its ceiling.
    pub(super) was_full: bool,
}

/// What a success changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Raised {
    /// The limit now.
    pub(super) to: usize,
    /// Whether that is its ceiling.
    pub(super) is_full: bool,
    /// Whether to hand out one more permit. If not, one that a request still holds is no longer owed.
    pub(super) permit: bool,
}

impl AdaptiveLimit {
    /// Starts at its ceiling, at least one.
    pub(super) fn new(ceiling: usize) -> Self {
        let ceiling = ceiling.max(1);
        Self {
            ceiling,
            limit: ceiling,
            held: 0,
            owed: 0,
            epoch: 0,
            successes: 0,
        }
    }

    /// A request goes out; gives the epoch that it belongs to.
    pub(super) fn entered(&mut self) -> u64 {
        self.held += 1;
        self.epoch
    }

    /// A request has ended. Says whether its permit may be used again.
    pub(super) fn left(&mut self) -> bool {
        self.held = self.held.saturating_sub(1);
        let keeps = self.owed == 0;
        self.owed = self.owed.saturating_sub(1);
        keeps
    }

    /// The host asked for fewer requests, in answer to one of this epoch that has ended by now. Nothing
    /// changes if the request is older than the last change, or the limit is one.
    pub(super) fn refused(&mut self, epoch: u64) -> Option<Lowered> {
        self.successes = 0;
        if epoch < self.epoch || self.limit == 1 {
            return None;
        }
        let from = self.limit;
        // Half of the requests in flight: the host did not refuse because of permits that nobody used.
        self.limit = (from.min(self.held + 1) / 2).max(1);
        self.epoch += 1;
        Some(Lowered {
            from,
            to: self.limit,
            was_full: from == self.ceiling,
        })
    }

    /// Counts permits that could not be taken back at once.
    pub(super) fn owe(&mut self, permits: usize) {
        self.owed += permits;
    }

    /// The host answered well.
    pub(super) fn succeeded(&mut self) -> Option<Raised> {
        if self.limit == self.ceiling {
            return None;
        }
        self.successes += 1;
        if self.successes < (self.limit * ROUNDS).max(PATIENCE) {
            return None;
        }
        self.successes = 0;
        self.limit += 1;
        let permit = self.owed == 0;
        self.owed = self.owed.saturating_sub(1);
        Some(Raised {
            to: self.limit,
            is_full: self.limit == self.ceiling,
            permit,
        })
    }
}

#[cfg(test)]
mod tests;

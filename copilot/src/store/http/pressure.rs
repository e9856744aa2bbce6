//! How many requests one host bears: a limit that halves when the host asks for less, and grows by one
//! when it has been content for a while. The rule is that of TCP's windows: it finds the host's limit
//! without being told, and many clients that follow it end up with fair shares.
//!
//! Pure: no clock, no waiting. A "round trip" is told by epochs: whatever was sent before the limit
//! was last lowered says nothing about the lowered one.

/// Rounds of successes (as many as the limit) before the limit grows. One, as in TCP, would have a
/// host of constant strength refuse one request in ten; four make it one in forty.
const ROUNDS: usize = 4;

/// Successes that it takes at least: small limits would be over their mark too often.
const PATIENCE: usize = 32;

/// The limit of one host.
#[derive(Debug)]
pub(super) struct Pressure {
    ceiling: usize,
    limit: usize,
    /// Requests in flight.
    held: usize,
    /// Permits that were out when the limit fell below them; they do not come back.
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
    /// Whether a permit more is to be handed out: else one that is out already is no longer owed.
    pub(super) permit: bool,
}

impl Pressure {
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

    /// A request is over. Says whether its permit may be used again.
    pub(super) fn left(&mut self) -> bool {
        self.held = self.held.saturating_sub(1);
        let keeps = self.owed == 0;
        self.owed = self.owed.saturating_sub(1);
        keeps
    }

    /// The host asked for less, in answer to a request of this epoch that has left by now. Nothing
    /// changes if the request is older than the last change, or the limit is one.
    pub(super) fn refused(&mut self, epoch: u64) -> Option<Lowered> {
        self.successes = 0;
        if epoch < self.epoch || self.limit == 1 {
            return None;
        }
        let from = self.limit;
        // Half of what was out: a limit that nobody used up was not what the host complained of.
        self.limit = (from.min(self.held + 1) / 2).max(1);
        self.epoch += 1;
        Some(Lowered {
            from,
            to: self.limit,
            was_full: from == self.ceiling,
        })
    }

    /// Permits that could not be taken back at once.
    pub(super) fn owe(&mut self, permits: usize) {
        self.owed += permits;
    }

    /// The host did as it was asked.
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

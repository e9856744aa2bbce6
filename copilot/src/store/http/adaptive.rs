//! How many requests one host bears, and how many of them help: a limit that moves.
//!
//! It grows while more requests at once get more answers a second ([`level`]). When the host asks for fewer, it
//! halves, and then grows by one after enough successes. That is the rule of TCP's windows: it finds a host's
//! limit that nobody announces, and many clients that follow it end up with fair shares.
//!
//! Pure: times are given, nothing waits. Epochs stand for round trips: a request that was sent before the limit
//! last changed says nothing about the new limit.

mod level;

use std::time::Duration;

use self::level::Level;

/// Rounds of successes (as many as the limit) before the limit grows after a refusal. With one, as in TCP, a
/// host of constant strength refuses one request in ten; with four it refuses one in forty.
const ROUNDS: usize = 4;

/// Successes before the limit grows after a refusal, at least: small limits would overshoot too often.
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
    /// How often the limit has changed.
    epoch: u64,
    /// The epoch that began with the last refusal.
    lowered: u64,
    search: Search,
}

/// What moves the limit.
#[derive(Debug)]
enum Search {
    /// No host has asked for fewer: whatever helps most.
    Level(Level),
    /// The host asked for fewer. Counts successes since the limit last changed.
    Content { successes: usize },
}

/// A new limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// The limit before.
    pub(super) from: usize,
    /// The limit now.
    pub(super) to: usize,
    /// Why it has changed.
    pub(super) reason: Reason,
}

/// Why a limit changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// More or fewer at once give more answers, or fewer give as many.
    Pace,
    /// The host asked for fewer, for the first time.
    Refused,
    /// The host asked for fewer once more.
    RefusedAgain,
    /// The host has not asked for fewer for a while.
    Content,
}

impl AdaptiveLimit {
    /// Starts at `start` and stays at or below `ceiling`; both count as one at least.
    pub(super) fn new(start: usize, ceiling: usize) -> Self {
        let ceiling = ceiling.max(1);
        let limit = start.clamp(1, ceiling);
        Self {
            ceiling,
            limit,
            held: 0,
            owed: 0,
            epoch: 0,
            lowered: 0,
            search: Search::Level(Level::new(limit, ceiling)),
        }
    }

    /// A request goes out; gives the epoch that it belongs to.
    pub(super) fn entered(&mut self) -> u64 {
        self.held += 1;
        if let Search::Level(level) = &mut self.search {
            level.entered(self.held);
        }
        self.epoch
    }

    /// A request has ended. Says whether its permit may be used again.
    pub(super) fn left(&mut self) -> bool {
        self.held = self.held.saturating_sub(1);
        let keeps = self.owed == 0;
        self.owed = self.owed.saturating_sub(1);
        keeps
    }

    /// Counts permits that could not be taken back at once.
    pub(super) fn owe(&mut self, permits: usize) {
        self.owed += permits;
    }

    /// How many of these new permits may be handed out; the others are still held above an earlier limit.
    pub(super) fn grant(&mut self, permits: usize) -> usize {
        let settled = permits.min(self.owed);
        self.owed -= settled;
        permits - settled
    }

    /// The host asked for fewer requests, in answer to one of this epoch that has ended by now. Nothing
    /// changes if the request is older than the last refusal, or the limit is one.
    pub(super) fn refused(&mut self, epoch: u64) -> Option<Change> {
        let was_content = matches!(self.search, Search::Level(_));
        self.search = Search::Content { successes: 0 };
        if epoch < self.lowered || self.limit == 1 {
            return None;
        }
        // Half of the requests in flight: the host did not refuse because of permits that nobody used.
        let to = (self.limit.min(self.held + 1) / 2).max(1);
        let reason = if was_content {
            Reason::Refused
        } else {
            Reason::RefusedAgain
        };
        let change = self.change(to, reason);
        self.lowered = self.epoch;
        Some(change)
    }

    /// The host answered a request of this epoch well; `now` is any clock that does not go back.
    pub(super) fn succeeded(&mut self, epoch: u64, now: Duration) -> Option<Change> {
        match &mut self.search {
            Search::Level(level) => {
                if epoch < self.epoch {
                    return None;
                }
                let to = level.succeeded(now)?;
                Some(self.change(to, Reason::Pace))
            }
            Search::Content { successes } => {
                *successes += 1;
                let enough = (self.limit * ROUNDS).max(PATIENCE);
                if self.limit == self.ceiling || *successes < enough {
                    return None;
                }
                *successes = 0;
                Some(self.change(self.limit + 1, Reason::Content))
            }
        }
    }

    fn change(&mut self, to: usize, reason: Reason) -> Change {
        let from = self.limit;
        self.limit = to;
        self.epoch += 1;
        Change { from, to, reason }
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

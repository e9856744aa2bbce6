//! Random faults. A seed always gives the same ones.

use std::time::Duration;

use super::{Fault, Seen};

/// Random numbers: splitmix64, for which every seed is good.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The sequence of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// The next number, below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % limit).unwrap_or(0)
    }
}

/// The faults of one run.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The seed of its random numbers.
    pub seed: u64,
    /// How many of a thousand requests meet a fault.
    pub rate: usize,
    /// From this request on nothing is answered.
    pub dead_from: Option<usize>,
    /// Whether some faults are a silence, which only the client's stall timeout ends.
    pub silences: bool,
}

impl Schedule {
    /// A schedule that is random but for its seed. In a third of them the network dies and stays dead.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let dies = chance.below(3) == 0;
        Self {
            seed,
            rate: [50, 200, 500, 900][chance.below(4)],
            dead_from: dies.then(|| chance.below(6)),
            silences: true,
        }
    }

    /// The fault of a request.
    #[must_use]
    pub fn fault(&self, seen: &Seen) -> Fault {
        if self.dead_from.is_some_and(|from| seen.index >= from) {
            return Fault::Hangup;
        }
        let number = u64::try_from(seen.index).unwrap_or(u64::MAX);
        let mut chance = Chance::new(self.seed ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03));
        if chance.below(1000) >= self.rate {
            return Fault::None;
        }
        // Within the head of a response, at its end, or anywhere in its body.
        let bytes = match chance.below(3) {
            0 => chance.below(200),
            1 => 200 + chance.below(800),
            _ => chance.below(6 << 20),
        };
        match chance.below(if self.silences { 10 } else { 9 }) {
            0 => Fault::Hangup,
            1 => Fault::CutAfter(bytes),
            2 => Fault::ResetAfter(bytes),
            3 => Fault::CutRequestAfter(bytes),
            4 => Fault::Answer(500, ""),
            5 => Fault::Answer(429, "Retry-After: 0\r\n"),
            6 => Fault::Refuse(503, "SlowDown"),
            7 => Fault::Delay(Duration::from_millis(20 + chance.number() % 100)),
            8 => Fault::Slow(4 << 20),
            _ => Fault::StallAfter(bytes),
        }
    }
}

//! What lies between the programs and the store.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

/// The longest round trip that the relay simulates.
const LONGEST: Duration = Duration::from_secs(10);

/// What lies between the programs and the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distance {
    /// The time from a request to its answer, if the server takes none.
    pub round_trip: Duration,
    /// Bytes a second in one direction of a connection; without it there is no limit.
    pub bandwidth: Option<u64>,
    /// Whether the programs speak TLS.
    pub tls: bool,
}

impl Distance {
    /// Whether the programs talk to the store directly.
    pub fn is_direct(self) -> bool {
        self == Self::default()
    }

    /// Reads a round trip in the form of a flag: `20ms`, `500us`, `1s`.
    pub fn parse_round_trip(text: &str) -> Result<Duration> {
        let units = [("ms", 1_000), ("us", 1), ("s", 1_000_000)];
        let found = units.iter().find_map(|(unit, micros)| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            Some(Duration::from_micros(number.checked_mul(*micros)?))
        });
        let found = found.with_context(|| format!("{text}: write a time such as 20ms"))?;
        ensure!(found <= LONGEST, "{text}: at most 10 s");
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_have_a_unit() {
        let of = |text| Distance::parse_round_trip(text).ok();
        assert_eq!(of("20ms"), Some(Duration::from_millis(20)));
        assert_eq!(of("500us"), Some(Duration::from_micros(500)));
        assert_eq!(of("1s"), Some(Duration::from_secs(1)));
        for wrong in ["20", "ms", "-1ms", "1h", "99999999999999999999s", "11s"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}

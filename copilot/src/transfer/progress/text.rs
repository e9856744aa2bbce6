//! Numbers for people, short and of about the same width.

use std::fmt;
use std::time::Duration;

/// A number of bytes, to three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteCount(pub u64);

impl ByteCount {
    /// This many bytes in that time, as bytes a second.
    pub(super) fn per_second(bytes: u64, time: Duration) -> Self {
        let milliseconds = time.as_millis().max(1);
        let rate = u128::from(bytes) * 1000 / milliseconds;
        Self(u64::try_from(rate).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for ByteCount {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
        let unit = units.iter().find(|(shift, _)| self.0 >> shift > 0);
        let Some((shift, name)) = unit else {
            return write!(f, "{} bytes", self.0);
        };
        let whole = self.0 as f64 / (1_u64 << shift) as f64;
        match whole {
            ..10.0 => write!(f, "{whole:.2} {name}"),
            ..100.0 => write!(f, "{whole:.1} {name}"),
            _ => write!(f, "{whole:.0} {name}"),
        }
    }
}

/// A time that is left, in its two largest units.
pub(super) struct Left(pub(super) u64);

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 3600, self.0 / 60 % 60, self.0 % 60) {
            (0, 0, seconds) => write!(f, "{seconds} s"),
            (0, minutes, seconds) => write!(f, "{minutes} min {seconds} s"),
            (hours, minutes, _) => write!(f, "{hours} h {minutes} min"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.00 KiB"),
            (134_217_728, "128 MiB"),
            (12_993_560_576, "12.1 GiB"),
            (u64::MAX, "16777216 TiB"),
        ] {
            assert_eq!(ByteCount(bytes).to_string(), text);
        }
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (7260, "2 h 1 min"),
        ] {
            assert_eq!(Left(seconds).to_string(), text);
        }
        let rate = ByteCount::per_second(5 << 20, Duration::from_millis(2500));
        assert_eq!(rate.to_string(), "2.00 MiB");
        assert_eq!(ByteCount::per_second(7, Duration::ZERO).0, 7000);
    }
}

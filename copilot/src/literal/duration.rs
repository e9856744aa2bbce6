//! Durations in Go's notation, which Flyte uses in flags, files and metadata (spec §1.6, §3.3).
//!
//! A duration is a signed count of nanoseconds. Its text is a sign and one or more numbers with a
//! unit (`1h30m`, `-1.5s`), or a lone `0`. Both directions cover the whole `i64` range, so that
//! whatever [`format`] writes, [`parse`] reads back unchanged.

use prost_types::Duration;
use thiserror::Error;

use super::name::Shown;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// The largest magnitude: `i64::MIN` has it, and needs its sign.
const LARGEST: u64 = 1 << 63;

/// Why a text is not a duration.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DurationError {
    /// A part of the text breaks the grammar.
    #[error(
        "{} is not a duration: {rule}; write for example 300ms, -1.5h or 2h45m",
        Shown(text)
    )]
    Malformed {
        /// The text as given.
        text: String,
        /// The rule that it breaks.
        #[source]
        rule: DurationRule,
    },
    /// The value does not fit a signed 64-bit count of nanoseconds.
    #[error(
        "{} is out of range: a duration is at most 2562047h47m16.854775807s",
        Shown(text)
    )]
    OutOfRange {
        /// The text as given.
        text: String,
    },
}

/// The grammar of a duration.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DurationRule {
    /// There is at least one number.
    #[error("it has no number")]
    Empty,
    /// Each part begins with a number.
    #[error("a number is missing at {0:?}")]
    Number(String),
    /// Each number has a unit.
    #[error("a number has no unit (ns, us, ms, s, m or h)")]
    NoUnit,
    /// The units are fixed.
    #[error("the unit {0:?} is unknown; the units are ns, us, ms, s, m and h")]
    UnknownUnit(String),
}

/// Reads Go's duration notation (spec §1.6) into nanoseconds.
///
/// Units: `ns`, `us`, `µs` (U+00B5 or U+03BC), `ms`, `s`, `m`, `h`. Numbers may have a fraction;
/// a part finer than a nanosecond is dropped.
pub fn parse(text: &str) -> Result<i64, DurationError> {
    let malformed = |rule: DurationRule| DurationError::Malformed {
        text: text.to_owned(),
        rule,
    };
    let out_of_range = || DurationError::OutOfRange {
        text: text.to_owned(),
    };

    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(malformed(DurationRule::Empty));
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = Number::read(rest).map_err(malformed)?;
        let unit_end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let unit = unit_nanoseconds(unit).map_err(malformed)?;
        let part = number.times(unit).ok_or_else(out_of_range)?;
        total = total
            .checked_add(part)
            .filter(|sum| *sum <= LARGEST)
            .ok_or_else(out_of_range)?;
        rest = after;
    }
    if negative {
        Ok(0_i64.checked_sub_unsigned(total).ok_or_else(out_of_range)?)
    } else {
        i64::try_from(total).map_err(|_| out_of_range())
    }
}

/// Writes nanoseconds in Go's duration notation (spec §3.3).
///
/// Below a second one unit is used (`1.5ms`), from there hours, minutes and seconds without
/// leading zero units (`1h0m1.5s`). Fractions have no trailing zeros.
#[must_use]
pub fn format(nanoseconds: i64) -> String {
    let magnitude = nanoseconds.unsigned_abs();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    if magnitude == 0 {
        return "0s".to_owned();
    }
    if magnitude < SECOND {
        let (unit, name) = match magnitude {
            0..MICROSECOND => (1, "ns"),
            MICROSECOND..MILLISECOND => (MICROSECOND, "µs"),
            _ => (MILLISECOND, "ms"),
        };
        return format!("{sign}{}{name}", decimal(magnitude, unit));
    }
    let (hours, minutes) = (magnitude / HOUR, magnitude / MINUTE % 60);
    let seconds = decimal(magnitude % MINUTE, SECOND);
    if hours > 0 {
        format!("{sign}{hours}h{minutes}m{seconds}s")
    } else if minutes > 0 {
        format!("{sign}{minutes}m{seconds}s")
    } else {
        format!("{sign}{seconds}s")
    }
}

/// A message's nanoseconds, limited to the range of an `i64`.
#[must_use]
pub fn nanoseconds(duration: &Duration) -> i64 {
    let exact = i128::from(duration.seconds) * i128::from(SECOND) + i128::from(duration.nanos);
    let clamped = exact.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(clamped).unwrap_or_default()
}

/// The message for a count of nanoseconds: both parts have its sign.
#[must_use]
pub fn message(nanoseconds: i64) -> Duration {
    let seconds = nanoseconds / 1_000_000_000;
    let nanos = i32::try_from(nanoseconds % 1_000_000_000).unwrap_or_default();
    Duration { seconds, nanos }
}

/// `value / unit` (a power of ten) as a decimal number without trailing zeros.
fn decimal(value: u64, unit: u64) -> String {
    let (whole, fraction) = (value / unit, value % unit);
    if fraction == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{fraction:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// A number as it is read: its whole part, and its fraction as `fraction / scale`.
struct Number {
    whole: u64,
    fraction: u64,
    scale: f64,
}

impl Number {
    /// Splits a number off the front of `text`.
    fn read(text: &str) -> Result<(Self, &str), DurationRule> {
        let (whole_digits, rest) = split_digits(text);
        let (fraction_digits, rest) = match rest.strip_prefix('.') {
            Some(after) => split_digits(after),
            None => ("", rest),
        };
        if whole_digits.is_empty() && fraction_digits.is_empty() {
            return Err(DurationRule::Number(shortened(text)));
        }
        let mut whole: u64 = 0;
        for digit in whole_digits.bytes() {
            let digit = u64::from(digit - b'0');
            // Saturating keeps the value out of range, which the caller reports.
            whole = whole.saturating_mul(10).saturating_add(digit);
        }
        let (mut fraction, mut scale) = (0_u64, 1.0);
        for digit in fraction_digits.bytes() {
            let digit = u64::from(digit - b'0');
            // More digits than an i64 holds cannot change the nanosecond.
            let Some(longer) = fraction
                .checked_mul(10)
                .and_then(|f| f.checked_add(digit))
                .filter(|f| *f <= LARGEST)
            else {
                break;
            };
            fraction = longer;
            scale *= 10.0;
        }
        Ok((
            Self {
                whole,
                fraction,
                scale,
            },
            rest,
        ))
    }

    /// The number in nanoseconds, where `unit` is one; none if it is too large.
    fn times(&self, unit: u64) -> Option<u64> {
        let whole = self.whole.checked_mul(unit)?;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the reference computes fractions in doubles and cuts; exact arithmetic would differ from it by a nanosecond"
        )]
        let fraction = (self.fraction as f64 * (unit as f64 / self.scale)) as u64;
        whole.checked_add(fraction).filter(|sum| *sum <= LARGEST)
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn unit_nanoseconds(unit: &str) -> Result<u64, DurationRule> {
    Ok(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "" => return Err(DurationRule::NoUnit),
        other => return Err(DurationRule::UnknownUnit(shortened(other))),
    })
}

/// The first characters of a text that may be long.
fn shortened(text: &str) -> String {
    text.chars().take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const S: i64 = 1_000_000_000;

    #[test]
    fn reads_what_go_reads() {
        let table = [
            ("0", 0),
            ("-0", 0),
            ("+0", 0),
            ("0s", 0),
            ("1h30m", 5_400 * S),
            ("1.5h", 5_400 * S),
            ("+5s", 5 * S),
            ("-1.5h", -5_400 * S),
            (".5s", S / 2),
            ("1.s", S),
            ("1h0m0s", 3_600 * S),
            ("1s1h", 3_601 * S),
            ("1us", 1_000),
            ("1\u{b5}s", 1_000),
            ("1\u{3bc}s", 1_000),
            ("1.9ns", 1),
            ("0.3333333333333333333h", 1_200 * S),
            ("0.100000000000000000000h", 360 * S),
            ("2562047h47m16.854775807s", i64::MAX),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
        ];
        for (text, nanoseconds) in table {
            assert_eq!(parse(text), Ok(nanoseconds), "{text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "", "-", "+", "5", "1d", "1H", " 1h", "1h ", "1e3s", "1_0s", "1h-5m", ".s", "1..5s",
            "s", "0x1s", "１s", "--1s",
        ] {
            assert!(
                matches!(parse(text), Err(DurationError::Malformed { .. })),
                "{text}"
            );
        }
        for text in [
            "2562048h",
            "9223372036854775808ns",
            "-9223372036854775809ns",
            "99999999999999999999999h",
            "9223372036854775807ns1ns",
        ] {
            assert!(
                matches!(parse(text), Err(DurationError::OutOfRange { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn writes_what_go_writes() {
        let table = [
            (0, "0s"),
            (1, "1ns"),
            (999, "999ns"),
            (1_500, "1.5µs"),
            (1_500_000, "1.5ms"),
            (S, "1s"),
            (-S * 3 / 2, "-1.5s"),
            (90 * S, "1m30s"),
            (3_600 * S, "1h0m0s"),
            (36 * 3_600 * S + 1_800 * S, "36h30m0s"),
            (3_661 * S + 5_000_000, "1h1m1.005s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ];
        for (nanoseconds, text) in table {
            assert_eq!(format(nanoseconds), text);
        }
    }

    proptest! {
        #[test]
        fn survives_the_round_trip(nanoseconds: i64) {
            prop_assert_eq!(parse(&format(nanoseconds)), Ok(nanoseconds));
            prop_assert_eq!(super::nanoseconds(&message(nanoseconds)), nanoseconds);
        }

        #[test]
        fn never_panics(text in "[-+]?([0-9._]{0,22}(ns|us|µs|ms|s|m|h|.)?){0,4}") {
            let _ = parse(&text);
        }
    }
}

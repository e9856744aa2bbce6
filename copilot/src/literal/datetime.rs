//! Points in time as RFC 3339 text, with the reference's leniency when reading (spec §3.3, §4.4).
//!
//! Written: UTC with `Z`, up to nine fraction digits without trailing zeros. Read: what Go's parser
//! takes, which is a little more than the standard allows: a one-digit hour, `,` before the fraction,
//! offsets up to 24:60. The calendar is the proleptic Gregorian one, without leap seconds.

use prost_types::Timestamp;
use thiserror::Error;

const DAY: i64 = 86_400;
const NANOSECONDS: i64 = 1_000_000_000;
/// Days from 0000-03-01 to 1970-01-01. Years that begin in March keep the leap day at their end.
const EPOCH: i64 = 719_468;
/// Days in 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;

/// Why a text is not a point in time.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("it is not an RFC 3339 time: {rule}; write for example 2021-03-04T05:06:07.5Z or …+02:00")]
pub struct DatetimeError {
    /// The rule that the text breaks.
    pub rule: String,
}

/// Writes a timestamp as RFC 3339 text in UTC.
///
/// Never fails: nanoseconds beyond a second are carried, and a year may have any number of digits.
#[must_use]
pub fn format(timestamp: &Timestamp) -> String {
    let nanoseconds = i64::from(timestamp.nanos);
    let seconds = i128::from(timestamp.seconds) + i128::from(nanoseconds.div_euclid(NANOSECONDS));
    let days = seconds.div_euclid(i128::from(DAY));
    // Both fit: seconds are at most one beyond an i64, and a day has many of them.
    let days = i64::try_from(days).unwrap_or_default();
    let second = i64::try_from(seconds.rem_euclid(i128::from(DAY))).unwrap_or_default();
    let (year, month, day) = civil(days);
    let year = if year < 0 {
        format!("-{:04}", -year)
    } else {
        format!("{year:04}")
    };
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let fraction = match nanoseconds.rem_euclid(NANOSECONDS) {
        0 => String::new(),
        fraction => format!(".{fraction:09}").trim_end_matches('0').to_owned(),
    };
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Reads RFC 3339 text as the reference does; fraction digits beyond the ninth are dropped.
pub fn parse(text: &str) -> Result<Timestamp, DatetimeError> {
    let mut cursor = Cursor {
        rest: text.as_bytes(),
    };
    let year = cursor.digits(4, "the year")?;
    cursor.expect(b'-', "the year")?;
    let month = cursor.digits(2, "the month")?;
    cursor.expect(b'-', "the month")?;
    let day = cursor.digits(2, "the day")?;
    cursor.expect(b'T', "the day")?;
    let hour = cursor.one_or_two_digits("the hour")?;
    cursor.expect(b':', "the hour")?;
    let minute = cursor.digits(2, "the minute")?;
    cursor.expect(b':', "the minute")?;
    let second = cursor.digits(2, "the second")?;
    let nanos = cursor.fraction();
    let offset = cursor.offset()?;
    if !cursor.rest.is_empty() {
        return Err(broken("text follows the time zone".to_owned()));
    }

    within(month, 1, 12, "the month")?;
    within(day, 1, days_in(year, month), "the day")?;
    within(hour, 0, 23, "the hour")?;
    within(minute, 0, 59, "the minute")?;
    within(second, 0, 59, "the second")?;
    let seconds = days_from_civil(year, month, day) * DAY + hour * 3_600 + minute * 60 + second;
    Ok(Timestamp {
        seconds: seconds - offset,
        nanos,
    })
}

fn broken(rule: String) -> DatetimeError {
    DatetimeError { rule }
}

fn within(value: i64, low: i64, high: i64, what: &str) -> Result<(), DatetimeError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(broken(format!("{what} is {value}, not {low} to {high}")))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    // From March on, months have 31, 30, 31, 30, 31 days, over and over: 153 in five.
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * ERA + day_of_era - EPOCH
}

/// Year, month and day of a count of days since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    // Take out the leap days before dividing: every 4 years, not every 100, but every 400.
    let leaps = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

/// The rest of the text.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    /// Takes exactly `count` digits.
    fn digits(&mut self, count: usize, what: &str) -> Result<i64, DatetimeError> {
        let digits = self
            .rest
            .get(..count)
            .filter(|digits| digits.iter().all(u8::is_ascii_digit));
        let digits = digits.ok_or_else(|| broken(format!("{what} must be {count} digits")))?;
        self.rest = &self.rest[count..];
        Ok(digits
            .iter()
            .fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
    }

    fn one_or_two_digits(&mut self, what: &str) -> Result<i64, DatetimeError> {
        let two = self.rest.get(1).is_some_and(u8::is_ascii_digit);
        self.digits(if two { 2 } else { 1 }, what)
    }

    fn expect(&mut self, byte: u8, after: &str) -> Result<(), DatetimeError> {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                Ok(())
            }
            _ => Err(broken(format!(
                "after {after} {:?} must follow",
                char::from(byte)
            ))),
        }
    }

    /// Takes a fraction, if there is one, as nanoseconds.
    fn fraction(&mut self) -> i32 {
        let [b'.' | b',', digits @ ..] = self.rest else {
            return 0;
        };
        let count = digits
            .iter()
            .take_while(|digit| digit.is_ascii_digit())
            .count();
        if count == 0 {
            return 0;
        }
        let nine = digits[..count]
            .iter()
            .copied()
            .chain(std::iter::repeat(b'0'))
            .take(9);
        let nanos = nine.fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
        self.rest = &digits[count..];
        nanos
    }

    /// Takes the time zone, as seconds east of UTC.
    fn offset(&mut self) -> Result<i64, DatetimeError> {
        let sign = match self.rest.split_first() {
            Some((b'Z', rest)) => {
                self.rest = rest;
                return Ok(0);
            }
            Some((b'+', rest)) => {
                self.rest = rest;
                1
            }
            Some((b'-', rest)) => {
                self.rest = rest;
                -1
            }
            _ => {
                return Err(broken(
                    "it must end in Z or an offset like +02:00".to_owned(),
                ));
            }
        };
        let hours = self.digits(2, "the offset's hour")?;
        self.expect(b':', "the offset's hour")?;
        let minutes = self.digits(2, "the offset's minute")?;
        within(hours, 0, 24, "the offset's hour")?;
        within(minutes, 0, 60, "the offset's minute")?;
        Ok(sign * (hours * 3_600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn timestamp(seconds: i64, nanos: i32) -> Timestamp {
        Timestamp { seconds, nanos }
    }

    #[test]
    fn writes_utc() {
        let table = [
            (0, 0, "1970-01-01T00:00:00Z"),
            (1_614_834_367, 123_000_000, "2021-03-04T05:06:07.123Z"),
            (-1, 500_000_000, "1969-12-31T23:59:59.5Z"),
            (0, -1, "1969-12-31T23:59:59.999999999Z"),
            (0, 1_500_000_000, "1970-01-01T00:00:01.5Z"),
            (951_782_400, 0, "2000-02-29T00:00:00Z"),
            (-62_135_596_800, 0, "0001-01-01T00:00:00Z"),
            (-62_167_219_200, 0, "0000-01-01T00:00:00Z"),
            (-62_167_219_201, 0, "-0001-12-31T23:59:59Z"),
            (253_402_300_800, 0, "10000-01-01T00:00:00Z"),
        ];
        for (seconds, nanos, text) in table {
            assert_eq!(format(&timestamp(seconds, nanos)), text);
        }
    }

    #[test]
    fn the_ends_of_the_range_have_a_text() {
        assert_eq!(
            format(&timestamp(i64::MAX, i32::MAX)),
            "292277026596-12-04T15:30:09.147483647Z"
        );
        assert_eq!(
            format(&timestamp(i64::MIN, i32::MIN)),
            "-292277022657-01-27T08:29:49.852516352Z"
        );
    }

    #[test]
    fn refuses_with_the_rule() {
        let table = [
            ("2021-02-29T00:00:00Z", "the day is 29, not 1 to 28"),
            ("1900-02-29T00:00:00Z", "the day is 29, not 1 to 28"),
            ("2021-13-01T00:00:00Z", "the month is 13, not 1 to 12"),
            (
                "2021-03-04T05:06:07+25:00",
                "the offset's hour is 25, not 0 to 24",
            ),
            (
                "2021-03-04T05:06:07.Z",
                "it must end in Z or an offset like +02:00",
            ),
            ("2021-03-04T05:06:07ZZ", "text follows the time zone"),
            ("21-03-04T05:06:07Z", "the year must be 4 digits"),
        ];
        for (text, rule) in table {
            assert_eq!(parse(text).unwrap_err().rule, rule, "{text}");
        }
    }

    proptest! {
        #[test]
        fn survives_the_round_trip(seconds in -62_167_219_200_i64..253_402_300_800, nanos in 0..1_000_000_000_i32) {
            let there = format(&timestamp(seconds, nanos));
            prop_assert_eq!(parse(&there), Ok(timestamp(seconds, nanos)));
        }

        #[test]
        fn never_panics(text in "[0-9]{0,5}-[0-9]{1,3}-[0-9]{1,3}[Tt ]?[0-9]{0,3}:[0-9]{2}:?[0-9]{0,2}[.,]?[0-9]{0,12}[-+Zz]?.{0,6}", seconds: i64, nanos: i32) {
            let _ = parse(&text);
            let _ = format(&timestamp(seconds, nanos));
        }
    }
}

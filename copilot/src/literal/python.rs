//! Points in time and durations as Python writes them. Times in a dataclass arrive so, and a program in
//! Python that writes `str(value)` leaves them so.

use prost_types::Timestamp;

use super::datetime;

const SECOND: i64 = 1_000_000_000;

/// Reads what `isoformat` makes of a `datetime` or a `date`, or `str` of a `datetime`. Without an offset it
/// is UTC, and a date is its first moment.
#[must_use]
pub fn isoformat(text: &str) -> Option<Timestamp> {
    let text = text.replacen(' ', "T", 1);
    let forms = ["", "Z", "T00:00:00Z"];
    forms
        .iter()
        .find_map(|rest| datetime::parse(&format!("{text}{rest}")).ok())
}

/// Reads what `str` makes of a `datetime`: `2021-03-04 05:06:07.123456`, with or without `+02:00`. Without
/// an offset it is UTC.
#[must_use]
pub fn str_of_datetime(text: &str) -> Option<Timestamp> {
    let has_form = text.contains(' ') && !text.ends_with('Z');
    has_form.then(|| isoformat(text)).flatten()
}

/// Reads what `str` makes of a `timedelta` into nanoseconds: `1:30:00`, `-1 day, 23:59:59.500000`.
#[must_use]
pub fn str_of_timedelta(text: &str) -> Option<i64> {
    let (whole_days, time) = match text.split_once(", ") {
        Some((count, time)) => (days(count)?, time),
        None => (0, text),
    };
    let mut parts = time.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || minutes.len() != 2 {
        return None;
    }
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let nanoseconds = number(&format!("{fraction:0<9}")).filter(|_| !fraction.is_empty())?;
    let is_clock = seconds.len() == 2 && fraction.len() <= 9;
    let seconds = number(seconds).filter(|seconds| is_clock && *seconds < 60 && minutes < 60)?;
    let hours = whole_days.checked_mul(24)?.checked_add(hours)?;
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    let seconds = minutes.checked_mul(60)?.checked_add(seconds)?;
    seconds.checked_mul(SECOND)?.checked_add(nanoseconds)
}

/// `1 day`, `2 days`, `-1 day`.
fn days(text: &str) -> Option<i64> {
    let count = text.strip_suffix(" day").or(text.strip_suffix(" days"))?;
    match count.strip_prefix('-') {
        Some(count) => number(count)?.checked_neg(),
        None => number(count),
    }
}

/// Digits, without a sign.
fn number(digits: &str) -> Option<i64> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datetimes_and_dates() {
        for (text, expected) in [
            ("2021-03-04", "2021-03-04T00:00:00Z"),
            ("2021-03-04T05:06:07", "2021-03-04T05:06:07Z"),
            ("2021-03-04T05:06:07.123456", "2021-03-04T05:06:07.123456Z"),
            ("2021-03-04 05:06:07", "2021-03-04T05:06:07Z"),
            ("2021-03-04 05:06:07+02:00", "2021-03-04T03:06:07Z"),
            ("2021-03-04T05:06:07Z", "2021-03-04T05:06:07Z"),
        ] {
            let found = isoformat(text).map(|time| datetime::format(&time));
            assert_eq!(found.as_deref(), Some(expected), "{text}");
            let is_str = text.contains(' ');
            assert_eq!(str_of_datetime(text).is_some(), is_str, "{text}");
        }
        for text in [
            "",
            "soon",
            "2021",
            "2021-02-30",
            "2021-03-04 05:06",
            "2021-03-04  05:06:07",
        ] {
            assert_eq!(isoformat(text), None, "{text}");
            assert_eq!(str_of_datetime(text), None, "{text}");
        }
        assert_eq!(str_of_datetime("2021-03-04 05:06:07Z"), None);
    }

    #[test]
    fn timedeltas() {
        let hour = 3_600 * SECOND;
        for (text, expected) in [
            ("0:00:00", 0),
            ("1:30:00", hour * 3 / 2),
            ("0:00:00.000001", 1_000),
            ("0:00:01.5", SECOND * 3 / 2),
            ("1 day, 0:00:00", 24 * hour),
            ("2 days, 3:04:05", 51 * hour + 245 * SECOND),
            ("-1 day, 23:59:59.500000", -SECOND / 2),
            ("-2 days, 0:00:00", -48 * hour),
            ("36:00:00", 36 * hour),
        ] {
            assert_eq!(str_of_timedelta(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "1",
            "1:30",
            "1:3:00",
            "1:30:0",
            "1:60:00",
            "1:30:60",
            "-1:30:00",
            "+1:30:00",
            "1:30:00.",
            "1:30:00.0000000001",
            "1:30:00:00",
            ":30:00",
            "1 day",
            "1 day 0:00:00",
            "day, 0:00:00",
            "1.5 days, 0:00:00",
            "106752 days, 0:00:00",
            "99999999999999999999:00:00",
        ] {
            assert_eq!(str_of_timedelta(text), None, "{text}");
        }
    }
}

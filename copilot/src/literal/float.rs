//! Doubles as text: three layouts to write (spec §3.3) and one grammar to read (spec §4.4).
//!
//! Digits are always the shortest that read back to the same double. The target (file, JSON, YAML)
//! decides whether and how an exponent is written.

use thiserror::Error;

/// The NaN that the reference writes.
const NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

/// Why a text is not a double.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FloatError {
    /// The text breaks the grammar.
    #[error("it is not a number; write for example 3, -2.5, 1e10 or inf")]
    Malformed,
    /// The value is larger than any double.
    #[error("it is too large for a 64-bit floating point number")]
    OutOfRange,
}

/// The layout of a value's own file: no exponent; `NaN`, `+Inf` and `-Inf`.
#[must_use]
pub fn plain(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 {
            "+Inf".to_owned()
        } else {
            "-Inf".to_owned()
        }
    } else {
        value.to_string()
    }
}

/// The layout of JSON: an exponent below 1e-6 and from 1e21. None if the value is not finite.
#[must_use]
pub fn json(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let magnitude = value.abs();
    if value == 0.0 || (1e-6..1e21).contains(&magnitude) {
        return Some(value.to_string());
    }
    let (digits, exponent) = scientific(value);
    Some(format!("{digits}e{exponent:+}"))
}

/// The layout of JSON, with a point or an exponent in every number, so that `1.0` stays a float. None if
/// the value is not finite.
#[must_use]
pub fn json_with_point(value: f64) -> Option<String> {
    let mut text = json(value)?;
    if !text.contains(['.', 'e']) {
        text.push_str(".0");
    }
    Some(text)
}

/// The layout of YAML: whole numbers of at most 64 bits in full, else an exponent below 1e-4 and
/// from 1e6. None if the value is not finite.
///
/// The reference reads its own JSON back before it prints YAML. That explains the 64 bits, and the zero
/// without its sign.
#[must_use]
pub fn yaml(value: f64) -> Option<String> {
    let text = json(value)?;
    if text == "-0" {
        return Some("0".to_owned());
    }
    if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
        return Some(text);
    }
    let (digits, exponent) = scientific(value);
    if (-4..6).contains(&exponent) {
        return Some(value.to_string());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    Some(format!("{digits}e{sign}{:02}", exponent.unsigned_abs()))
}

/// The layout of YAML 1.1 for a number that stays a float: always with a point, and a sign in the exponent.
/// None if the value is not finite.
#[must_use]
pub fn yaml_with_point(value: f64) -> Option<String> {
    let text = json(value)?;
    Some(match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => format!("{digits}e{exponent}"),
        Some((digits, exponent)) => format!("{digits}.0e{exponent}"),
        None if text.contains('.') => text,
        None => format!("{text}.0"),
    })
}

/// The shortest digits with one of them before the point, and the power of ten.
fn scientific(value: f64) -> (String, i32) {
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => (digits.to_owned(), exponent.parse().unwrap_or_default()),
        None => (text, 0),
    }
}

/// Reads a double as Go does: decimal or hexadecimal, `_` between digits, `inf` and `infinity` with
/// a sign, `nan` without. A number that is too small becomes zero; one that is too large is an error.
pub fn parse(text: &str) -> Result<f64, FloatError> {
    let (negative, magnitude) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let sign = if negative { -1.0 } else { 1.0 };
    let is = |word: &str| magnitude.eq_ignore_ascii_case(word);
    if is("inf") || is("infinity") {
        return Ok(sign * f64::INFINITY);
    }
    if text.eq_ignore_ascii_case("nan") {
        return Ok(NAN);
    }
    let hexadecimal = magnitude
        .strip_prefix("0x")
        .or_else(|| magnitude.strip_prefix("0X"));
    let value = if let Some(digits) = hexadecimal {
        // The prefix counts as a digit before a first `_`.
        check_underscores(&format!("0{digits}"), |byte| byte.is_ascii_hexdigit())?;
        parse_hexadecimal(&digits.replace('_', ""))?
    } else {
        check_underscores(magnitude, |byte| byte.is_ascii_digit())?;
        parse_decimal(&magnitude.replace('_', ""))?
    };
    Ok(sign * value)
}

/// Each `_` must stand between two digits.
fn check_underscores(text: &str, is_digit: impl Fn(u8) -> bool) -> Result<(), FloatError> {
    let bytes = text.as_bytes();
    let digit_at = |index: usize| bytes.get(index).is_some_and(|byte| is_digit(*byte));
    for (index, byte) in bytes.iter().enumerate() {
        if *byte == b'_' && !(index > 0 && digit_at(index - 1) && digit_at(index + 1)) {
            return Err(FloatError::Malformed);
        }
    }
    Ok(())
}

fn parse_decimal(text: &str) -> Result<f64, FloatError> {
    // Words (`nan`) and a second sign are valid for the standard library, not here.
    if !text.starts_with(|first: char| first == '.' || first.is_ascii_digit()) {
        return Err(FloatError::Malformed);
    }
    let value: f64 = text.parse().map_err(|_| FloatError::Malformed)?;
    if value.is_infinite() {
        Err(FloatError::OutOfRange)
    } else {
        Ok(value)
    }
}

/// Reads `h.hhp±d`, the text after the prefix. The exponent is required.
fn parse_hexadecimal(text: &str) -> Result<f64, FloatError> {
    let (digits, exponent) = text.split_once(['p', 'P']).ok_or(FloatError::Malformed)?;
    let exponent = parse_exponent(exponent)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(FloatError::Malformed);
    }
    let (mut mantissa, mut lost, mut power) = (0_u64, false, exponent);
    for (part, in_fraction) in [(whole, false), (fraction, true)] {
        for digit in part.chars() {
            let digit = u64::from(digit.to_digit(16).ok_or(FloatError::Malformed)?);
            if mantissa >> 60 == 0 {
                mantissa = mantissa << 4 | digit;
                power -= if in_fraction { 4 } else { 0 };
            } else {
                // The mantissa is full: the digit only matters for rounding.
                lost |= digit != 0;
                power += if in_fraction { 0 } else { 4 };
            }
        }
    }
    round(mantissa, power, lost).ok_or(FloatError::OutOfRange)
}

fn parse_exponent(text: &str) -> Result<i64, FloatError> {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FloatError::Malformed);
    }
    // Saturated exponents are out of range either way, and leave room for the digits' share.
    Ok(sign * digits.parse::<i64>().unwrap_or(i64::MAX).min(i64::MAX / 4))
}

/// `mantissa × 2^power`, rounded to the nearest double, ties to even; none if it is too large. `lost`
/// says that nonzero digits follow the mantissa.
fn round(mantissa: u64, power: i64, lost: bool) -> Option<f64> {
    if mantissa == 0 {
        return Some(0.0);
    }
    let lead = 63 - i64::from(mantissa.leading_zeros());
    let aligned = u128::from(mantissa << mantissa.leading_zeros());
    // The power of the leading bit; below -1022 the double has fewer bits.
    let top = power.saturating_add(lead);
    if top > 1_023 {
        return None;
    }
    let dropped = u32::try_from((11 + (-1_022 - top).max(0)).min(65)).unwrap_or(65);
    let (kept, rest) = (aligned >> dropped, aligned & ((1 << dropped) - 1));
    let half = 1_u128 << (dropped - 1);
    let up = rest > half || (rest == half && (lost || kept & 1 == 1));
    let kept = u64::try_from(kept).ok()? + u64::from(up);
    // A carry out of the mantissa increments the exponent, as it must.
    let exponent = u64::try_from((top + 1_022).max(0)).ok()?;
    let value = f64::from_bits((exponent << 52) + kept);
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_float_with_a_point_stays_a_float() {
        for (value, as_json, as_yaml) in [
            (1.0, "1.0", "1.0"),
            (-0.0, "-0.0", "-0.0"),
            (0.5, "0.5", "0.5"),
            (1e20, "100000000000000000000.0", "100000000000000000000.0"),
            (1e21, "1e+21", "1.0e+21"),
            (1.5e21, "1.5e+21", "1.5e+21"),
            (1e-7, "1e-7", "1.0e-7"),
        ] {
            assert_eq!(json_with_point(value).as_deref(), Some(as_json));
            assert_eq!(yaml_with_point(value).as_deref(), Some(as_yaml));
        }
        assert_eq!(json_with_point(f64::NAN), None);
        assert_eq!(yaml_with_point(f64::INFINITY), None);
    }

    #[test]
    fn three_layouts() {
        let table = [
            (0.0, "0", "0", "0"),
            (-0.0, "-0", "-0", "0"),
            (3.25, "3.25", "3.25", "3.25"),
            (1_234_567.5, "1234567.5", "1234567.5", "1.2345675e+06"),
            (999_999.5, "999999.5", "999999.5", "999999.5"),
            (1e6, "1000000", "1000000", "1000000"),
            (
                1e19,
                "10000000000000000000",
                "10000000000000000000",
                "10000000000000000000",
            ),
            (
                -1e19,
                "-10000000000000000000",
                "-10000000000000000000",
                "-1e+19",
            ),
            (
                1e20,
                "100000000000000000000",
                "100000000000000000000",
                "1e+20",
            ),
            (1.5e21, "1500000000000000000000", "1.5e+21", "1.5e+21"),
            (0.0001, "0.0001", "0.0001", "0.0001"),
            (0.00001, "0.00001", "0.00001", "1e-05"),
            (1e-6, "0.000001", "0.000001", "1e-06"),
            (-1e-7, "-0.0000001", "-1e-7", "-1e-07"),
        ];
        for (value, file, as_json, as_yaml) in table {
            assert_eq!(plain(value), file);
            assert_eq!(json(value).as_deref(), Some(as_json));
            assert_eq!(yaml(value).as_deref(), Some(as_yaml));
        }
        assert_eq!(json(f64::MAX).as_deref(), Some("1.7976931348623157e+308"));
        assert_eq!(yaml(5e-324).as_deref(), Some("5e-324"));
        assert_eq!(plain(5e-324).len(), 2 + 324);
        assert_eq!(plain(f64::NEG_INFINITY), "-Inf");
        assert_eq!(json(f64::NAN), None);
    }

    #[test]
    fn reads_hexadecimal() {
        let table = [
            ("0x1p0", 1.0),
            ("0x1.8p1", 3.0),
            ("-0X.8P1", -1.0),
            ("0x_1_0p0", 16.0),
            ("0x1.fffffffffffffp1023", f64::MAX),
            ("0x1p-1074", 5e-324),
            ("0x1p-1075", 0.0),
            ("0x1.8p-1075", 5e-324),
            ("0x1.00000000000008p0", 1.0),
            ("0x1.0000000000000800000001p0", 1.0 + f64::EPSILON),
            ("0x0.8p-1021", f64::MIN_POSITIVE),
            ("0x0p99999999999999999999", 0.0),
            ("0x1p-99999999999999999999", 0.0),
            ("0x10000000000000000000p-76", 1.0),
        ];
        for (text, value) in table {
            assert_eq!(parse(text), Ok(value), "{text}");
        }
        for text in [
            "0x1.fffffffffffff8p1023",
            "0x1p1024",
            "0x1p99999999999999999999",
            "1e400",
            "-1e400",
        ] {
            assert_eq!(parse(text), Err(FloatError::OutOfRange), "{text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "", "+", "-", ".", "e1", "1e", "1e+", "0x", "0x1", "0xp1", "0x.p1", "0x1p", "1_", "_1",
            "1__0", "1_.5", "1._5", "1e_5", "0x1p_1", "+nan", "-nan", "infin", "++1", "1 ", " 1",
            "1,5", "1f", "٣",
        ] {
            assert_eq!(parse(text), Err(FloatError::Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_layout_reads_back(value in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO) {
            prop_assert_eq!(parse(&plain(value)), Ok(value));
            prop_assert_eq!(parse(&json(value).unwrap()), Ok(value));
            prop_assert_eq!(parse(&yaml(value).unwrap()), Ok(value));
        }

        #[test]
        fn hexadecimal_reads_as_written(mantissa: u64, power in -1_200_i64..1_000) {
            // Scaling by a power of two is exact unless the result is subnormal; those are in the table.
            prop_assume!(power > -1_022);
            #[expect(clippy::cast_precision_loss, reason = "the conversion rounds to nearest even, as must the parser")]
            let expected = mantissa as f64 * 2_f64.powi(i32::try_from(power).unwrap());
            let got = parse(&format!("0x{mantissa:x}p{power}"));
            if expected.is_infinite() {
                prop_assert_eq!(got, Err(FloatError::OutOfRange));
            } else {
                prop_assert_eq!(got, Ok(expected));
            }
        }

        #[test]
        fn never_panics(text in "[-+]?(0x)?[0-9a-f_.]{0,30}[pe]?[-+]?[0-9_]{0,22}.?") {
            let _ = parse(&text);
        }
    }
}

//! Scalar texts, read as the reference's flag library reads them (spec §1.6). Files and environment also
//! know the words of YAML 1.1 for a boolean.

use thiserror::Error;

/// A text that breaks the rule of its place. The message states the rule and never repeats the text,
/// which may be a secret.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct SyntaxError(pub(crate) String);

impl SyntaxError {
    pub(crate) fn new(rule: impl Into<String>) -> Self {
        Self(rule.into())
    }
}

/// A boolean as Go's `strconv.ParseBool` knows it: `1 t T TRUE true True 0 f F FALSE false False`.
pub fn boolean(text: &str) -> Result<bool, SyntaxError> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(SyntaxError::new("a boolean must be true or false")),
    }
}

/// A boolean in a file or in the environment: as [`boolean`], and the words `yes`, `no`, `on`,
/// `off` in any case, which YAML 1.1 reads as booleans.
pub(crate) fn relaxed_boolean(text: &str) -> Result<bool, SyntaxError> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" => Ok(true),
        "no" | "off" => Ok(false),
        _ => boolean(text),
    }
}

/// A whole number as Go's `strconv.ParseInt` reads it with base 0: an optional sign, a prefix
/// `0x`, `0o`, `0b` or a leading `0` (octal), and `_` between digits.
pub fn integer(text: &str) -> Result<i64, SyntaxError> {
    let wrong = || SyntaxError::new("a whole number is required, such as 42");
    let (negative, unsigned) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let (radix, digits, after_prefix) = split_radix(unsigned);
    let mut separated = after_prefix;
    let mut plain = String::with_capacity(digits.len());
    for character in digits.chars() {
        match character {
            '_' if separated => separated = false,
            digit if digit.is_digit(radix) => {
                plain.push(digit);
                separated = true;
            }
            _ => return Err(wrong()),
        }
    }
    if plain.is_empty() || !separated {
        return Err(wrong());
    }
    if negative {
        plain.insert(0, '-');
    }
    i64::from_str_radix(&plain, radix)
        .map_err(|_| SyntaxError::new("the number does not fit in 64 bits"))
}

/// The radix, the digits, and whether a `_` may stand before the first digit.
fn split_radix(unsigned: &str) -> (u32, &str, bool) {
    let radix = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        [b'0', _, ..] => return (8, &unsigned[1..], true),
        _ => return (10, unsigned, false),
    };
    (radix, &unsigned[2..], true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_gos_six_spellings_each() {
        for text in ["1", "t", "T", "TRUE", "true", "True"] {
            assert_eq!(boolean(text), Ok(true), "{text}");
        }
        for text in ["0", "f", "F", "FALSE", "false", "False"] {
            assert_eq!(boolean(text), Ok(false), "{text}");
        }
        for text in ["", "yes", "tRUE", " true", "2"] {
            assert!(boolean(text).is_err(), "{text}");
        }
    }

    #[test]
    fn relaxed_booleans_know_yaml_words() {
        assert_eq!(relaxed_boolean("Yes"), Ok(true));
        assert_eq!(relaxed_boolean("OFF"), Ok(false));
        assert_eq!(relaxed_boolean("True"), Ok(true));
        assert!(relaxed_boolean("maybe").is_err());
    }

    #[test]
    fn integers_in_every_base() {
        for (text, number) in [
            ("0", 0),
            ("5", 5),
            ("+5", 5),
            ("-5", -5),
            ("0x1F", 31),
            ("0o17", 15),
            ("017", 15),
            ("0b101", 5),
            ("1_000", 1000),
            ("0x_ff", 255),
            ("-9223372036854775808", i64::MIN),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(integer(text), Ok(number), "{text}");
        }
        for text in [
            "",
            "+",
            "-",
            "1.0",
            "1e3",
            " 1",
            "_1",
            "1_",
            "1__0",
            "0x",
            "08",
            "--1",
            "9223372036854775808",
        ] {
            assert!(integer(text).is_err(), "{text}");
        }
    }
}

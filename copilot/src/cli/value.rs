//! From the texts of flags to values. Flags of the reference follow its rules (spec §1.6).

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use clap::builder::{OsStringValueParser, TypedValueParser};
use thiserror::Error;

use crate::literal::duration::{self, DurationError};
use crate::transfer::TransferLimits;

/// Base64 as Go's standard decoder reads it: padded, unused trailing bits ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// A text that is not a value of its flag.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum ValueError {
    /// Bytes are base64.
    #[error("it is not standard base64 with padding ({cause}){hint}")]
    Base64 {
        /// The first rule that it breaks.
        #[source]
        cause: base64::DecodeError,
        /// What the text looks like, and what to do; may be empty.
        hint: &'static str,
    },
    /// A duration is Go's.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// A wait has no sign.
    #[error("it must not be negative")]
    Negative,
    /// A size begins with digits.
    #[error("a size begins with a number")]
    NoNumber,
    /// The units of sizes are fixed.
    #[error("a size is a number of bytes, or a number and k, Ki, M, Mi, G or Gi")]
    UnknownUnit,
    /// A size fits 64 bits.
    #[error("the size does not fit in 64 bits")]
    TooLarge,
    /// A size is not empty.
    #[error("a size is at least one byte")]
    NoBytes,
    /// One part of a large file must fit.
    #[error("it is less than 8Mi, the size of one part of a large file")]
    TooLittleMemory,
    /// A count is positive.
    #[error("a count is a whole number from 1 on")]
    Count,
}

/// Bytes in standard base64 with padding. White space around them and line ends within are ignored.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, ValueError> {
    let dense: String = text
        .trim()
        .chars()
        .filter(|c| !matches!(c, '\r' | '\n'))
        .collect();
    BASE64.decode(&dense).map_err(|cause| ValueError::Base64 {
        cause,
        hint: likeness(&dense),
    })
}

/// What a text looks like that is not base64, and what to do.
fn likeness(text: &str) -> &'static str {
    let decodes = |text: &str| BASE64.decode(text).is_ok();
    let extension = Path::new(text).extension();
    let is_file = extension.is_some_and(|extension| extension == "pb" || extension == "json");
    let is_path = is_file || text.starts_with(['/', '.', '@', '~']);
    if text.starts_with(['{', '[']) {
        "; it looks like JSON: `copilot make` writes the base64 of an interface"
    } else if is_path {
        "; it looks like the name of a file: pass the base64 of its content, as `base64 -w0 FILE` prints it"
    } else if decodes(&text.replace('-', "+").replace('_', "/")) {
        "; it is base64 for addresses: write + for - and / for _"
    } else if ["=", "=="]
        .iter()
        .any(|end| decodes(&format!("{text}{end}")))
    {
        "; its padding is missing: add = until the length is a multiple of four"
    } else {
        ""
    }
}

/// A path of any bytes. It may be empty, unlike with clap's own parser.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// A Go duration in nanoseconds.
pub(super) fn nanoseconds(text: &str) -> Result<i64, DurationError> {
    duration::parse(text)
}

/// A deadline; none for zero and less.
pub(super) fn deadline(nanoseconds: i64) -> Option<Duration> {
    match u64::try_from(nanoseconds) {
        Ok(0) | Err(_) => None,
        Ok(nanoseconds) => Some(Duration::from_nanos(nanoseconds)),
    }
}

/// A time to wait: a Go duration that is not negative.
pub(super) fn wait(text: &str) -> Result<Duration, ValueError> {
    let nanoseconds = duration::parse(text)?;
    u64::try_from(nanoseconds)
        .map(Duration::from_nanos)
        .map_err(|_| ValueError::Negative)
}

/// A size of at least one byte: digits, and optionally a unit of Kubernetes.
pub(super) fn size(text: &str) -> Result<u64, ValueError> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return Err(ValueError::UnknownUnit),
    };
    let number: u64 = match number.parse() {
        Ok(number) => number,
        Err(_) if number.is_empty() => return Err(ValueError::NoNumber),
        Err(_) => return Err(ValueError::TooLarge),
    };
    match number.checked_mul(factor) {
        Some(0) => Err(ValueError::NoBytes),
        Some(size) => Ok(size),
        None => Err(ValueError::TooLarge),
    }
}

/// Memory for data in flight: at least what one transfer needs.
pub(super) fn memory(text: &str) -> Result<u64, ValueError> {
    match size(text)? {
        size if size < TransferLimits::LEAST_MEMORY => Err(ValueError::TooLittleMemory),
        size => Ok(size),
    }
}

/// A count of at least one.
pub(super) fn count(text: &str) -> Result<NonZeroU32, ValueError> {
    text.parse().map_err(|_| ValueError::Count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_holds_a_part() {
        assert_eq!(memory("8Mi"), Ok(8 << 20));
        for text in ["8388607", "1", "0", "x"] {
            assert!(memory(text).is_err(), "{text}");
        }
    }

    #[test]
    fn base64_as_go_reads_it() {
        for (text, expected) in [
            ("", &b""[..]),
            (" \t\n", b""),
            ("EgA=", b"\x12\x00"),
            (" Eg\r\nA=\n", b"\x12\x00"),
            ("EgB=", b"\x12\x00"),
            ("+/8=", b"\xfb\xff"),
        ] {
            assert_eq!(bytes(text).unwrap(), expected, "{text:?}");
        }
        for (text, hint) in [
            ("_-8=", "+ for -"),
            ("EgA", "padding is missing"),
            ("Eg A=", ""),
            ("E", ""),
            ("EgA==", ""),
            ("=", ""),
            ("EgA=EgA=", ""),
            (r#"{"outputs": {}}"#, "copilot make"),
            ("/etc/interface.pb", "base64 -w0"),
            ("@interface.json", "base64 -w0"),
        ] {
            let message = bytes(text).unwrap_err().to_string();
            assert!(message.contains(hint), "{text:?}: {message}");
        }
    }

    #[test]
    fn deadlines() {
        assert_eq!(deadline(0), None);
        assert_eq!(deadline(-5), None);
        assert_eq!(deadline(1), Some(Duration::from_nanos(1)));
        assert_eq!(deadline(i64::MAX), Some(Duration::from_nanos(u64::MAX / 2)));
    }

    #[test]
    fn waits() {
        assert_eq!(wait("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(wait("-0"), Ok(Duration::ZERO));
        assert!(wait("-1s").unwrap_err().to_string().contains("negative"));
        assert!(wait("5").is_err());
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("1", 1),
            ("1024", 1024),
            ("2k", 2000),
            ("2Ki", 2048),
            ("3M", 3_000_000),
            ("3Mi", 3 << 20),
            ("1G", 1_000_000_000),
            ("1Gi", 1 << 30),
        ] {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "0",
            "0Mi",
            "k",
            "1K",
            "1KB",
            "1.5Mi",
            "-1",
            "+1",
            " 1",
            "99999999999999999999",
            "99999999999Gi",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}

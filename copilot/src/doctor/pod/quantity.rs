//! Quantities of bytes as Kubernetes writes them: `128Mi`, `1.5G`, `1e9`, `500m`.

use thiserror::Error;

/// A text that is not a quantity.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "{0:?} is not a quantity; write a number with a suffix such as Mi or Gi, for example 128Mi"
)]
pub struct QuantityError(String);

const SUFFIXES: [(&str, f64); 13] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("m", 0.001),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

/// The bytes, rounded down; as many as can be counted for more.
pub(super) fn bytes(text: &str) -> Result<u64, QuantityError> {
    let refuse = || QuantityError(text.to_owned());
    let found = SUFFIXES.iter().find_map(|(suffix, factor)| {
        let number = text.strip_suffix(suffix)?;
        Some((number, *factor))
    });
    let (number, factor) = found.unwrap_or((text, 1.0));
    let is_number = number.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.');
    let number: f64 = number.parse().map_err(|_| refuse())?;
    if !is_number {
        return Err(refuse());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and `as` takes the largest number for a larger one"
    )]
    let bytes = (number * factor) as u64;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_those_of_kubernetes() {
        for (text, expected) in [
            ("128Mi", 128 << 20),
            ("1.5Gi", 3 << 29),
            ("200M", 200_000_000),
            ("1e9", 1_000_000_000),
            ("2E", 2_000_000_000_000_000_000),
            ("64Ei", u64::MAX),
            ("512000m", 512),
            ("0", 0),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "Mi", "-1Mi", "128MB", "ten", "nan", "inf", "1 Gi"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}

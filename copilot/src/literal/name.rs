//! Names from the wire as components of paths: data, never paths (spec §3.8).
//!
//! A name must be one path component that every Linux file system can hold. The caller decides what to
//! do about any other name; inputs and outputs both refuse it.

use std::fmt;

use thiserror::Error;

/// Linux file systems hold names of up to this many bytes.
pub(in crate::literal) const LONGEST: usize = 255;

/// Why a name cannot be a file name.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NameError {
    /// It is empty.
    #[error("a file name cannot be empty")]
    Empty,
    /// It is `.` or `..`.
    #[error("`.` and `..` would leave the directory")]
    Dots,
    /// It holds a separator.
    #[error("a `/` would lead to another directory")]
    Slash,
    /// It holds a zero byte.
    #[error("a file name cannot hold a zero byte")]
    Nul,
    /// It has more bytes than file systems take.
    #[error("it has {0} bytes, but a file name has at most {LONGEST}")]
    TooLong(usize),
}

/// Checks that `name` is a single path component that stays in its directory.
pub fn check(name: &str) -> Result<(), NameError> {
    match name {
        "" => Err(NameError::Empty),
        "." | ".." => Err(NameError::Dots),
        _ if name.contains('/') => Err(NameError::Slash),
        _ if name.contains('\0') => Err(NameError::Nul),
        _ if name.len() > LONGEST => Err(NameError::TooLong(name.len())),
        _ => Ok(()),
    }
}

/// Text from outside, as messages show it: quoted, control characters escaped, cut if long.
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(80) {
            None => write!(out, "{:?}", self.0),
            Some((end, _)) => write!(out, "{:?}… ({} bytes)", &self.0[..end], self.0.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_system_takes_is_taken() {
        for name in [
            "a",
            "a b",
            "...",
            ".hidden",
            "a:b?#%",
            "é\n",
            &"x".repeat(255),
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_leaves_the_directory_is_refused() {
        let long = "é".repeat(128);
        let table = [
            ("", NameError::Empty),
            (".", NameError::Dots),
            ("..", NameError::Dots),
            ("/", NameError::Slash),
            ("../x", NameError::Slash),
            ("a/b", NameError::Slash),
            ("a\0b", NameError::Nul),
            (long.as_str(), NameError::TooLong(256)),
        ];
        for (name, error) in table {
            assert_eq!(check(name), Err(error), "{name}");
        }
    }

    #[test]
    fn long_text_is_cut_where_a_character_ends() {
        assert_eq!(Shown("a\n").to_string(), r#""a\n""#);
        let long = "é".repeat(1_000);
        assert_eq!(
            Shown(&long).to_string(),
            format!("\"{}\"… (2000 bytes)", "é".repeat(80))
        );
    }
}

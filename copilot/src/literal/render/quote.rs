//! A string in double quotes, for JSON and YAML. The caller says which characters need an escape and
//! writes it.

use std::io::{self, Write};

/// Writes a string with its quotes. Text without escapes goes out in one piece.
pub fn write<W: Write>(
    text: &str,
    needs_escape: fn(char) -> bool,
    write_escape: fn(char, &mut W) -> io::Result<()>,
    out: &mut W,
) -> io::Result<()> {
    out.write_all(b"\"")?;
    let mut rest = text;
    while let Some(index) = rest.find(needs_escape) {
        let (clean, tail) = rest.split_at(index);
        out.write_all(clean.as_bytes())?;
        let mut characters = tail.chars();
        if let Some(character) = characters.next() {
            write_escape(character, out)?;
        }
        rest = characters.as_str();
    }
    out.write_all(rest.as_bytes())?;
    out.write_all(b"\"")
}

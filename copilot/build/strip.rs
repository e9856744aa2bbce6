//! Takes debug information out of a BPF object.
//!
//! The compiler's debug sections are most of an object. The binary would carry them, and the loader would read their
//! relocations at each start, but nothing uses them: programs for raw tracepoints need no types.

use anyhow::{Context as _, Result, ensure};

/// The size of an ELF header and of a section's header, in bytes (64 bits, System V ABI).
const HEADER: usize = 64;

/// The types of sections without bytes in the file.
const WITHOUT_BYTES: [usize; 2] = [0, 8];

/// A section's bytes begin at a multiple of this.
const ALIGNMENT: usize = 16;

/// The names of sections that go, with those of their relocations.
const DEBUG: [&str; 2] = [".debug_", ".BTF"];

/// The object without its debug sections. All other sections keep their numbers, since symbols and relocations refer
/// to them.
///
/// # Errors
///
/// The bytes are no ELF file of 64 bits.
pub fn without_debug_information(object: &[u8]) -> Result<Vec<u8>> {
    ensure!(
        object.get(..5) == Some(b"\x7fELF\x02"),
        "no ELF file of 64 bits"
    );
    let file = Elf {
        bytes: object,
        is_little: object.get(5) == Some(&1),
    };
    let table = file.number(0x28, 8)?;
    let (size, count) = (file.number(0x3a, 2)?, file.number(0x3c, 2)?);
    ensure!(size == HEADER, "section headers of {size} bytes");
    let at = |section: usize| table + section * HEADER;
    let names = file.number(at(file.number(0x3e, 2)?) + 0x18, 8)?;
    let mut stripped = object.get(..HEADER).context("cut short")?.to_vec();
    let mut headers = Vec::with_capacity(count * HEADER);
    for section in 0..count {
        let mut header = file.slice(at(section), HEADER)?.to_vec();
        let name = file.text(names + file.number(at(section), 4)?)?;
        let kind = file.number(at(section) + 4, 4)?;
        if is_debug(name) {
            header.fill(0);
        } else if !WITHOUT_BYTES.contains(&kind) {
            let bytes = file.slice(
                file.number(at(section) + 0x18, 8)?,
                file.number(at(section) + 0x20, 8)?,
            )?;
            stripped.resize(stripped.len().next_multiple_of(ALIGNMENT), 0);
            file.write(&mut header, 0x18, stripped.len());
            stripped.extend_from_slice(bytes);
        }
        headers.extend_from_slice(&header);
    }
    stripped.resize(stripped.len().next_multiple_of(ALIGNMENT), 0);
    let table = stripped.len();
    file.write(&mut stripped, 0x28, table);
    stripped.extend_from_slice(&headers);
    Ok(stripped)
}

fn is_debug(section: &str) -> bool {
    let of = section.strip_prefix(".rel").unwrap_or(section);
    DEBUG.iter().any(|prefix| of.starts_with(prefix))
}

/// An ELF file's bytes.
struct Elf<'a> {
    bytes: &'a [u8],
    is_little: bool,
}

impl<'a> Elf<'a> {
    fn slice(&self, at: usize, length: usize) -> Result<&'a [u8]> {
        let end = at.checked_add(length).context("an offset is too large")?;
        self.bytes.get(at..end).context("cut short")
    }

    fn number(&self, at: usize, length: usize) -> Result<usize> {
        let digits = self.slice(at, length)?.iter();
        let add = |sum: usize, digit: &u8| (sum << 8) | usize::from(*digit);
        Ok(if self.is_little {
            digits.rev().fold(0, add)
        } else {
            digits.fold(0, add)
        })
    }

    fn text(&self, at: usize) -> Result<&'a str> {
        let rest = self.bytes.get(at..).context("cut short")?;
        let end = rest.iter().position(|byte| *byte == 0);
        Ok(std::str::from_utf8(&rest[..end.context("cut short")?])?)
    }

    /// Writes a number of eight bytes.
    fn write(&self, to: &mut [u8], at: usize, number: usize) {
        let digits = if self.is_little {
            number.to_le_bytes()
        } else {
            number.to_be_bytes()
        };
        to[at..at + 8].copy_from_slice(&digits);
    }
}

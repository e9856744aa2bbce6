//! References that main has written in place of data (`--upload-mode DO_NOT_UPLOAD`; ours). Any other
//! content is refused: data must never pass for the name of other data.

use super::problem::ReferenceRule;
use super::text::trim;

/// The longest reference, in bytes. A key of 1,024 bytes is three times as long when each byte is
/// escaped, and the signature in a web address may add as much again.
pub const LONGEST: u64 = 16 << 10;

/// The reference that a file's content is: one line.
pub fn read(content: &[u8]) -> Result<&str, ReferenceRule> {
    let text = trim(content);
    let size = text.len() as u64;
    if size > LONGEST {
        let limit = LONGEST;
        return Err(ReferenceRule::TooLong { size, limit });
    }
    let text = std::str::from_utf8(text)?;
    if text.is_empty() {
        return Err(ReferenceRule::Empty);
    }
    if text.contains('\n') {
        return Err(ReferenceRule::SeveralLines);
    }
    Ok(text)
}

//! A line of the program as a document quotes it: `…` stands for what differs from run to run.

/// What stands for the words that differ.
const GAP: char = '…';

/// A quoted line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote<'a>(pub &'a str);

impl<'a> Quote<'a> {
    /// Whether the program's line is the quoted one.
    #[must_use]
    pub fn is(self, line: &str) -> bool {
        let line = line.trim();
        let pieces: Vec<&str> = self.0.trim().split(GAP).collect();
        let [first, middle @ .., last] = pieces.as_slice() else {
            return line == self.0.trim();
        };
        let begun = line.strip_prefix(first);
        let Some(mut rest) = begun.and_then(|rest| rest.strip_suffix(last)) else {
            return false;
        };
        for piece in middle {
            match rest.find(piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        true
    }

    /// The words between the gaps that are long enough to be told from others.
    pub fn pieces(self) -> impl Iterator<Item = &'a str> {
        /// In bytes. Shorter ones, such as `: `, stand in many messages.
        const LEAST: usize = 12;
        let pieces = self.0.split(GAP).map(str::trim);
        pieces.filter(|piece| piece.len() >= LEAST)
    }
}

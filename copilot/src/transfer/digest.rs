//! Whether a file still holds the bytes that were sent: a digest of each piece of it.
//!
//! XXH3 of 128 bits: no guard against somebody who seeks a collision, who would only deceive
//! themselves about their own file, but none by accident, at the speed of memory. What a gibibyte
//! takes here is time between main's end and its outputs.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use twox_hash::xxhash3_128::Hasher;

/// Bytes read at once: they stay in the processor's cache until they are counted in.
const CHUNK: usize = 256 << 10;

/// What was sent of a file, as far as it must be known to tell whether it has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Bytes of the whole file.
    pub(super) size: u64,
    /// Bytes of each piece but the last.
    pub(super) piece: u64,
    /// One digest for each piece, in order.
    pub(super) pieces: Vec<u128>,
}

impl Digests {
    /// Bytes of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether a file holds these very bytes. Reads it, and lets other tasks run in between.
    ///
    /// # Errors
    /// That it cannot be read.
    pub async fn are_of(&self, file: &File) -> io::Result<bool> {
        if file.metadata()?.len() != self.size {
            return Ok(false);
        }
        let mut offset = 0;
        for known in &self.pieces {
            let length = self.piece.min(self.size - offset);
            if of_range(file, offset, length)? != Some(*known) {
                return Ok(false);
            }
            offset += length;
            tokio::task::yield_now().await;
        }
        Ok(true)
    }
}

/// The digest of bytes in memory.
pub(super) fn of(bytes: &[u8]) -> u128 {
    Hasher::oneshot(bytes)
}

/// The digest of a range of a file; none if the file ends before.
pub(super) fn of_range(file: &File, offset: u64, length: u64) -> io::Result<Option<u128>> {
    let mut hasher = Hasher::new();
    let longest = usize::try_from(length).unwrap_or(CHUNK).min(CHUNK);
    let mut chunk = vec![0; longest];
    let (mut at, end) = (offset, offset + length);
    while at < end {
        let wanted = usize::try_from(end - at).unwrap_or(longest).min(longest);
        let read = match file.read_at(&mut chunk[..wanted], at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            return Ok(None);
        }
        hasher.write(&chunk[..read]);
        at += read as u64;
    }
    Ok(Some(hasher.finish_128()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn file_of(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    fn are_of(digests: &Digests, content: &[u8]) -> bool {
        use futures_util::FutureExt as _;
        let file = file_of(content);
        let mut checked = std::pin::pin!(digests.are_of(&file));
        loop {
            if let Some(outcome) = checked.as_mut().now_or_never() {
                return outcome.unwrap();
            }
        }
    }

    proptest! {
        #[test]
        fn every_changed_byte_and_every_other_size_is_noticed(
            content in prop::collection::vec(any::<u8>(), 0..600),
            piece in 1_u64..200,
            at: prop::sample::Index,
        ) {
            let chunks = content.chunks(usize::try_from(piece).unwrap());
            let digests = Digests {
                size: content.len() as u64,
                piece,
                pieces: chunks.map(of).collect(),
            };
            prop_assert!(are_of(&digests, &content));
            let mut other = content.clone();
            other.push(0);
            prop_assert!(!are_of(&digests, &other));
            if !content.is_empty() {
                other.pop();
                let at = at.index(other.len());
                other[at] ^= 1;
                prop_assert!(!are_of(&digests, &other));
                other.pop();
                prop_assert!(!are_of(&digests, &other));
            }
        }
    }

    #[test]
    fn a_range_has_the_digest_of_its_bytes() {
        let content: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 251) as u8).collect();
        let file = file_of(&content);
        let ranged = of_range(&file, 1000, 700_000).unwrap();
        assert_eq!(ranged, Some(of(&content[1000..701_000])));
        assert_eq!(of_range(&file, 999_999, 2).unwrap(), None);
    }
}

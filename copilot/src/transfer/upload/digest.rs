//! Whether a file still holds the bytes that were sent: a digest of each part of it.
//!
//! XXH3 of 128 bits. It does not resist an attacker who searches for a collision, but main would only
//! deceive itself about its own file. By accident collisions do not happen, and the digest runs at the
//! speed of memory: reading a gibibyte delays the outputs after main's end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use twox_hash::xxhash3_128::Hasher;

use crate::transfer::checksum::{ChecksumContext, FileChecksum};

/// Bytes read at once: they stay in the processor's cache until they are digested.
const CHUNK: usize = 256 << 10;

/// What was sent of a file: enough to tell whether the file has changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Bytes of the whole file.
    size: u64,
    /// Bytes of each part but the last.
    part_size: u64,
    /// One digest for each part, in order; empty if one of them is not known.
    parts: Vec<u128>,
}

impl Digests {
    /// Of a file of `size` bytes, from the digests of its parts, in order.
    pub(super) fn new(
        size: u64,
        part_size: u64,
        parts: impl IntoIterator<Item = Option<u128>>,
    ) -> Self {
        let parts = parts.into_iter().collect::<Option<_>>().unwrap_or_default();
        Self {
            size,
            part_size,
            parts,
        }
    }

    /// Bytes of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Size and checksum of exactly these bytes, read again from their file; `None` if the file does not hold them
    /// any more. Lets other tasks run in between.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub async fn checksum(&self, file: &File) -> io::Result<Option<FileChecksum>> {
        if !self.may_match(file)? {
            return Ok(None);
        }
        let mut sha256 = ChecksumContext::default();
        let mut offset = 0;
        for known in &self.parts {
            let length = self.part_size.min(self.size - offset);
            let seen = of_range_seen(file, offset, length, |bytes| sha256.update(bytes))?;
            if seen != Some(*known) {
                return Ok(None);
            }
            offset += length;
            tokio::task::yield_now().await;
        }
        Ok(Some(sha256.finish()))
    }

    /// Whether each part has a digest, and the file has the size.
    fn may_match(&self, file: &File) -> io::Result<bool> {
        let are_complete = self.parts.len() as u64 == self.size.div_ceil(self.part_size);
        Ok(are_complete && file.metadata()?.len() == self.size)
    }

    /// Whether a file holds exactly these bytes. Reads the file, and lets other tasks run in between.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub async fn match_file(&self, file: &File) -> io::Result<bool> {
        if !self.may_match(file)? {
            return Ok(false);
        }
        let mut offset = 0;
        for known in &self.parts {
            let length = self.part_size.min(self.size - offset);
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

/// The digest of a range of a file, or `None` if the file ends before the range does.
pub(super) fn of_range(file: &File, offset: u64, length: u64) -> io::Result<Option<u128>> {
    of_range_seen(file, offset, length, |_| {})
}

/// The same; `see` gets the bytes, in order.
fn of_range_seen(
    file: &File,
    offset: u64,
    length: u64,
    mut see: impl FnMut(&[u8]),
) -> io::Result<Option<u128>> {
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
        see(&chunk[..read]);
        at += read as u64;
    }
    Ok(Some(hasher.finish_128()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::transfer::checksum::file_checksum;

    fn file_of(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    fn matches(digests: &Digests, content: &[u8]) -> bool {
        use futures_util::FutureExt as _;
        let file = file_of(content);
        let mut checked = std::pin::pin!(digests.match_file(&file));
        loop {
            if let Some(outcome) = checked.as_mut().now_or_never() {
                return outcome.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn a_checksum_is_that_of_what_was_sent() {
        let content: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        let parts = |content: &[u8]| content.chunks(300).map(|part| Some(of(part))).collect();
        let parts: Vec<Option<u128>> = parts(&content);
        let sent = Digests::new(1_000, 300, parts.clone());
        let mut file = file_of(&content);
        let found = sent.checksum(&file).await.unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        assert_eq!(found, Some(file_checksum(&file).await.unwrap()));
        let nothing = Digests::new(0, 300, []).checksum(&file_of(b"")).await;
        assert_eq!(nothing.unwrap().unwrap().size, 0);

        let mut other = content.clone();
        other[700] ^= 1;
        for other in [&other[..], &content[..999], b""] {
            assert_eq!(sent.checksum(&file_of(other)).await.unwrap(), None);
        }
        // The digest of one part is not known.
        let unknown = parts.into_iter().enumerate();
        let unknown = unknown.map(|(index, part)| part.filter(|_| index != 1));
        let sent = Digests::new(1_000, 300, unknown);
        assert_eq!(sent.checksum(&file_of(&content)).await.unwrap(), None);
    }

    proptest! {
        #[test]
        fn every_changed_byte_and_every_other_size_is_noticed(
            content in prop::collection::vec(any::<u8>(), 0..600),
            part_size in 1_u64..200,
            at: prop::sample::Index,
        ) {
            let chunks = content.chunks(usize::try_from(part_size).unwrap());
            let parts = chunks.map(|chunk| Some(of(chunk)));
            let digests = Digests::new(content.len() as u64, part_size, parts);
            prop_assert!(matches(&digests, &content));
            let mut other = content.clone();
            other.push(0);
            prop_assert!(!matches(&digests, &other));
            if !content.is_empty() {
                other.pop();
                let at = at.index(other.len());
                other[at] ^= 1;
                prop_assert!(!matches(&digests, &other));
                other.pop();
                prop_assert!(!matches(&digests, &other));
            }
        }
    }

    #[test]
    fn an_unknown_digest_matches_nothing() {
        let digests = Digests::new(4, 2, [Some(of(b"ab")), None]);
        assert!(!matches(&digests, b"abcd"));
        assert!(matches(&Digests::new(0, 2, []), b""));
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

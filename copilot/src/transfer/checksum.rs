//! Size and SHA-256 of a file: what a manifest says of it, and what everybody can check.

use std::fs::File;
use std::io::{self, Read as _};

use aws_lc_rs::digest::{Context, SHA256};

/// Bytes read at once: they stay in the processor's cache until they are digested.
const CHUNK: usize = 256 << 10;

/// After so many chunks other tasks have their turn.
const CHUNKS_AT_ONCE: u32 = 16;

/// The size of a file, and its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileChecksum {
    /// In bytes.
    pub size: u64,
    /// SHA-256 (FIPS 180-4).
    pub sha256: [u8; 32],
}

/// A checksum in the making.
pub(super) struct ChecksumContext {
    context: Context,
    size: u64,
}

impl Default for ChecksumContext {
    fn default() -> Self {
        Self {
            context: Context::new(&SHA256),
            size: 0,
        }
    }
}

impl ChecksumContext {
    /// The next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// The checksum of all bytes.
    pub(super) fn finish(self) -> FileChecksum {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.context.finish().as_ref());
        FileChecksum {
            size: self.size,
            sha256,
        }
    }
}

/// Size and checksum of all that a file holds from its current place on. Lets other tasks run in between.
///
/// # Errors
/// That the file cannot be read.
pub async fn file_checksum(mut file: &File) -> io::Result<FileChecksum> {
    let mut checksum = ChecksumContext::default();
    let mut chunk = vec![0; CHUNK];
    loop {
        for _ in 0..CHUNKS_AT_ONCE {
            match file.read(&mut chunk) {
                Ok(0) => return Ok(checksum.finish()),
                Ok(read) => checksum.update(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use super::*;

    #[tokio::test]
    async fn the_checksum_is_sha256() {
        let mut file = tempfile::tempfile().unwrap();
        let nothing = file_checksum(&file).await.unwrap();
        assert_eq!(
            (nothing.size, &nothing.sha256[..4]),
            (0, &[0xe3, 0xb0, 0xc4, 0x42][..])
        );
        file.write_all(b"abc").unwrap();
        file.rewind().unwrap();
        let found = file_checksum(&file).await.unwrap();
        // FIPS 180-4, the example of one block.
        assert_eq!(
            (found.size, &found.sha256[..4]),
            (3, &[0xba, 0x78, 0x16, 0xbf][..])
        );
        file.write_all(&vec![7; 5 << 20]).unwrap();
        file.rewind().unwrap();
        assert_eq!(file_checksum(&file).await.unwrap().size, (5 << 20) + 3);
    }
}

//! The files as a layer of an image: a compressed tar archive in which nothing depends on the machine that packs it.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use anyhow::{Context as _, Result};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use super::{
    contents::{Contents, Entry},
    moment::Moment,
};

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The archive, compressed with gzip.
    pub compressed: Vec<u8>,
    /// The digest of the archive before it was compressed: the layer's name in the image's configuration.
    pub diff_id: String,
}

/// Packs the files. All belong to user and group 0, and have the same time.
///
/// # Errors
/// A path is too long for an archive.
pub fn pack(contents: &Contents, moment: Moment) -> Result<Layer> {
    let mut archive = Builder::new(Vec::new());
    for (path, entry) in contents.entries() {
        append(&mut archive, path, entry, moment)
            .with_context(|| format!("{path} cannot be packed"))?;
    }
    let archive = archive.into_inner()?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&archive)?;
    Ok(Layer {
        compressed: gzip.finish()?,
        diff_id: digest(&archive),
    })
}

fn append(
    archive: &mut Builder<Vec<u8>>,
    path: &str,
    entry: &Entry,
    moment: Moment,
) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(moment.seconds());
    header.set_size(0);
    match entry {
        Entry::Directory => {
            header.set_entry_type(EntryType::Directory);
            header.set_mode(0o755);
            archive.append_data(&mut header, format!("{path}/"), io::empty())
        }
        Entry::File { bytes, runs } => {
            header.set_entry_type(EntryType::Regular);
            header.set_mode(if *runs { 0o755 } else { 0o644 });
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, path, bytes.as_slice())
        }
        Entry::Link { target } => {
            header.set_entry_type(EntryType::Symlink);
            header.set_mode(0o777);
            archive.append_link(&mut header, path, target)
        }
    }
}

/// The digest of bytes, as images write it.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold("sha256:".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::super::contents::tests::small;
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read as _;

    fn moment(seconds: &str) -> Moment {
        Moment::parse(seconds).expect("it is a number")
    }

    #[test]
    fn the_same_files_give_the_same_bytes_and_another_time_gives_others() {
        let first = pack(&small(), moment("1767225600")).expect("it can be packed");
        let second = pack(&small(), moment("1767225600")).expect("it can be packed");
        let later = pack(&small(), moment("1767225601")).expect("it can be packed");
        assert_eq!(first, second);
        assert_ne!(first.diff_id, later.diff_id);
    }

    #[test]
    fn the_archive_has_every_entry_with_its_owner_mode_and_time() {
        let layer = pack(&small(), moment("1767225600")).expect("it can be packed");
        let mut bytes = Vec::new();
        let mut reader = GzDecoder::new(layer.compressed.as_slice());
        reader.read_to_end(&mut bytes).expect("it is gzip");
        assert_eq!(digest(&bytes), layer.diff_id);
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut found = Vec::new();
        for entry in archive.entries().expect("it is tar") {
            let entry = entry.expect("it is an entry");
            let header = entry.header();
            let (uid, gid) = (header.uid().expect("uid"), header.gid().expect("gid"));
            assert_eq!(
                (uid, gid, header.mtime().expect("mtime")),
                (0, 0, 1_767_225_600)
            );
            let path = entry.path().expect("path").to_string_lossy().into_owned();
            found.push((path, header.entry_type(), header.mode().expect("mode")));
        }
        let has = |path: &str, kind: EntryType, mode: u32| {
            let expected = (path.to_owned(), kind, mode);
            assert!(found.contains(&expected), "{expected:?}: {found:?}");
        };
        has("bin/", EntryType::Directory, 0o755);
        has("bin/copilot", EntryType::Regular, 0o755);
        has("bin/flyte-copilot", EntryType::Symlink, 0o777);
        has(
            "etc/ssl/certs/ca-certificates.crt",
            EntryType::Regular,
            0o644,
        );
        assert_eq!(found.len(), small().entries().count());
    }

    #[test]
    fn a_digest_is_that_of_sha_256() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b""), empty);
    }
}

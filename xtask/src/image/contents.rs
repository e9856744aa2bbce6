//! The files of the image, and which ones Copilot's has.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result};

use super::{authorities, program::Program};
use crate::command::workspace;

/// Where the list of components is, relative to the root. Scanners know the end of the name.
pub const BILL: &str = "usr/share/doc/copilot/copilot.cdx.json";

/// The licence, relative to the root.
const LICENSE: &str = "usr/share/doc/copilot/LICENSE";

/// A file, a directory or a link. All belong to root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A directory that everybody may enter.
    Directory,
    /// A file that everybody may read.
    File {
        /// Its content.
        bytes: Vec<u8>,
        /// Whether everybody may run it.
        runs: bool,
    },
    /// A symbolic link.
    Link {
        /// What it leads to, relative to its directory.
        target: String,
    },
}

/// All entries of an image by their paths, relative to the root. A directory comes before what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents(BTreeMap<String, Entry>);

impl Contents {
    /// The files of Copilot's image: the binary once, links for its other names, certificates, licence, components.
    ///
    /// # Errors
    /// The licence cannot be read.
    pub fn of_copilot(program: &Program, bill: Vec<u8>) -> Result<Self> {
        let license = workspace().join("LICENSE");
        let license =
            fs::read(&license).with_context(|| format!("{} cannot be read", license.display()))?;
        let mut contents = Self::default();
        contents.file("bin/copilot", true, program.bytes.clone());
        // The name that the platform's pods have in their command.
        contents.link("bin/flyte-copilot", "copilot");
        // The name in our own manifests.
        contents.link("copilot", "bin/copilot");
        contents.file(authorities::PATH, false, authorities::pem());
        contents.file(LICENSE, false, license);
        contents.file(BILL, false, bill);
        Ok(contents)
    }

    fn file(&mut self, path: &str, runs: bool, bytes: Vec<u8>) {
        self.insert(path, Entry::File { bytes, runs });
    }

    fn link(&mut self, path: &str, target: &str) {
        let target = target.to_owned();
        self.insert(path, Entry::Link { target });
    }

    fn insert(&mut self, path: &str, entry: Entry) {
        for (at, _) in path.match_indices('/') {
            self.0.insert(path[..at].to_owned(), Entry::Directory);
        }
        self.0.insert(path.to_owned(), entry);
    }

    /// The entries, each directory before what is in it.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// The sum of the sizes of all files.
    pub fn bytes(&self) -> u64 {
        let sizes = self.0.values().map(|entry| match entry {
            Entry::File { bytes, .. } => bytes.len() as u64,
            Entry::Directory | Entry::Link { .. } => 0,
        });
        sizes.sum()
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::architecture::Architecture;

    /// An image with a small file in place of the binary.
    pub fn small() -> Contents {
        let program = Program {
            architecture: Architecture::Amd64,
            bytes: b"binary".to_vec(),
            c_library: None,
            rust: None,
        };
        Contents::of_copilot(&program, b"{}".to_vec()).expect("the licence is there")
    }

    #[test]
    fn the_image_has_the_binary_once() {
        let contents = small();
        let programs = contents
            .entries()
            .filter(|(_, entry)| matches!(entry, Entry::File { runs: true, .. }));
        assert_eq!(programs.count(), 1);
        let links: Vec<(&str, &Entry)> = contents
            .entries()
            .filter(|(_, entry)| matches!(entry, Entry::Link { .. }))
            .collect();
        assert_eq!(
            links.iter().map(|(path, _)| *path).collect::<Vec<_>>(),
            ["bin/flyte-copilot", "copilot"]
        );
    }

    #[test]
    fn a_directory_comes_before_what_is_in_it() {
        let mut seen: Vec<String> = vec![String::new()];
        for (path, entry) in small().entries() {
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            assert!(seen.iter().any(|known| known == parent), "{path}");
            if *entry == Entry::Directory {
                seen.push(path.to_owned());
            }
        }
    }

    #[test]
    fn the_size_is_that_of_all_files() {
        let rest = authorities::pem().len()
            + fs::read(workspace().join("LICENSE")).map_or(0, |text| text.len());
        let expected = b"binary".len() + b"{}".len() + rest;
        assert_eq!(small().bytes(), expected as u64);
    }
}

//! The repository's documents as a reader sees them: headings, links, code, comments.
//!
//! Tests compare them with the program and with the files of the repository, so that no document says what is not so.
//! Never here: what a document must say, and how it is shown. Callers: the tests of this crate and `end_to_end`.

mod anchor;
mod part;
mod quote;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use anchor::Anchors;
pub use part::Part;
pub use quote::Quote;

/// Folders that hold no document of ours: what is built, and what tools keep for themselves.
const NO_DOCUMENTS: [&str; 3] = ["target", "node_modules", ".git"];

/// A document of the repository.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its path from the root of the repository.
    pub path: PathBuf,
    /// What it holds, in its order.
    pub parts: Vec<Part>,
}

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

impl Document {
    /// The document at a path from the root of the repository.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let text = fs::read_to_string(root().join(&path))?;
        Ok(Self {
            path,
            parts: part::parts(&text),
        })
    }

    /// Every document of the repository, by path.
    ///
    /// # Errors
    /// A folder or a document cannot be read.
    pub fn all() -> io::Result<Vec<Self>> {
        let paths = files(&root(), "md")?;
        paths.into_iter().map(Self::read).collect()
    }

    /// The anchors of its headings, as links name them.
    #[must_use]
    pub fn anchors(&self) -> BTreeSet<String> {
        let mut anchors = Anchors::default();
        let headings = self.parts.iter().filter_map(|part| match part {
            Part::Heading { text, .. } => Some(text),
            _ => None,
        });
        headings.map(|text| anchors.next(text)).collect()
    }

    /// The blocks of code whose first line begins so, each with the block after it.
    #[must_use]
    pub fn examples(&self, beginning: &str) -> Vec<(String, String)> {
        let blocks: Vec<&String> = self.parts.iter().filter_map(Part::block).collect();
        let pairs = blocks
            .windows(2)
            .filter(|pair| pair[0].starts_with(beginning));
        pairs
            .map(|pair| (pair[0].clone(), pair[1].clone()))
            .collect()
    }
}

/// Every file with this extension below a directory, by path from the root of the repository.
///
/// # Errors
/// A directory cannot be read.
pub fn files(directory: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(directory, extension, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(directory: &Path, extension: &str, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            if !NO_DOCUMENTS.iter().any(|skipped| name == *skipped) {
                collect(&path, extension, found)?;
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            let short = path.strip_prefix(root()).unwrap_or(&path);
            found.push(short.to_owned());
        }
    }
    Ok(())
}

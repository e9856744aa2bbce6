//! From a prefix to the files that its objects become, while it is being listed.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use futures_util::stream::{self, Stream, StreamExt as _};

use super::error::CopyError;
use super::partial::make_directory;
use super::space::{Claim, Ground, Space, SpaceError};
use super::tally::Tally;
use crate::store::{ListEntry, Listing, Object};

/// An object and the file it becomes.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) object: Object,
    pub(super) to: PathBuf,
    pub(super) size: u64,
    /// The room for it.
    pub(super) claim: Claim,
}

/// The listing's place in the stream.
struct Walk<'a> {
    object: Object,
    listing: Listing,
    to: PathBuf,
    ground: Ground,
    tally: &'a Tally,
    found: bool,
    folded: CaseFold,
}

/// Notices names that differ in case only, among the first of a prefix: of a million objects all
/// names would take more memory than their transfer.
#[derive(Default)]
struct CaseFold {
    seen: HashSet<u64>,
    warned: bool,
}

impl CaseFold {
    /// How many names are remembered, each by eight bytes.
    const MOST: usize = 20_000;

    fn insert(&mut self, object: &Object, name: &str) {
        if self.warned || self.seen.len() >= Self::MOST {
            return;
        }
        let mut hasher = DefaultHasher::new();
        name.to_lowercase().hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            self.warned = true;
            tracing::warn!(
                object = %object.reference().shown(),
                "another object of this prefix differs from it in case only: some file systems keep \
                 one of them"
            );
        }
    }
}

/// Makes the directory and gives what belongs in it. A key that can be no file is an error of its
/// own and does not hide its neighbours.
pub(super) fn expand(
    object: Object,
    to: PathBuf,
    tally: &Tally,
    space: &Space,
) -> impl Stream<Item = Result<Found, CopyError>> {
    let is_new = is_empty(&to);
    let begun = make_directory(&to).and_then(|()| Ok(object.list()?));
    let walk = begun.map(|listing| Walk {
        object,
        listing,
        ground: space.ground(&to, is_new),
        to,
        tally,
        found: false,
        folded: CaseFold::default(),
    });
    let pages = stream::unfold(Some(walk), |walk| async {
        match walk? {
            Ok(walk) => walk.page().await,
            Err(error) => Some((vec![Err(error)], None)),
        }
    });
    pages.flat_map(stream::iter)
}

/// Whether a directory holds nothing that could be replaced; what is missing does not.
fn is_empty(directory: &Path) -> bool {
    let first = std::fs::read_dir(directory).map(|mut entries| entries.next().is_none());
    first.unwrap_or_else(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// What a page brought, and how to go on.
type Page<'a> = (
    Vec<Result<Found, CopyError>>,
    Option<Result<Walk<'a>, CopyError>>,
);

impl<'a> Walk<'a> {
    async fn page(mut self) -> Option<Page<'a>> {
        let entries = match self.listing.next_page().await {
            Ok(Some(entries)) => entries,
            Ok(None) => {
                if !self.found {
                    self.tally.empty(self.object.reference());
                }
                return None;
            }
            Err(error) => return Some((vec![Err(error.into())], None)),
        };
        let mut found = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            match self.place(entry) {
                // Nothing of the page need be fetched to know that.
                Some(Err(CopyError::Space(error))) => {
                    let error = self.refused(error, &entries[index + 1..]);
                    return Some((vec![Err(error)], None));
                }
                Some(placed) => found.push(placed),
                None => {}
            }
        }
        self.found |= !found.is_empty();
        Some((found, Some(Ok(self))))
    }

    /// The file that an entry becomes; none for a directory's marker.
    fn place(&mut self, entry: &ListEntry) -> Option<Result<Found, CopyError>> {
        let prefix = self.listing.prefix();
        let relative = entry.key.strip_prefix(prefix).unwrap_or(&entry.key);
        if entry.size == 0 && (relative.is_empty() || relative.ends_with('/')) {
            return None;
        }
        let object = self.object.at_key(&entry.key);
        self.folded.insert(&object, relative);
        Some(match file_beneath(&self.to, relative) {
            Ok(to) => self.found(object, to, entry.size),
            Err(rule) => Err(CopyError::Name {
                object: object.reference().shown(),
                directory: self.to.clone(),
                rule,
            }),
        })
    }
}

impl Walk<'_> {
    /// Says of the page as a whole that it has no room; `rest` comes behind the file that had none.
    fn refused(&self, mut error: SpaceError, rest: &[ListEntry]) -> CopyError {
        let rest = rest.iter().map(|entry| entry.size).sum();
        error.planned = error.planned.map(|planned| planned.saturating_add(rest));
        error.path.clone_from(&self.to);
        error.into()
    }

    fn found(&self, object: Object, to: PathBuf, size: u64) -> Result<Found, CopyError> {
        // What is too large to be read anyway needs no room.
        object.check_size(size)?;
        self.tally.planned(Some(size));
        let claim = self.ground.claim(&to, Some(size))?;
        Ok(Found {
            object,
            to,
            size,
            claim,
        })
    }
}

/// `relative` beneath `directory`, if it stays there and names a file.
fn file_beneath(directory: &Path, relative: &str) -> Result<PathBuf, &'static str> {
    if relative.contains('\0') {
        return Err("its key holds a zero byte");
    }
    for part in relative.split('/') {
        match part {
            "" => return Err("its key has an empty component"),
            "." | ".." => return Err("its key has a component `.` or `..`"),
            _ => {}
        }
    }
    Ok(directory.join(relative))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_beneath_the_directory() {
        let beneath = |relative| file_beneath(Path::new("/in"), relative);
        assert_eq!(beneath("a/b c"), Ok(PathBuf::from("/in/a/b c")));
        assert_eq!(beneath("..."), Ok(PathBuf::from("/in/...")));
        for relative in [
            "", "..", "../x", "a/../b", "a//b", "/etc/x", "a/", "./a", "a\0b",
        ] {
            assert!(beneath(relative).is_err(), "{relative:?}");
        }
    }
}

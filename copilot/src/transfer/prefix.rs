//! From a prefix to the files that its objects become, while it is being listed.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use futures_util::stream::{self, Stream, StreamExt as _};

use super::error::CopyError;
use super::partial::make_directory;
use super::space::{Claim, Ground, Space, SpaceError};
use super::tally::Tally;
use crate::store::{Entry, Listing, Object};

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
    let is_new = !to.exists();
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
        let found = entries.iter().filter_map(|entry| self.place(entry));
        let mut found: Vec<_> = found.collect();
        if let Some(refused) = without_room(&mut found) {
            return Some((vec![Err(self.refused(refused, &entries))], None));
        }
        self.found |= !found.is_empty();
        Some((found, Some(Ok(self))))
    }

    /// The file that an entry becomes; none for a directory's marker.
    fn place(&mut self, entry: &Entry) -> Option<Result<Found, CopyError>> {
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

/// What says of the page's first file without room that there is none.
fn without_room(found: &mut Vec<Result<Found, CopyError>>) -> Option<SpaceError> {
    let is_it = |found: &Result<Found, _>| matches!(found, Err(CopyError::Space(_)));
    let first = found.iter().position(is_it)?;
    match found.swap_remove(first) {
        Err(CopyError::Space(error)) => Some(error),
        _ => None,
    }
}

impl Walk<'_> {
    /// Says it of the page as a whole, nothing of which need be fetched to know it.
    fn refused(&self, mut error: SpaceError, entries: &[Entry]) -> CopyError {
        let rest = entries.iter().skip_while(|entry| {
            let relative = entry.key.strip_prefix(self.listing.prefix());
            !error.path.ends_with(relative.unwrap_or(&entry.key))
        });
        let rest: u64 = rest.skip(1).map(|entry| entry.size).sum();
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

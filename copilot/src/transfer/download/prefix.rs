//! From a prefix to the files that its objects become, while it is listed.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use futures_util::stream::{self, Stream, StreamExt as _};

use super::partial::make_directory;
use crate::beneath::{GuardedDirectory, Place};
use crate::store::{ListEntry, ListingAhead, Object};
use crate::transfer::error::CopyError;
use crate::transfer::progress::Tally;
use crate::transfer::space::{Claim, Space, SpaceError, TargetDirectory};

/// An object and the file it becomes.
#[derive(Debug)]
pub(in crate::transfer) struct ListedObject {
    pub(in crate::transfer) object: Object,
    pub(in crate::transfer) to: Place,
    /// As the listing gives it, in bytes.
    pub(in crate::transfer) size: Option<u64>,
    /// The room for it.
    pub(in crate::transfer) claim: Claim,
}

/// A prefix whose listing has come so far.
struct Expansion<'a> {
    object: Object,
    listing: ListingAhead,
    /// The directory, held: its files are reached from here.
    to: Arc<GuardedDirectory>,
    target: TargetDirectory,
    tally: &'a Tally,
    found: bool,
    names: CaseCollisions,
}

/// Notices names that differ only in case, among the first names of a prefix: the names of a million
/// objects would take more memory than their transfer.
#[derive(Default)]
struct CaseCollisions {
    seen: HashSet<u64>,
    warned: bool,
}

impl CaseCollisions {
    /// How many names are remembered, with eight bytes each.
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
                "another object of this prefix differs from this one only in case: some file systems \
                 keep only one of them"
            );
        }
    }
}

/// Creates the directory and returns the objects for it. A key that cannot become a file is an error of
/// its own and does not hide its neighbours.
pub(in crate::transfer) fn expand<'a>(
    object: Object,
    to: &Place,
    tally: &'a Tally,
    space: &Space,
) -> impl Stream<Item = Result<ListedObject, CopyError>> + use<'a> {
    let is_new = is_empty(to);
    let begun = make_directory(to).and_then(|made| Ok((made, object.list()?.ahead())));
    let walk = begun.map(|(made, listing)| Expansion {
        object,
        listing,
        target: space.directory(to, is_new),
        to: made,
        tally,
        found: false,
        names: CaseCollisions::default(),
    });
    let pages = stream::unfold(Some(walk), |walk| async {
        match walk? {
            Ok(walk) => walk.page().await,
            Err(error) => Some((vec![Err(error)], None)),
        }
    });
    pages.flat_map(stream::iter)
}

/// Whether a directory is empty or missing, so that the download replaces nothing in it.
fn is_empty(place: &Place) -> bool {
    let mut is_empty = true;
    let seen = place.directory.entries(&place.path, &mut |_, _| {
        is_empty = false;
        false
    });
    is_empty
        && seen.map_or_else(
            |error| error.kind() == std::io::ErrorKind::NotFound,
            |()| true,
        )
}

/// The objects of a page, and the rest of the listing.
type ExpandedPage<'a> = (
    Vec<Result<ListedObject, CopyError>>,
    Option<Result<Expansion<'a>, CopyError>>,
);

impl<'a> Expansion<'a> {
    async fn page(mut self) -> Option<ExpandedPage<'a>> {
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
                // No object of the page is fetched: the page as a whole has no room.
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

    /// The file that an entry becomes, or `None` for the marker of a directory.
    fn place(&mut self, entry: &ListEntry) -> Option<Result<ListedObject, CopyError>> {
        let prefix = self.listing.prefix();
        let relative = entry.key.strip_prefix(prefix).unwrap_or(&entry.key);
        if entry.size == Some(0) && (relative.is_empty() || relative.ends_with('/')) {
            return None;
        }
        let object = self.object.at_key(&entry.key);
        self.names.insert(&object, relative);
        Some(match names_a_file(relative) {
            Ok(()) => self.found(object, Place::new(&self.to, relative), entry.size),
            Err(rule) => Err(CopyError::Name {
                object: object.reference().shown(),
                directory: self.to.path().to_owned(),
                rule,
            }),
        })
    }
}

impl Expansion<'_> {
    /// The error that the whole page has no room; `rest` follows the file that did not fit.
    fn refused(&self, mut error: SpaceError, rest: &[ListEntry]) -> CopyError {
        let rest = rest.iter().filter_map(|entry| entry.size).sum();
        error.planned = error.planned.map(|planned| planned.saturating_add(rest));
        self.to.path().clone_into(&mut error.path);
        error.into()
    }

    fn found(
        &self,
        object: Object,
        to: Place,
        size: Option<u64>,
    ) -> Result<ListedObject, CopyError> {
        // An object that is too large to read needs no room.
        object.check_size(size.unwrap_or_default())?;
        self.tally.planned(size);
        let claim = self.target.claim(&to, size)?;
        Ok(ListedObject {
            object,
            to,
            size,
            claim,
        })
    }
}

/// Whether `relative`, the rest of a key, stays beneath its directory and names a file there.
///
/// # Errors
/// The rule that it breaks.
pub fn names_a_file(relative: &str) -> Result<(), &'static str> {
    if relative.contains('\0') {
        return Err("its key contains a zero byte");
    }
    for part in relative.split('/') {
        match part {
            "" => return Err("its key has an empty component"),
            "." | ".." => return Err("its key has a component `.` or `..`"),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_beneath_the_directory() {
        for relative in ["a/b c", "..."] {
            assert_eq!(names_a_file(relative), Ok(()));
        }
        for relative in [
            "", "..", "../x", "a/../b", "a//b", "/etc/x", "a/", "./a", "a\0b",
        ] {
            assert!(names_a_file(relative).is_err(), "{relative:?}");
        }
    }
}

//! A listing that runs ahead of its reader: the next page is asked for while the objects of this one are
//! copied. To a store that is far away, a page takes as long as hundreds of small objects.

use std::fmt;

use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::Listing;
use crate::store::backend::ListEntry;
use crate::store::error::StoreError;

/// Pages that are requested or wait for their reader.
const AHEAD: usize = 1;

/// A page, and the prefix of its keys.
type Page = Result<(String, Vec<ListEntry>), StoreError>;

/// A listing whose next pages are on their way. Dropping it ends the listing.
pub struct ListingAhead {
    prefix: String,
    pages: mpsc::Receiver<Page>,
    _lister: AbortOnDropHandle<()>,
}

impl ListingAhead {
    pub(super) fn new(mut listing: Listing) -> Self {
        let prefix = listing.prefix().to_owned();
        let (sender, pages) = mpsc::channel(AHEAD);
        let lister = tokio::spawn(async move {
            // A page is requested when there is room for it, so that a reader that is slow holds two pages
            // at most. `reserve` fails when the reader has gone.
            while let Ok(room) = sender.reserve().await {
                let Some(page) = next(&mut listing).await else {
                    return;
                };
                let is_last = page.is_err();
                room.send(page);
                if is_last {
                    return;
                }
            }
        });
        Self {
            prefix,
            pages,
            _lister: AbortOnDropHandle::new(lister),
        }
    }

    /// What all keys of the last page begin with: empty, or ending in `/`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The next page; it may be empty although more follow. `None` at the end.
    ///
    /// # Errors
    /// Any [`StoreError`]; the listing then ends.
    pub async fn next_page(&mut self) -> Result<Option<Vec<ListEntry>>, StoreError> {
        match self.pages.recv().await {
            Some(Ok((prefix, page))) => {
                self.prefix = prefix;
                Ok(Some(page))
            }
            Some(Err(error)) => Err(error),
            None => Ok(None),
        }
    }
}

async fn next(listing: &mut Listing) -> Option<Page> {
    match listing.next_page().await {
        Ok(Some(page)) => Some(Ok((listing.prefix().to_owned(), page))),
        Ok(None) => None,
        Err(error) => Some(Err(error)),
    }
}

impl fmt::Debug for ListingAhead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ListingAhead")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

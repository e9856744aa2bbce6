//! The objects beneath a prefix, one page at a time.
//!
//! A page is fetched when it is asked for and nothing older is kept, so a prefix of a million objects
//! takes the memory of a thousand. Keys come as the store has them; whether one can become a file is
//! the caller's question.
//!
//! A reference may stand for two prefixes. The second one is listed if the first one has no objects.

mod ahead;

use std::fmt;

use futures_util::TryStreamExt as _;

pub use self::ahead::ListingAhead;

use super::backend::{ListEntry, Pages};
use super::error::StoreError;

/// A listing in progress.
pub struct Listing {
    prefix: String,
    pages: Pages,
    /// Whether an object has come.
    found: bool,
    /// The prefix to list if none comes.
    second: Option<(String, Pages)>,
}

impl Listing {
    pub(super) fn new(prefix: String, pages: Pages, second: Option<(String, Pages)>) -> Self {
        Self {
            prefix,
            pages,
            found: false,
            second,
        }
    }

    /// The same listing; its next page is asked for before the reader wants it. Needs a running tokio runtime.
    #[must_use]
    pub fn ahead(self) -> ListingAhead {
        ListingAhead::new(self)
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
        let mut first = None;
        loop {
            let page = self.pages.try_next().await;
            match page {
                Ok(Some(page)) => {
                    self.found |= !page.is_empty();
                    return Ok(Some(page));
                }
                Ok(None) if self.found || self.second.is_none() => return Ok(None),
                Ok(None) => {}
                Err(error) if error.is_absence() && !self.found && self.second.is_some() => {
                    first = Some((error, self.prefix.clone()));
                }
                Err(error) => {
                    return Err(match first {
                        Some((first, prefix)) => error.after(first, [&prefix, &self.prefix]),
                        None => error,
                    });
                }
            }
            if let Some((prefix, pages)) = self.second.take() {
                (self.prefix, self.pages) = (prefix, pages);
            }
        }
    }
}

impl fmt::Debug for Listing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Listing")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

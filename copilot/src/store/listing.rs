//! The objects beneath a prefix, one page at a time.
//!
//! A page is fetched when it is asked for and nothing older is kept, so a prefix of a million objects
//! takes the memory of a thousand. Keys come as the store has them; whether one can become a file is
//! the caller's question.

use std::fmt;

use futures_util::TryStreamExt as _;

use super::backend::{ListEntry, Pages};
use super::error::StoreError;

/// A listing in progress.
pub struct Listing {
    prefix: String,
    pages: Pages,
}

impl Listing {
    pub(super) fn new(prefix: String, pages: Pages) -> Self {
        Self { prefix, pages }
    }

    /// What all keys begin with: empty, or ending in `/`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The next page; it may be empty although more follow. `None` at the end.
    ///
    /// # Errors
    /// Any [`StoreError`]; the listing then ends.
    pub async fn next_page(&mut self) -> Result<Option<Vec<ListEntry>>, StoreError> {
        self.pages.try_next().await
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

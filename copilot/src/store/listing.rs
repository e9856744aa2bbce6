//! What lies beneath a prefix, one page at a time.
//!
//! A page is fetched when it is asked for and nothing older is kept, so a prefix of a million
//! objects takes the memory of a thousand. Keys come as the store has them; whether one can become
//! a file is the caller's question.

use super::error::StoreError;
use super::object::{Backend, Object};

/// An object that a listing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The whole key.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
}

/// A listing in progress.
#[derive(Debug)]
pub struct Listing {
    object: Object,
    prefix: String,
    next: Next,
}

#[derive(Debug)]
enum Next {
    /// The page after this token; the first one without.
    Page(Option<String>),
    /// The directories that are still to be read.
    Directories(Vec<String>),
    Nothing,
}

impl Listing {
    pub(super) fn new(object: Object) -> Self {
        // The boundary: `p` lists `p/…` and never `p2/…` (spec §8.16).
        let prefix = match object.key() {
            "" => String::new(),
            key => format!("{key}/"),
        };
        let next = match object.backend {
            Backend::Direct(_) => Next::Directories(vec![object.key().to_owned()]),
            _ => Next::Page(None),
        };
        Self {
            object,
            prefix,
            next,
        }
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
    pub async fn next_page(&mut self) -> Result<Option<Vec<Entry>>, StoreError> {
        match (
            std::mem::replace(&mut self.next, Next::Nothing),
            &self.object.backend,
        ) {
            (Next::Page(token), Backend::Bucket(bucket)) => {
                let place = self.object.place();
                let page = bucket.list(&self.prefix, token.as_deref(), &place).await?;
                if let Some(token) = page.next {
                    self.next = Next::Page(Some(token));
                }
                let entries = page.objects.into_iter().map(|object| Entry {
                    key: object.key,
                    size: object.size,
                });
                Ok(Some(entries.collect()))
            }
            (Next::Directories(mut stack), Backend::Direct(container)) => {
                let Some(path) = stack.pop() else {
                    return Ok(None);
                };
                let found = container
                    .entries(&path)
                    .map_err(|error| StoreError::of_io(&error, self.object.place(), "listing"))?;
                stack.extend(found.directories.into_iter().rev());
                self.next = Next::Directories(stack);
                let entries = found
                    .files
                    .into_iter()
                    .map(|(key, size)| Entry { key, size });
                Ok(Some(entries.collect()))
            }
            _ => Ok(None),
        }
    }
}

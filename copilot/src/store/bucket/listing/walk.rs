//! From page to page: where the next one begins, and which of its entries are new.
//!
//! Real stores list keys in order, so a key that comes twice follows itself, and a page that advances has
//! a key greater than all before. Keys out of order are known as far as memory is bounded: the first
//! 32,768 keys, and the pages after those. Beyond, such a key may come twice; the object is then fetched
//! twice, to the same end.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use object_store::client::HttpRequest;

use super::{Dialect, ListPage, ListingError, More};
use crate::store::backend::ListEntry;

/// Keys that are remembered, by eight bytes each.
const REMEMBERED: usize = 32_768;

/// Tokens that are remembered, by eight bytes each.
const TOKENS: usize = 4096;

/// Empty pages in a row. They are legal where a store passes over objects that it has deleted.
const EMPTY_PAGES: u32 = 256;

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store::bucket) enum PageStart {
    /// At the first key.
    First,
    /// At the first key, by S3's first version.
    FirstVersion,
    /// Where this token says.
    Token(String),
    /// After this key, by S3's second version.
    After(String),
    /// After this key, by S3's first version.
    Marker(String),
}

/// The listing of one prefix.
#[derive(Debug)]
pub(in crate::store::bucket) struct Walk {
    dialect: Dialect,
    prefix: String,
    /// The page to fetch; none at the end.
    next: Option<PageStart>,
    /// Whether the server turned out to have S3's first version only.
    is_first_version: bool,
    keys: SeenKeys,
    tokens: HashSet<u64>,
    empty_pages: u32,
}

impl Walk {
    /// The objects whose keys begin with `prefix`.
    pub(in crate::store::bucket) fn new(dialect: Dialect, prefix: String) -> Self {
        Self {
            dialect,
            prefix,
            next: Some(PageStart::First),
            is_first_version: false,
            keys: SeenKeys::default(),
            tokens: HashSet::new(),
            empty_pages: 0,
        }
    }

    /// What all keys begin with.
    pub(in crate::store::bucket) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The request for the next page, or none at the end.
    pub(in crate::store::bucket) fn request(&self, address: &str) -> Option<HttpRequest> {
        let next = self.next.as_ref()?;
        Some(self.dialect.request(address, &self.prefix, next))
    }

    /// Begins anew by S3's first version, if nothing has been listed yet and the store has two.
    pub(in crate::store::bucket) fn falls_back(&mut self) -> bool {
        let can = self.dialect == Dialect::S3 && self.next == Some(PageStart::First);
        if can {
            self.is_first_version = true;
            self.next = Some(PageStart::FirstVersion);
        }
        can
    }

    /// Takes the page that was asked for, and returns what is new in it.
    ///
    /// # Errors
    /// A page that cannot belong to a complete listing.
    pub(in crate::store::bucket) fn take(
        &mut self,
        page: ListPage,
    ) -> Result<Vec<ListEntry>, ListingError> {
        if let Some(found) = page
            .objects
            .iter()
            .find(|found| !found.key.starts_with(&self.prefix))
        {
            return Err(ListingError::Outside {
                key: found.key.clone(),
                prefix: self.prefix.clone(),
            });
        }
        let asked = self.next.take();
        let is_empty = page.objects.is_empty();
        let last = page.objects.last().map(|last| last.key.clone());
        let is_sorted = page.objects.is_sorted_by(|a, b| a.key <= b.key);
        let new = self.keys.new_of(page.objects);
        if page.more == More::No {
            return Ok(new);
        }
        if is_empty {
            self.empty_pages += 1;
            if self.empty_pages == EMPTY_PAGES {
                return Err(ListingError::EmptyPages(EMPTY_PAGES));
            }
        } else {
            self.empty_pages = 0;
        }
        self.next = Some(match (page.more, asked) {
            // The server does not know `start-after`; perhaps it has the first version only.
            (_, Some(PageStart::After(key))) if new.is_empty() && !is_empty => {
                self.is_first_version = true;
                PageStart::Marker(key)
            }
            _ if new.is_empty() && !is_empty => return Err(ListingError::NothingNew),
            (More::Token(token), _) => PageStart::Token(self.unused(token)?),
            (More::Marker(marker), _) => PageStart::Marker(self.unused(marker)?),
            (_, _) if !is_sorted => return Err(ListingError::NoToken),
            (More::Unnamed { is_first_version }, _) => {
                self.is_first_version |= is_first_version;
                self.after(last)?
            }
            (More::No, _) => return Ok(new),
        });
        Ok(new)
    }

    /// The page that begins after the last key of a page.
    fn after(&self, last: Option<String>) -> Result<PageStart, ListingError> {
        // Azure's markers are its own.
        let last = last.filter(|_| self.dialect == Dialect::S3);
        let key = last.ok_or(ListingError::NoToken)?;
        Ok(if self.is_first_version {
            PageStart::Marker(key)
        } else {
            PageStart::After(key)
        })
    }

    /// Refuses a token that was used before.
    fn unused(&mut self, token: String) -> Result<String, ListingError> {
        let hash = self.keys.hasher.hash_one(&token);
        let is_known = self.tokens.contains(&hash);
        if is_known {
            return Err(ListingError::SameToken);
        }
        if self.tokens.len() < TOKENS {
            self.tokens.insert(hash);
        }
        Ok(token)
    }
}

/// The keys of a listing so far, as much of them as bounded memory holds.
#[derive(Debug, Default)]
struct SeenKeys {
    hasher: RandomState,
    greatest: Option<String>,
    first: HashSet<u64>,
    /// Later pages that have no greater key, each by all of its keys.
    pages: HashSet<u64>,
}

impl SeenKeys {
    /// The entries of a page that have not come before.
    fn new_of(&mut self, mut page: Vec<ListEntry>) -> Vec<ListEntry> {
        let is_remembered = self.first.len() < REMEMBERED;
        let (before, mut all) = (self.greatest.clone(), 0);
        page.retain(|entry| {
            let hash = self.hasher.hash_one(&entry.key);
            all ^= hash;
            self.is_new(&entry.key, hash)
        });
        // Keys out of order, beyond those that are remembered: a page that comes again is known as such.
        if !is_remembered && self.greatest == before && !self.pages.insert(all) {
            page.clear();
        }
        page
    }

    fn is_new(&mut self, key: &str, hash: u64) -> bool {
        let is_known = if self.first.len() < REMEMBERED {
            !self.first.insert(hash)
        } else {
            self.first.contains(&hash)
        };
        match self.greatest.as_deref() {
            Some(greatest) if key == greatest => false,
            Some(greatest) if key < greatest => !is_known,
            // Greater than all before: new, whatever its hash is.
            _ => {
                self.greatest = Some(key.to_owned());
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries<T: AsRef<str>>(keys: &[T]) -> Vec<ListEntry> {
        let entry = |key: &T| ListEntry {
            key: key.as_ref().to_owned(),
            size: None,
        };
        keys.iter().map(entry).collect()
    }

    fn page<T: AsRef<str>>(keys: &[T], more: More) -> ListPage {
        ListPage {
            objects: entries(keys),
            more,
        }
    }

    fn token(token: &str) -> More {
        More::Token(token.to_owned())
    }

    const UNNAMED: More = More::Unnamed {
        is_first_version: false,
    };

    fn walk() -> Walk {
        Walk::new(Dialect::S3, "p/".to_owned())
    }

    fn new<T: AsRef<str>>(walk: &mut Walk, keys: &[T], more: More) -> Vec<String> {
        let new = walk.take(page(keys, more)).unwrap();
        new.into_iter().map(|entry| entry.key).collect()
    }

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let mut walk = walk();
        assert_eq!(new(&mut walk, &["p/a", "p/b"], token("1")), ["p/a", "p/b"]);
        assert_eq!(walk.next, Some(PageStart::Token("1".to_owned())));
        assert!(new(&mut walk, &[""; 0], token("2")).is_empty());
        assert_eq!(new(&mut walk, &["p/c"], UNNAMED), ["p/c"]);
        assert_eq!(walk.next, Some(PageStart::After("p/c".to_owned())));
        assert_eq!(new(&mut walk, &["p/d"], More::No), ["p/d"]);
        assert!(walk.request("http://h").is_none());
    }

    #[test]
    fn a_server_of_the_first_version_is_asked_by_markers() {
        let mut walk = walk();
        new(
            &mut walk,
            &["p/a"],
            More::Unnamed {
                is_first_version: true,
            },
        );
        assert_eq!(walk.next, Some(PageStart::Marker("p/a".to_owned())));
        new(&mut walk, &["p/b"], More::Marker("p/m".to_owned()));
        assert_eq!(walk.next, Some(PageStart::Marker("p/m".to_owned())));
        new(&mut walk, &["p/n"], UNNAMED);
        assert_eq!(walk.next, Some(PageStart::Marker("p/n".to_owned())));
    }

    /// Nothing but that tells that it has the first version only.
    #[test]
    fn a_server_that_ignores_start_after_is_asked_by_markers() {
        let mut walk = walk();
        new(&mut walk, &["p/a", "p/b"], UNNAMED);
        assert!(new(&mut walk, &["p/a", "p/b"], UNNAMED).is_empty());
        assert_eq!(walk.next, Some(PageStart::Marker("p/b".to_owned())));
        let refused = walk.take(page(&["p/a", "p/b"], UNNAMED));
        assert!(matches!(refused, Err(ListingError::NothingNew)));
    }

    #[test]
    fn a_server_that_refuses_the_second_version_is_asked_by_the_first() {
        let mut azure = Walk::new(Dialect::Azure, "p/".to_owned());
        let mut walk = walk();
        assert!(walk.falls_back() && !walk.falls_back() && !azure.falls_back());
        assert_eq!(walk.next, Some(PageStart::FirstVersion));
        new(&mut walk, &["p/a"], UNNAMED);
        assert_eq!(walk.next, Some(PageStart::Marker("p/a".to_owned())));
    }

    #[test]
    fn pages_that_do_not_advance_are_refused() {
        for (second, named) in [
            (page(&["p/b"], token("1")), "was used before"),
            (page(&["p/a"], token("2")), "no key that"),
            (
                page(&["p/a"], More::Marker("p/b".to_owned())),
                "no key that",
            ),
            (page(&["p/c", "p/b"], UNNAMED), "says where"),
            (page(&[""; 0], UNNAMED), "says where"),
            (
                page(&["q/a"], More::No),
                "\"q/a\" does not begin with \"p/\"",
            ),
        ] {
            let mut walk = walk();
            new(&mut walk, &["p/a"], token("1"));
            let refused = walk.take(second).unwrap_err().to_string();
            assert!(refused.contains(named), "{refused}");
        }
        let mut azure = Walk::new(Dialect::Azure, "p/".to_owned());
        let refused = azure.take(page(&["p/a"], UNNAMED));
        assert!(matches!(refused, Err(ListingError::NoToken)));
    }

    #[test]
    fn empty_pages_are_legal_but_not_without_end() {
        let mut walk = walk();
        let mut number = 0..;
        let mut empty = |walk: &mut Walk| {
            let number = number.next().unwrap_or_default();
            walk.take(page(&[""; 0], token(&format!("{number}"))))
        };
        for _ in 1..EMPTY_PAGES {
            empty(&mut walk).unwrap();
        }
        new(&mut walk, &["p/a"], token("a"));
        for _ in 1..EMPTY_PAGES {
            empty(&mut walk).unwrap();
        }
        assert!(matches!(empty(&mut walk), Err(ListingError::EmptyPages(_))));
    }

    #[test]
    fn a_key_that_comes_twice_is_one() {
        let mut walk = walk();
        assert_eq!(
            new(&mut walk, &["p/a", "p/a", "p/b"], token("1")),
            ["p/a", "p/b"]
        );
        assert_eq!(new(&mut walk, &["p/b", "p/c"], token("2")), ["p/c"]);
        assert_eq!(new(&mut walk, &["p/Z", "p/a"], token("3")), ["p/Z"]);
        assert!(new(&mut walk, &["p/b", "p/Z"], More::No).is_empty());
    }

    /// Memory for them is bounded.
    #[test]
    fn keys_out_of_order_are_all_listed_and_end() {
        let mut walk = walk();
        let count = 2 * REMEMBERED;
        // From the last to the first.
        let keys: Vec<String> = (0..count).rev().map(|key| format!("p/{key:08}")).collect();
        for (number, keys) in keys.chunks(1024).enumerate() {
            let found = new(&mut walk, keys, token(&format!("t{number}")));
            assert_eq!(found, keys);
        }
        assert!(walk.keys.first.len() <= REMEMBERED && walk.tokens.len() <= TOKENS);
        let again = walk.take(page(&keys[count - 1024..], token("again")));
        assert!(matches!(again, Err(ListingError::NothingNew)));
    }
}

//! The kind `mem`: a map in this process (spec §6.3), for tests and demonstrations.
//!
//! It ends with the process, so no other run of the program reads what this one writes; a warning says
//! so when it is opened. It has no limit: each object takes memory until the process ends. Caller:
//! `stores`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};

use super::backend::{Backend, Body, ListEntry, ObjectAddress, Pages, Part, PartsUpload};
use super::error::{Location, StoreError, StoreService};
use super::reference::Reference;
use super::version::Version;

/// The memory of this process, for messages.
static SERVICE: StoreService = StoreService {
    name: "memory",
    identity: "nothing, since memory needs no credentials",
};

/// One container.
#[derive(Debug)]
pub(super) struct InMemory {
    name: String,
    objects: Objects,
}

/// Objects by key, each with the number of its version.
type Objects = Arc<Mutex<BTreeMap<String, (Bytes, u64)>>>;

/// An upload in parts: pieces by their offsets.
#[derive(Debug)]
struct MemoryUpload {
    objects: Objects,
    key: String,
    pieces: Mutex<BTreeMap<u64, Bytes>>,
}

impl InMemory {
    /// An empty container.
    pub(super) fn new(name: &str) -> Self {
        tracing::warn!(
            container = name,
            "a store of the kind mem lives in the memory of this process: its objects end with it"
        );
        Self {
            name: name.to_owned(),
            objects: Objects::default(),
        }
    }

    fn find(&self, target: &ObjectAddress) -> Result<(Bytes, u64), StoreError> {
        let found = lock(&self.objects).get(&target.key).cloned();
        found.ok_or_else(|| {
            let message = "this process wrote no object of this key";
            StoreError::NotFound {
                location: self.location(&target.reference),
                cause: message.into(),
            }
        })
    }
}

#[async_trait]
impl Backend for InMemory {
    fn location(&self, reference: &Reference) -> Location {
        Location::new(reference, format!("{} in memory", self.name), &SERVICE)
    }

    async fn get(
        &self,
        target: &ObjectAddress,
        range: Option<Range<u64>>,
        _: Option<&Version>,
    ) -> Result<Body, StoreError> {
        let (data, number) = self.find(target)?;
        let size = data.len() as u64;
        let range = range.unwrap_or(0..size);
        let offset = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(data.len());
        let end = offset(range.end);
        let piece = data.slice(offset(range.start).min(end)..end);
        Ok(Body {
            version: Version::named(number.to_string(), size),
            start: range.start,
            end: Some(end as u64),
            ends_by_close: false,
            stream: stream::iter([Ok(piece)]).boxed(),
        })
    }

    async fn put(&self, target: &ObjectAddress, data: Bytes) -> Result<(), StoreError> {
        // A copy: what arrives may be a piece of a larger buffer, which it would keep.
        store(&self.objects, &target.key, Bytes::copy_from_slice(&data));
        Ok(())
    }

    async fn head(&self, target: &ObjectAddress) -> Result<(), StoreError> {
        self.find(target).map(|_| ())
    }

    async fn delete(&self, target: &ObjectAddress) -> Result<(), StoreError> {
        lock(&self.objects).remove(&target.key);
        Ok(())
    }

    async fn is_listed(&self, target: &ObjectAddress) -> Result<bool, StoreError> {
        Ok(lock(&self.objects).contains_key(&target.key))
    }

    /// One page.
    fn list(self: Arc<Self>, prefix: ObjectAddress) -> Result<Pages, StoreError> {
        let prefix = prefix.prefix();
        let objects = lock(&self.objects);
        let beneath = objects
            .range(prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&prefix));
        let page: Vec<_> = beneath
            .map(|(key, (data, _))| ListEntry {
                key: key.clone(),
                size: Some(data.len() as u64),
            })
            .collect();
        Ok(stream::iter([Ok(page)]).boxed())
    }

    async fn begin(
        self: Arc<Self>,
        target: ObjectAddress,
    ) -> Result<Box<dyn PartsUpload>, StoreError> {
        Ok(Box::new(MemoryUpload {
            objects: Arc::clone(&self.objects),
            key: target.key,
            pieces: Mutex::default(),
        }))
    }
}

#[async_trait]
impl PartsUpload for MemoryUpload {
    async fn part(&self, _: usize, offset: u64, data: Bytes) -> Result<Part, StoreError> {
        // A copy, as above.
        lock(&self.pieces).insert(offset, Bytes::copy_from_slice(&data));
        Ok(Part(None))
    }

    async fn complete(&self, _: Vec<Part>, _: u64) -> Result<(), StoreError> {
        let data: Vec<u8> = lock(&self.pieces).values().flatten().copied().collect();
        store(&self.objects, &self.key, data.into());
        Ok(())
    }

    async fn abort(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Makes `data` the next version of an object.
fn store(objects: &Objects, key: &str, data: Bytes) {
    let mut objects = lock(objects);
    let version = objects.get(key).map_or(0, |(_, version)| version + 1);
    objects.insert(key.to_owned(), (data, version));
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::stream::TryStreamExt as _;

    use super::*;

    fn at(key: &str) -> ObjectAddress {
        ObjectAddress {
            key: key.to_owned(),
            reference: Reference::parse("mem://c").unwrap().at_key(key),
        }
    }

    async fn read(memory: &InMemory, key: &str, range: Option<Range<u64>>) -> Vec<u8> {
        let body = memory.get(&at(key), range, None).await.unwrap();
        let pieces: Vec<Bytes> = body.stream.try_collect().await.unwrap();
        pieces.concat()
    }

    async fn version(memory: &InMemory, key: &str) -> Version {
        memory.get(&at(key), None, None).await.unwrap().version
    }

    async fn listed(memory: &Arc<InMemory>, prefix: &str) -> Vec<(String, Option<u64>)> {
        let pages = Arc::clone(memory).list(at(prefix)).unwrap();
        let pages: Vec<Vec<ListEntry>> = pages.try_collect().await.unwrap();
        let entries = pages.into_iter().flatten();
        entries.map(|entry| (entry.key, entry.size)).collect()
    }

    #[tokio::test]
    async fn objects_appear_whole_and_are_read_in_ranges() {
        let memory = Arc::new(InMemory::new("c"));
        let upload = Arc::clone(&memory).begin(at("a")).await.unwrap();
        upload.part(1, 6, "second".into()).await.unwrap();
        upload.part(0, 0, "first ".into()).await.unwrap();
        assert!(!memory.is_listed(&at("a")).await.unwrap());
        upload.complete(Vec::new(), 12).await.unwrap();
        assert_eq!(read(&memory, "a", None).await, b"first second");
        for (range, expected) in [(6..9, "sec"), (6..105, "second"), (99..100, "")] {
            let found = read(&memory, "a", Some(range.clone())).await;
            assert_eq!(found, expected.as_bytes(), "{range:?}");
        }
        let before = version(&memory, "a").await;
        memory.put(&at("a"), Bytes::new()).await.unwrap();
        assert_ne!(version(&memory, "a").await, before);
        memory.delete(&at("a")).await.unwrap();
        let missing = memory.head(&at("a")).await.unwrap_err();
        assert!(matches!(missing, StoreError::NotFound { .. }), "{missing}");
    }

    #[tokio::test]
    async fn a_prefix_ends_at_a_slash() {
        let memory = Arc::new(InMemory::new("c"));
        for key in ["p/a", "p/b/c", "p", "p2", "p.x", "o/a"] {
            let content = Bytes::copy_from_slice(key.as_bytes());
            memory.put(&at(key), content).await.unwrap();
        }
        let expected = [("p/a".to_owned(), Some(3)), ("p/b/c".to_owned(), Some(5))];
        assert_eq!(listed(&memory, "p").await, expected);
        assert_eq!(listed(&memory, "").await.len(), 6);
    }
}

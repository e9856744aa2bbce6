//! The kind `mem`: a map in this process (spec §6.3), for tests and demonstrations.
//!
//! It ends with the process, so what one run of the program writes no other can read; whoever opens
//! it is warned of that. There is no bound on it: an object in it is memory that is used for good.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};

use super::{Container, Entries, Reading, Unfinished};

/// One container.
#[derive(Debug)]
pub struct Memory {
    name: String,
    objects: Objects,
}

/// Objects by key, each with the number of its version.
type Objects = Arc<Mutex<BTreeMap<String, (Bytes, u64)>>>;

/// Pieces of an object by their offsets.
#[derive(Debug)]
struct Pieces {
    objects: Objects,
    key: String,
    written: Mutex<BTreeMap<u64, Bytes>>,
}

impl Memory {
    /// An empty container.
    pub fn new(name: &str) -> Self {
        tracing::warn!(
            container = name,
            "a store of the kind mem is in this process's memory: what is written there ends with it"
        );
        Self {
            name: name.to_owned(),
            objects: Objects::default(),
        }
    }

    fn find(&self, key: &str) -> io::Result<(Bytes, u64)> {
        let found = lock(&self.objects).get(key).cloned();
        found.ok_or_else(|| {
            let message = "nothing of this key was written by this process";
            io::Error::new(io::ErrorKind::NotFound, message)
        })
    }
}

impl Container for Memory {
    fn shown(&self) -> String {
        format!("{} in memory", self.name)
    }

    fn get(&self, key: &str, start: u64, length: Option<u64>) -> io::Result<Reading> {
        let (data, version) = self.find(key)?;
        let offset = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(data.len());
        let end = length.map_or(data.len(), |length| offset(start.saturating_add(length)));
        let piece = data.slice(offset(start).min(end)..end);
        Ok(Reading {
            size: data.len() as u64,
            etag: version.to_string(),
            stream: stream::iter([Ok(piece)]).boxed(),
        })
    }

    fn begin(&self, key: &str) -> io::Result<Box<dyn Unfinished>> {
        Ok(Box::new(Pieces {
            objects: Arc::clone(&self.objects),
            key: key.to_owned(),
            written: Mutex::default(),
        }))
    }

    fn look(&self, key: &str) -> io::Result<()> {
        self.find(key).map(|_| ())
    }

    fn has(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }

    fn delete(&self, key: &str) -> io::Result<()> {
        lock(&self.objects).remove(key);
        Ok(())
    }

    fn entries(&self, directory: &str) -> io::Result<Entries> {
        let prefix = match directory {
            "" => String::new(),
            directory => format!("{directory}/"),
        };
        let objects = lock(&self.objects);
        let beneath = objects
            .range(prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&prefix));
        let files = beneath.map(|(key, (data, _))| (key.clone(), data.len() as u64));
        Ok(Entries {
            files: files.collect(),
            directories: Vec::new(),
        })
    }
}

impl Unfinished for Pieces {
    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        lock(&self.written).insert(offset, Bytes::copy_from_slice(data));
        Ok(())
    }

    fn finish(&self) -> io::Result<()> {
        let data: Vec<u8> = lock(&self.written).values().flatten().copied().collect();
        let mut objects = lock(&self.objects);
        let version = objects.get(&self.key).map_or(0, |(_, version)| version + 1);
        objects.insert(self.key.clone(), (data.into(), version));
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(memory: &Memory, key: &str, start: u64, length: Option<u64>) -> Vec<u8> {
        use futures_util::FutureExt as _;
        let reading = memory.get(key, start, length).unwrap();
        let pieces = reading.stream.map(Result::unwrap).collect::<Vec<_>>();
        pieces.now_or_never().expect("nothing waits").concat()
    }

    #[test]
    fn objects_appear_whole_and_are_read_in_ranges() {
        let memory = Memory::new("c");
        let unfinished = memory.begin("a").unwrap();
        unfinished.write_at(b"second", 6).unwrap();
        unfinished.write_at(b"first ", 0).unwrap();
        assert!(!memory.has("a"));
        unfinished.finish().unwrap();
        assert_eq!(read(&memory, "a", 0, None), b"first second");
        for (start, length, expected) in [(6, 3, "sec"), (6, 99, "second"), (99, 1, "")] {
            assert_eq!(
                read(&memory, "a", start, Some(length)),
                expected.as_bytes(),
                "{start} {length}"
            );
        }
        let before = memory.get("a", 0, None).unwrap().etag;
        memory.put("a", b"").unwrap();
        assert_ne!(memory.get("a", 0, None).unwrap().etag, before);
        memory.delete("a").unwrap();
        let missing = memory.look("a").unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_prefix_ends_at_a_slash() {
        let memory = Memory::new("c");
        for key in ["p/a", "p/b/c", "p", "p2", "p.x", "o/a"] {
            memory.put(key, key.as_bytes()).unwrap();
        }
        let listed = memory.entries("p").unwrap();
        assert_eq!(
            listed.files,
            [("p/a".to_owned(), 3), ("p/b/c".to_owned(), 5)]
        );
        assert_eq!(memory.entries("").unwrap().files.len(), 6);
    }
}

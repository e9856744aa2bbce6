//! What went up before main's end, and what becomes of it afterwards.
//!
//! The plan that is made at main's end decides. What it names and has not changed since it was sent
//! is settled; what it does not name is deleted before the outputs are committed, since an object
//! beneath the prefix of a directory is a file of that directory to whoever reads it.

use std::collections::HashMap;
use std::path::Path;

use futures_util::stream::{self, StreamExt as _};
use tracing::{debug, info, warn};

use super::journal::Journal;
use super::stamp::Stamp;
use crate::store::{Reference, StoreError};
use crate::transfer::{Digests, Engine, Gradual, Opened, Stop, Stopped};
use crate::upload::directory::Directory;
use crate::upload::planned::RawPrefix;

/// Objects that are deleted at once.
const DELETIONS: usize = 16;

/// What is known of an object that we have tried to write.
#[derive(Debug)]
enum Entry {
    /// Something of it may be there.
    Tried,
    /// It is a file as it was.
    Sent(Sent),
    /// The same, and the plan of main's end names it.
    Wanted,
}

/// A file that went up.
#[derive(Debug)]
pub struct Sent {
    /// Its state before it was read.
    pub stamp: Stamp,
    /// Whether a file in the same state is of the same content.
    pub proves: bool,
    /// What was read.
    pub digests: Digests,
}

/// Objects and pieces that went up early.
#[derive(Debug, Default)]
pub struct Early {
    /// By the names below the raw prefix, joined by `/`.
    entries: HashMap<Box<str>, Entry>,
    /// Objects in the making, likewise.
    growing: HashMap<Box<str>, Gradual>,
    journal: Option<Journal>,
    /// Where all that is; nothing where nothing goes up early.
    raw: Option<RawPrefix>,
    /// Files of the final plan that were up and unchanged.
    settled: u64,
}

/// An object that belongs to no output and cannot be deleted.
#[derive(Debug)]
pub struct Leftover {
    /// Its name below the raw prefix.
    pub key: Box<str>,
    /// The object.
    pub object: Reference,
    /// Why it stays.
    pub cause: StoreError,
}

impl Early {
    /// Nothing yet, of what will go below this prefix.
    pub(super) fn below(raw: RawPrefix) -> Self {
        Self {
            raw: Some(raw),
            ..Self::default()
        }
    }

    /// Notes names in this journal from now on; an earlier life of this sidecar has tried these.
    pub(super) fn keep(&mut self, journal: Journal, tried: impl IntoIterator<Item = Box<str>>) {
        let before = self.len();
        for key in tried {
            self.entries.entry(key).or_insert(Entry::Tried);
        }
        if self.len() > before {
            info!(
                objects = self.len() - before,
                "an earlier life of this sidecar has sent objects while main ran"
            );
        }
        self.journal = Some(journal);
    }

    /// How many files of the final plan were up and unchanged at main's end.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.settled
    }

    /// How many objects were tried.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What is known of the file that went to this place.
    pub(super) fn sent(&self, key: &str) -> Option<&Sent> {
        match self.entries.get(key)? {
            Entry::Sent(sent) => Some(sent),
            Entry::Tried | Entry::Wanted => None,
        }
    }

    /// Whether something was tried there.
    pub(super) fn has_tried(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// What the object there is known to hold; from now on it is not known any more.
    pub(super) fn known(&mut self, key: &str) -> Option<Digests> {
        let entry = self.entries.get_mut(key)?;
        match std::mem::replace(entry, Entry::Tried) {
            Entry::Sent(sent) => Some(sent.digests),
            Entry::Tried | Entry::Wanted => None,
        }
    }

    /// Notes that something will be written there, where the next life will find it, too.
    ///
    /// # Errors
    /// That it cannot be noted; then it may not be written.
    pub(super) fn trying(&mut self, key: &str) -> std::io::Result<()> {
        if self.entries.contains_key(key) {
            return Ok(());
        }
        if let Some(journal) = &mut self.journal {
            journal.note(key)?;
        }
        self.entries.insert(key.into(), Entry::Tried);
        Ok(())
    }

    /// Notes how it went.
    pub(super) fn landed(&mut self, key: &str, sent: Option<Sent>) {
        let entry = sent.map_or(Entry::Tried, Entry::Sent);
        self.entries.insert(key.into(), entry);
    }

    /// Objects in the making.
    pub(super) fn growing(&mut self) -> &mut HashMap<Box<str>, Gradual> {
        &mut self.growing
    }

    /// Whether nothing is left to do for a file of the final plan. It may have to be read for that.
    pub(in crate::upload) async fn is_settled(
        &mut self,
        key: &str,
        path: &Path,
        directory: &Directory,
    ) -> bool {
        let Some(entry) = self.entries.get_mut(key) else {
            return false;
        };
        let Entry::Sent(sent) = std::mem::replace(entry, Entry::Wanted) else {
            return false;
        };
        let unchanged = is_unchanged(&sent, directory, path).await;
        debug!(key, unchanged, "sent while main ran");
        self.settled += u64::from(unchanged);
        unchanged
    }

    /// The object in the making for a file of the final plan, to be finished.
    pub(in crate::upload) fn take_growing(&mut self, key: &str) -> Option<Gradual> {
        self.growing.remove(key)
    }

    /// Deletes what the final plan did not name; gives what stays all the same.
    pub(in crate::upload) async fn clear(
        &mut self,
        engine: &Engine,
        stop: &Stop,
    ) -> Result<Vec<Leftover>, Stopped> {
        for (_, gradual) in self.growing.drain() {
            engine.give_up(gradual).await;
        }
        let Some(raw) = &self.raw else {
            return Ok(Vec::new());
        };
        let unwanted = |entry: &Entry| !matches!(entry, Entry::Wanted);
        let unwanted = self.entries.iter().filter(|(_, entry)| unwanted(entry));
        let unwanted: Vec<Box<str>> = unwanted.map(|(key, _)| key.clone()).collect();
        let leftovers = stream::iter(unwanted)
            .map(|key| delete(key, raw, engine))
            .buffer_unordered(DELETIONS)
            .filter_map(std::future::ready)
            .collect();
        stop.race(leftovers).await
    }

    /// Nothing of it will be outputs, unless it is wanted: deletes what can be deleted in the time
    /// given. What stays is logged.
    pub async fn withdraw(&mut self, engine: &Engine, stop: &Stop) {
        match self.clear(engine, stop).await {
            Ok(leftovers) => match leftovers.first() {
                None => self.forget(),
                Some(first) => warn!(
                    objects = leftovers.len(),
                    first = first.object.shown(),
                    cause = %first.cause,
                    "what went up while main ran stays in the store"
                ),
            },
            Err(stopped) => warn!(
                objects = self.len(), %stopped,
                "some of what went up while main ran stays in the store"
            ),
        }
    }

    /// Leaves the objects where they are, as of a run that may go on elsewhere, and says so.
    pub async fn leave(&mut self, engine: &Engine) {
        for (_, gradual) in self.growing.drain() {
            engine.give_up(gradual).await;
        }
        if self.len() > 0 {
            warn!(
                objects = self.len(),
                "what went up while main ran stays in the store, below --to-raw-output"
            );
        }
    }

    /// Nothing of it is wanted after all.
    pub fn unwant(&mut self) {
        for entry in self.entries.values_mut() {
            *entry = Entry::Tried;
        }
    }

    /// All is done: the next life need not know of this one.
    pub(in crate::upload) fn forget(&mut self) {
        self.entries.clear();
        if let Some(journal) = self.journal.take() {
            journal.remove();
        }
    }
}

/// Deletes an object; it is told if it stays.
async fn delete(key: Box<str>, raw: &RawPrefix, engine: &Engine) -> Option<Leftover> {
    let names: Vec<&str> = key.split('/').collect();
    // It had a reference when it was written.
    let object = raw.join(&names).ok()?;
    let deleted = match engine.stores().open(&object) {
        Ok(opened) => opened.delete().await,
        Err(error) => Err(error),
    };
    match deleted {
        Ok(()) => {
            info!(
                object = object.shown(),
                "deleted: it was sent while main ran and is no output"
            );
            None
        }
        Err(cause) => Some(Leftover { key, object, cause }),
    }
}

async fn is_unchanged(sent: &Sent, directory: &Directory, path: &Path) -> bool {
    let Ok(file) = directory.open_file(path) else {
        return false;
    };
    match Stamp::of_file(&file) {
        Ok(now) if now == sent.stamp && sent.proves => true,
        Ok(now) if now.size() == sent.digests.size() => {
            sent.digests.are_of(&file).await.unwrap_or(false)
        }
        _ => false,
    }
}

/// A file of the output directory, and its size.
pub fn open(directory: &Directory, path: &Path) -> std::io::Result<Opened> {
    let file = directory.open_file(path)?;
    let size = file.metadata()?.len();
    let name = directory.shown(path);
    Ok(Opened { name, file, size })
}

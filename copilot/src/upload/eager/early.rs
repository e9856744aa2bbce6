//! What went up before main's end, and what happens to it afterwards; and the journal of an upload at
//! main's end.
//!
//! The plan of main's end decides. A file that it names, and that has not changed since it was sent, is
//! settled. An object that it does not name is deleted before the outputs are committed: beneath the
//! prefix of a directory, readers would take it for a file of that directory.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use tracing::{debug, info, warn};

use super::journal::{Journal, JournalNotes, NAME};
use super::limit::NameCount;
use super::stamp::Stamp;
use super::takeover::{JournalEntry, UnfinishedUploads};
use crate::beneath::GuardedDirectory;
use crate::store::{Reference, StoreError};
use crate::transfer::{
    Digests, Engine, FileUploads, MultipartUpload, Stop, Stopped, Summary, UploadNotes,
};
use crate::upload::planned::RawPrefix;

/// Objects that are deleted at once.
const DELETIONS: usize = 16;

/// What is known of an object that we have tried to write.
#[derive(Debug)]
enum EarlyObject {
    /// It may exist, with any content.
    Tried,
    /// It holds a file in the state that it had.
    Sent(Sent),
    /// The plan of main's end names it.
    Wanted,
}

/// A file that went up.
#[derive(Debug)]
pub struct Sent {
    /// Its state before it was read.
    pub stamp: Stamp,
    /// Whether a file in the same state has the same content.
    pub proves: bool,
    /// Digests of what was read and sent.
    pub digests: Digests,
}

/// Objects and parts that went up early.
#[derive(Debug, Default)]
pub struct Early {
    /// By the names below the raw prefix, joined by `/`.
    entries: HashMap<Box<str>, EarlyObject>,
    /// How many names those are.
    count: NameCount,
    /// Multipart uploads that have begun, by the same names.
    begun: HashMap<Box<str>, MultipartUpload>,
    journal: Option<Arc<Journal>>,
    /// Whether an earlier life has left its journal.
    follows: bool,
    /// The prefix of all these names; `None` where nothing goes up early.
    raw: Option<RawPrefix>,
    /// Files of the final plan that were up and unchanged.
    settled: u64,
    /// What went up before main's end.
    summary: Summary,
}

/// An object that no output names and that cannot be deleted.
#[derive(Debug)]
pub struct Leftover {
    /// Its name below the raw prefix.
    pub key: Box<str>,
    /// The object that stays.
    pub object: Reference,
    /// Why it stays.
    pub cause: StoreError,
}

impl Early {
    /// Nothing yet; names are below this prefix.
    pub(super) fn below(raw: RawPrefix) -> Self {
        Self {
            raw: Some(raw),
            ..Self::default()
        }
    }

    /// Notes names in this journal from now on, and takes over what earlier lives have noted there. Returns
    /// the uploads that they left; none if the journal is opened again, and has uploads of this life as well.
    pub(super) fn keep(
        &mut self,
        journal: Journal,
        mut noted: JournalNotes,
    ) -> Option<UnfinishedUploads> {
        let (is_first, before) = (self.journal.is_none(), self.len());
        for key in std::mem::take(&mut noted.keys) {
            if !self.entries.contains_key(&key) && self.count.add(key.len()) {
                self.entries.insert(key, EarlyObject::Tried);
            }
        }
        if self.len() > before {
            info!(
                objects = self.len() - before,
                "an earlier life of this sidecar has sent objects while main ran"
            );
        }
        self.follows |= is_first && noted.lives > 0;
        let journal = &*self.journal.insert(Arc::new(journal));
        let raw = self.raw.as_ref().filter(|_| is_first)?;
        UnfinishedUploads::noted(noted, raw, journal)
    }

    /// Opens the journal for an upload at main's end, if it is not open, and aborts what earlier lives left
    /// unfinished. Without a journal the upload goes on: then nothing that it leaves can be found.
    pub(in crate::upload) async fn take_over(
        &mut self,
        directory: &Arc<GuardedDirectory>,
        raw: &RawPrefix,
        engine: &Engine,
        stop: &Stop,
    ) -> Result<(), Stopped> {
        if self.journal.is_some() {
            return Ok(());
        }
        self.raw.get_or_insert_with(|| raw.clone());
        let unfinished = match Journal::open(directory) {
            Ok((journal, noted)) => self.keep(journal, noted),
            Err(error) => {
                info!(
                    %error,
                    "{NAME} cannot be written in the output directory: if this sidecar is killed, an \
                     unfinished multipart upload stays in the store"
                );
                None
            }
        };
        match unfinished {
            Some(left) => {
                stop.race(left.abort(&FileUploads::new(engine.clone())))
                    .await
            }
            None => Ok(()),
        }
    }

    /// Whether an earlier life in the same directory has begun to upload and has not committed.
    pub(in crate::upload) fn follows(&self) -> bool {
        self.follows
    }

    /// Where multipart uploads to the object of this name are noted, if they can be noted at all.
    /// `is_needed`: an upload that cannot be noted must not begin.
    pub(in crate::upload) fn notes(
        &self,
        key: &str,
        is_needed: bool,
    ) -> Option<Arc<dyn UploadNotes>> {
        let journal = self.journal.clone()?;
        let key = key.into();
        Some(Arc::new(JournalEntry {
            journal,
            key,
            is_needed,
        }))
    }

    /// Main has ended, and this went up before.
    pub(super) fn close(&mut self, summary: Summary) {
        self.summary = summary;
    }

    /// What went up before main's end.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The number of files of the final plan that were up and unchanged at main's end.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.settled
    }

    /// The number of objects that were tried.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What is known of the file that became the object of this name.
    pub(super) fn sent(&self, key: &str) -> Option<&Sent> {
        match self.entries.get(key)? {
            EarlyObject::Sent(sent) => Some(sent),
            EarlyObject::Tried | EarlyObject::Wanted => None,
        }
    }

    /// Whether an object of this name may go up: it was tried before, or is not one too many.
    pub(super) fn has_room_for(&self, key: &str) -> bool {
        self.entries.contains_key(key) || self.count.fits(key.len())
    }

    /// What the object of this name holds, if that is known. The caller overwrites the object, so it is
    /// not known from now on.
    pub(super) fn known(&mut self, key: &str) -> Option<Digests> {
        let entry = self.entries.get_mut(key)?;
        match std::mem::replace(entry, EarlyObject::Tried) {
            EarlyObject::Sent(sent) => Some(sent.digests),
            EarlyObject::Tried | EarlyObject::Wanted => None,
        }
    }

    /// Notes that an object of this name will be written, where the next life finds the note.
    ///
    /// # Errors
    /// That the name cannot be noted. Then the object must not be written.
    pub(super) fn trying(&mut self, key: &str) -> std::io::Result<()> {
        if self.entries.contains_key(key) {
            return Ok(());
        }
        if !self.count.add(key.len()) {
            return Err(std::io::Error::other("too many names"));
        }
        if let Some(journal) = &self.journal {
            journal.note(key)?;
        }
        self.entries.insert(key.into(), EarlyObject::Tried);
        Ok(())
    }

    /// Notes what was sent, or that sending failed.
    pub(super) fn landed(&mut self, key: &str, sent: Option<Sent>) {
        let entry = sent.map_or(EarlyObject::Tried, EarlyObject::Sent);
        self.entries.insert(key.into(), entry);
    }

    /// Multipart uploads that have begun.
    pub(super) fn begun(&mut self) -> &mut HashMap<Box<str>, MultipartUpload> {
        &mut self.begun
    }

    /// Whether a file of the final plan is up and unchanged. Reads the file where its state proves
    /// nothing.
    pub(in crate::upload) async fn is_settled(
        &mut self,
        key: &str,
        path: &Path,
        directory: &GuardedDirectory,
    ) -> bool {
        let Some(entry) = self.entries.get_mut(key) else {
            return false;
        };
        let EarlyObject::Sent(sent) = std::mem::replace(entry, EarlyObject::Wanted) else {
            return false;
        };
        let unchanged = is_unchanged(&sent, directory, path).await;
        debug!(key, unchanged, "sent while main ran");
        self.settled += u64::from(unchanged);
        unchanged
    }

    /// The multipart upload that has begun for a file of the final plan.
    pub(in crate::upload) fn take_begun(&mut self, key: &str) -> Option<MultipartUpload> {
        self.begun.remove(key)
    }

    /// Deletes what the final plan does not name, and returns the objects that cannot be deleted.
    pub(in crate::upload) async fn clear(
        &mut self,
        engine: &Engine,
        stop: &Stop,
    ) -> Result<Vec<Leftover>, Stopped> {
        self.abort_begun().await;
        let Some(raw) = &self.raw else {
            return Ok(Vec::new());
        };
        let unwanted = |entry: &EarlyObject| !matches!(entry, EarlyObject::Wanted);
        let unwanted = self.entries.iter().filter(|(_, entry)| unwanted(entry));
        let unwanted: Vec<Box<str>> = unwanted.map(|(key, _)| key.clone()).collect();
        let leftovers = stream::iter(unwanted)
            .map(|key| delete(key, raw, engine))
            .buffer_unordered(DELETIONS)
            .filter_map(std::future::ready)
            .collect();
        stop.race(leftovers).await
    }

    /// The run has no outputs: deletes what it can in the time given, and logs what stays.
    pub async fn withdraw(&mut self, engine: &Engine, stop: &Stop) {
        match self.clear(engine, stop).await {
            Ok(leftovers) => match leftovers.first() {
                // The next life aborts what is still unfinished.
                None if self.journal.as_ref().is_some_and(|it| it.is_needed()) => {
                    self.entries.clear();
                }
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

    async fn abort_begun(&mut self) {
        let begun = self.begun.drain().map(|(_, upload)| upload.abort());
        stream::iter(begun)
            .for_each_concurrent(DELETIONS, |aborted| aborted)
            .await;
    }

    /// Leaves the objects where they are, since another run may use them, and logs that.
    pub async fn leave(&mut self) {
        self.abort_begun().await;
        if self.len() > 0 {
            warn!(
                objects = self.len(),
                "what went up while main ran stays in the store, below --to-raw-output"
            );
        }
    }

    /// The plan of main's end does not count: no object is wanted.
    pub fn unwant(&mut self) {
        for entry in self.entries.values_mut() {
            *entry = EarlyObject::Tried;
        }
    }

    /// The upload has failed. The journal stays only if the next life needs it, to abort what is unfinished.
    pub(in crate::upload) fn abandon(&mut self) {
        if self.journal.as_ref().is_some_and(|it| !it.is_needed()) {
            self.forget();
        }
    }

    /// Everything is done: the next life needs no journal.
    pub fn forget(&mut self) {
        self.entries.clear();
        self.count = NameCount::default();
        if let Some(journal) = self.journal.take() {
            journal.remove();
        }
    }
}

/// Deletes an object, or returns why it stays.
async fn delete(key: Box<str>, raw: &RawPrefix, engine: &Engine) -> Option<Leftover> {
    let names: Vec<&str> = key.split('/').collect();
    // A name that makes no reference was never written.
    let object = raw.join(&names).ok()?;
    let deleted = match engine.stores().open(&object) {
        Ok(opened) => opened.delete().await,
        Err(error) => Err(error),
    };
    match deleted {
        Ok(()) => {
            info!(
                object = object.shown(),
                "deleted: it went up while main ran, and no output names it"
            );
            None
        }
        Err(cause) => Some(Leftover { key, object, cause }),
    }
}

async fn is_unchanged(sent: &Sent, directory: &GuardedDirectory, path: &Path) -> bool {
    let Ok(file) = directory.open_file(path) else {
        return false;
    };
    match Stamp::from_file(&file) {
        Ok(now) if now == sent.stamp && sent.proves => true,
        Ok(now) if now.size() == sent.digests.size() => {
            sent.digests.match_file(&file).await.unwrap_or(false)
        }
        _ => false,
    }
}

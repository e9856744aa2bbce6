//! What the lives before this one left unfinished, and the notes that this one makes of its uploads.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tracing::{debug, warn};

use super::journal::{self, Journal, JournalNotes, NAME};
use crate::store::Reference;
use crate::transfer::{CopyError, FileUploads, UploadNotes};
use crate::upload::planned::RawPrefix;

/// Requests at once.
const AT_ONCE: usize = 8;

/// Multipart uploads that earlier lives have begun and not ended.
#[derive(Debug)]
pub struct UnfinishedUploads {
    noted: JournalNotes,
    raw: RawPrefix,
    journal: Arc<Journal>,
}

impl UnfinishedUploads {
    /// Those that a journal names; `None` if there are none.
    pub(super) fn noted(
        noted: JournalNotes,
        raw: &RawPrefix,
        journal: &Arc<Journal>,
    ) -> Option<Self> {
        let is_clean = noted.uploads.is_empty() && noted.beginnings.is_empty();
        let (raw, journal) = (raw.clone(), Arc::clone(journal));
        (!is_clean).then_some(Self {
            noted,
            raw,
            journal,
        })
    }

    /// Aborts them: nobody knows what their parts hold. Uploads whose ids no life could note are found by
    /// the store's list. This life must not have begun one: the list does not tell whose an upload is.
    pub async fn abort(self, uploads: &FileUploads) {
        let known = stream::iter(&self.noted.uploads);
        known
            .for_each_concurrent(AT_ONCE, |(id, key)| self.abort_one(uploads, id, key))
            .await;
        let (now, unknown) = (journal::now(), stream::iter(&self.noted.beginnings));
        unknown
            .for_each_concurrent(AT_ONCE, |(key, &begins)| {
                self.abort_listed(uploads, key, now, begins)
            })
            .await;
    }

    async fn abort_one(&self, uploads: &FileUploads, id: &str, key: &str) {
        if let Some(object) = self.object(key)
            && !uploads.abort(&object, id).await
        {
            self.journal.keep();
        }
    }

    /// Aborts the uploads to one object that began since `begins`, in milliseconds since boot.
    async fn abort_listed(&self, uploads: &FileUploads, key: &str, now: u64, begins: u64) {
        let Some(age) = now.checked_sub(begins) else {
            warn!(
                key,
                "an unfinished multipart upload may remain in the store: {NAME} says that it begins in the \
                 future. The node was started again, or main has written that"
            );
            return;
        };
        let age = Duration::from_millis(age);
        let has_id = self.noted.uploads.values().any(|noted| **noted == *key);
        if let Some(object) = self.object(key)
            && !uploads.abort_recent(&object, age, !has_id).await
        {
            self.journal.keep();
        }
    }

    /// The object of this name. A name that makes no reference was never written.
    fn object(&self, key: &str) -> Option<Reference> {
        let names: Vec<&str> = key.split('/').collect();
        self.raw.join(&names).ok()
    }
}

/// Notes of the multipart uploads to the object of one name.
#[derive(Debug)]
pub(super) struct JournalEntry {
    pub(super) journal: Arc<Journal>,
    pub(super) key: Box<str>,
    /// Whether an upload that cannot be noted must not begin: so while main runs. At main's end the
    /// outputs are worth more than the parts that a killed sidecar would leave.
    pub(super) is_needed: bool,
}

impl JournalEntry {
    fn written(&self, outcome: std::io::Result<()>) -> Result<(), CopyError> {
        match outcome {
            Err(source) if self.is_needed => {
                let path = NAME.into();
                Err(CopyError::Write { path, source })
            }
            Err(error) => {
                warn!(
                    key = self.key,
                    %error,
                    "{NAME} cannot be written: if this sidecar is killed, an unfinished multipart upload \
                     stays in the store"
                );
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

impl UploadNotes for JournalEntry {
    fn begins(&self) -> Result<(), CopyError> {
        let noted = self.written(self.journal.note_beginning(&self.key));
        if noted.is_err() {
            let _ = self.journal.note_end(None);
        }
        noted
    }

    fn begun(&self, id: &str) -> Result<(), CopyError> {
        self.written(self.journal.note_upload(&self.key, id))
    }

    fn ended(&self, id: Option<&str>) {
        if let Err(error) = self.journal.note_end(id) {
            debug!(%error, "the end of an upload cannot be noted");
        }
    }
}

//! Uploads of single files, outside of a plan: while main runs, and nobody knows yet what it leaves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::digest::Digests;
use super::multipart::{MultipartUpload, may_remain, no_answer};
use super::source::OpenFile;
use super::{CLEAN_UP, FileUpload};
use crate::store::{Reference, StoreError};
use crate::transfer::engine::Engine;
use crate::transfer::error::CopyError;
use crate::transfer::progress::{Meter, Reached, Summary, Tally};
use crate::transfer::stop::Stop;

/// Uploads single files, within the limits of an engine, and counts what they move. Cheap to clone;
/// clones count together.
#[derive(Clone, Debug)]
pub struct FileUploads {
    engine: Engine,
    tally: Arc<Tally>,
    begun: Instant,
    /// Retries of the stores before.
    retries_before: u64,
}

impl FileUploads {
    /// Uploads through this engine; nothing is counted yet.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        let retries_before = engine.stores().repeated();
        Self {
            engine,
            tally: Arc::default(),
            begun: Instant::now(),
            retries_before,
        }
    }

    /// The engine whose limits count.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The size up to which a file goes in one request, and of the parts of a larger file.
    #[must_use]
    pub fn part_size(&self) -> u64 {
        self.engine.limits.part_size
    }

    /// Copies a file to an object, and returns digests of what was sent.
    ///
    /// # Errors
    /// Any [`CopyError`]. Nothing new of the object is visible then.
    pub async fn send(
        &self,
        file: &OpenFile,
        to: &Reference,
        stop: &Stop,
    ) -> Result<Digests, CopyError> {
        let object = self.engine.stores().open(to)?;
        self.tally.planned(None);
        self.upload(stop).send(file, &object).await
    }

    /// Begins a multipart upload for a file that has this many bytes or will have more.
    ///
    /// # Errors
    /// Any [`CopyError`].
    pub async fn begin(
        &self,
        file: &OpenFile,
        to: &Reference,
        stop: &Stop,
    ) -> Result<MultipartUpload, CopyError> {
        let object = self.engine.stores().open(to)?;
        MultipartUpload::begin(self.upload(stop), file, &object).await
    }

    /// Sends the whole parts within the first `until` bytes that were not sent before.
    ///
    /// # Errors
    /// Any [`CopyError`]. The upload keeps what was sent, up to the first part that was not.
    pub async fn send_until(
        &self,
        upload: &mut MultipartUpload,
        file: &OpenFile,
        until: u64,
        stop: &Stop,
    ) -> Result<(), CopyError> {
        upload.send_until(self.upload(stop), file, until).await
    }

    /// Makes the object of the file as it is now, and returns digests of all that it holds.
    ///
    /// # Errors
    /// Any [`CopyError`]; the upload is then aborted.
    pub async fn finish(
        &self,
        upload: MultipartUpload,
        file: &OpenFile,
        stop: &Stop,
    ) -> Result<Digests, CopyError> {
        self.tally.planned(None);
        let digests = upload.finish(self.upload(stop), file).await?;
        self.tally.finished();
        Ok(digests)
    }

    /// Aborts a multipart upload of another process, by its id. An upload that has ended is fine. If the
    /// store may keep parts of it, a warning says so, and this returns `false`.
    pub async fn abort(&self, to: &Reference, id: &str) -> bool {
        let aborted = async { self.engine.stores().open(to)?.abort_upload(id).await };
        let reason = match tokio::time::timeout(CLEAN_UP, aborted).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(_) => no_answer(),
        };
        may_remain(to, &reason);
        false
    }

    /// Aborts the multipart uploads to an object that another process began within the last `age` and did
    /// not end: it was killed, and their ids may not be known. `is_unknown`: it has noted no
    /// id. If
    /// the store may then keep parts of one, a warning says so, and this returns `false`.
    pub async fn abort_recent(&self, to: &Reference, age: Duration, is_unknown: bool) -> bool {
        let aborted = async {
            let object = self.engine.stores().open(to)?;
            object.abort_recent_uploads(age).await
        };
        let object = to.shown();
        let reason = match tokio::time::timeout(CLEAN_UP, aborted).await {
            Ok(Ok(count)) => {
                tracing::debug!(object, count, "aborted uploads of an earlier life");
                return true;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => no_answer(),
        };
        if !is_unknown {
            // Only a second attempt to begin it can have begun another one.
            tracing::debug!(object, reason, "unfinished uploads cannot be listed");
            return true;
        }
        may_remain(to, &reason);
        false
    }

    /// Whether an object exists. Needs the right to read it.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn exists(&self, object: &Reference) -> Result<bool, StoreError> {
        self.engine.stores().open(object)?.exists().await
    }

    /// What was moved so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.tally.summary(&self.reached(), self.begun.elapsed())
    }

    /// Shows progress from now on, whenever [`show`](Self::show) is called at the time that is
    /// [due](Meter::due).
    #[must_use]
    pub fn meter(&self) -> Meter {
        Meter::new(self.engine.display(), self.reached().bytes)
    }

    /// Shows how far the uploads have come.
    pub fn show(&self, meter: &mut Meter) {
        meter.show(&self.reached());
    }

    fn reached(&self) -> Reached {
        self.engine.reached(&self.tally, self.retries_before)
    }

    fn upload<'a>(&'a self, stop: &'a Stop) -> FileUpload<'a> {
        FileUpload {
            digests: true,
            ..self.engine.upload(&self.tally, stop)
        }
    }
}

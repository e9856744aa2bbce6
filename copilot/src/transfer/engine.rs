//! Runs copies: many at once, within the limits, until all are done or one has failed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::TryFutureExt as _;
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};

use super::compare;
use super::copy::{Copy, LocalFile, PlannedCopy};
use super::download::{ListedObject, ObjectDownload, expand};
use super::error::{CopyError, CopyFailure, TransferError};
use super::memory::{MemoryBudget, TransferLimits, WriteBack};
use super::progress::{self, Display, Reached, Summary, Tally};
use super::small::{self, Withdrawn};
use super::space::{Claim, Space};
use super::stop::{Stop, Stopped};
use super::upload::{FileUpload, MultipartUpload, OpenFile};
use crate::beneath::Place;
use crate::store::{Object, Reference, Stores};

/// Moves bytes between files and `stores` within `limits`. Everything happens on the caller's task.
#[derive(Clone, Debug)]
pub struct Engine {
    stores: Arc<Stores>,
    pub(super) limits: TransferLimits,
    budget: MemoryBudget,
    space: Space,
    write_back: WriteBack,
    display: Display,
}

/// A copy whose store is open.
enum OpenCopy {
    Download {
        from: Object,
        to: Place,
        size: Option<u64>,
        claim: Claim,
    },
    Upload {
        from: LocalFile,
        to: Object,
        resume: Option<Box<MultipartUpload>>,
    },
}

impl Engine {
    /// An engine over these stores.
    #[must_use]
    pub fn new(stores: Arc<Stores>, limits: TransferLimits) -> Self {
        Self {
            stores,
            limits,
            budget: MemoryBudget::new(limits.memory),
            space: Space::new(None),
            write_back: WriteBack::default(),
            display: Display::default(),
        }
    }

    /// The same engine; its downloads write at most this many bytes in all.
    #[must_use]
    pub fn writing_at_most(self, bytes: Option<u64>) -> Self {
        Self {
            space: Space::new(bytes),
            ..self
        }
    }

    /// The same engine; it shows its progress there.
    #[must_use]
    pub fn showing(self, display: Display) -> Self {
        Self { display, ..self }
    }

    /// The stores it moves bytes to and from.
    #[must_use]
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    pub(super) fn display(&self) -> Display {
        self.display
    }

    /// Runs the copies as they come. The engine asks for a copy when it can run it, so a plan may be
    /// larger than memory.
    ///
    /// The first failure stops the rest; what failed by then is reported together. However the run ends,
    /// it leaves no half-written file and no unfinished upload of a copy that it asked for.
    ///
    /// # Errors
    /// What failed, or that the run was stopped.
    pub async fn run<C: Into<PlannedCopy>>(
        &self,
        copies: impl Stream<Item = C> + Send,
        stop: &Stop,
    ) -> Result<Summary, TransferError> {
        let tally = Tally::default();
        let (begun, before) = (Instant::now(), self.stores.repeated());
        let reached = || self.reached(&tally, before);
        let summary = || tally.summary(&reached(), begun.elapsed());
        let work = self.run_counted(copies, stop, &tally);
        let outcome = progress::beside(self.display, reached, work).await;
        match outcome {
            Ok(()) => Ok(summary()),
            Err(error) => Err(error.after(summary())),
        }
    }

    /// How far the copies that `tally` counts have come; `retries_before` is the stores' count when they
    /// began.
    pub(super) fn reached(&self, tally: &Tally, retries_before: u64) -> Reached {
        let counted = tally.reached();
        Reached {
            retries: counted.retries + self.stores.repeated() - retries_before,
            peak: self.budget.peak(),
            ..counted
        }
    }

    async fn run_counted<C: Into<PlannedCopy>>(
        &self,
        copies: impl Stream<Item = C> + Send,
        stop: &Stop,
        tally: &Tally,
    ) -> Result<(), RunFailure> {
        let halt = stop.child();
        let cut = AtomicBool::new(false);
        let halted = async {
            halt.reached().await;
            cut.store(true, Ordering::Relaxed);
        };
        let jobs = copies
            .flat_map(|copy| {
                let PlannedCopy { label, copy } = copy.into();
                // All objects beneath a prefix have the prefix's label.
                let opened = self.open(copy, tally);
                opened.map(move |opened| (label.clone(), opened))
            })
            .take_until(Box::pin(halted));
        let outcomes = jobs
            .map(|(label, opened)| {
                self.perform(opened, tally, &halt)
                    .map_err(|error| CopyFailure { label, error })
            })
            .buffer_unordered(self.limits.objects);
        let mut outcomes = std::pin::pin!(outcomes);

        let mut failures = Vec::new();
        let mut failed = 0;
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                Ok(()) => {}
                Err(CopyFailure {
                    error: CopyError::Stopped(_),
                    ..
                }) => cut.store(true, Ordering::Relaxed),
                Err(failure) => {
                    failed += 1;
                    if failures.len() < TransferError::KEPT {
                        failures.push(failure);
                    }
                    halt.cancel();
                }
            }
        }
        if failed == 0 && !cut.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(RunFailure {
            stopped: stopped(stop).filter(|_| cut.load(Ordering::Relaxed)),
            failures,
            failed,
        })
    }

    /// Opens what a copy consists of: itself, or one copy for each object beneath its prefix.
    fn open<'a>(
        &'a self,
        copy: Copy,
        tally: &'a Tally,
    ) -> BoxStream<'a, Result<OpenCopy, CopyError>> {
        let opened = match copy {
            Copy::Download { from, to, size } => self.download(&from, to, size, tally),
            Copy::Upload { from, to, resume } => {
                tally.planned(None);
                // An upload that has begun has an open store, and must be aborted if this copy fails.
                let opened = match &resume {
                    Some(upload) => Ok(upload.object().clone()),
                    None => self.stores.open(&to).map_err(CopyError::from),
                };
                opened.map(|to| OpenCopy::Upload { from, to, resume })
            }
            Copy::DownloadPrefix { from, to } => match self.stores.open(&from) {
                Ok(object) => {
                    let found = expand(object, &to, tally, &self.space);
                    return found.map(|found| found.map(OpenCopy::from)).boxed();
                }
                Err(error) => Err(error.into()),
            },
        };
        stream::iter([opened]).boxed()
    }

    fn download(
        &self,
        from: &Reference,
        to: Place,
        size: Option<u64>,
        tally: &Tally,
    ) -> Result<OpenCopy, CopyError> {
        let from = self.stores.open(from)?;
        tally.planned(size);
        let claim = self.space.claim(&to, size)?;
        Ok(OpenCopy::Download {
            from,
            to,
            size,
            claim,
        })
    }

    async fn perform(
        &self,
        opened: Result<OpenCopy, CopyError>,
        tally: &Tally,
        stop: &Stop,
    ) -> Result<(), CopyError> {
        match opened? {
            OpenCopy::Download {
                from,
                to,
                size,
                claim,
            } => {
                let download = ObjectDownload {
                    limits: &self.limits,
                    budget: &self.budget,
                    write_back: &self.write_back,
                    tally,
                    retry: &self.stores.network().retry,
                };
                stop.race(download.run(&from, &to, size, claim)).await?
            }
            // Not raced as a whole: an upload cleans up when it is stopped.
            OpenCopy::Upload { from, to, resume } => {
                let upload = self.upload(tally, stop);
                upload.run(from, &to, resume.map(|upload| *upload)).await
            }
        }
    }

    /// An upload within this engine's limits.
    pub(super) fn upload<'a>(&'a self, tally: &'a Tally, stop: &'a Stop) -> FileUpload<'a> {
        FileUpload {
            limits: &self.limits,
            budget: &self.budget,
            tally,
            stop,
            digests: false,
        }
    }

    /// Reads a whole object of at most `limit` bytes.
    ///
    /// # Errors
    /// Any [`StoreError`](crate::store::StoreError), for example that the object is too large; or that
    /// the read was stopped.
    pub async fn read(
        &self,
        from: &Reference,
        limit: u64,
        stop: &Stop,
    ) -> Result<Bytes, CopyError> {
        small::read(&self.stores, from, limit, stop).await
    }

    /// Writes a whole object.
    ///
    /// # Errors
    /// Any [`StoreError`](crate::store::StoreError), or that the write was stopped.
    pub async fn write(&self, to: &Reference, data: Bytes, stop: &Stop) -> Result<(), CopyError> {
        small::write(&self.stores, to, data, stop).await
    }

    /// Removes objects of an earlier run that a reader would take for the outcome of this one. Looks
    /// first: usually they do not exist, and then a role that may not delete is enough.
    ///
    /// Returns whether one was there. Where a store neither says whether an object exists nor deletes it, a
    /// warning says so.
    ///
    /// # Errors
    /// That an object exists and cannot be deleted, or that the removal was stopped.
    pub async fn remove_stale(
        &self,
        objects: &[Reference],
        stop: &Stop,
    ) -> Result<bool, CopyError> {
        small::remove_stale(&self.stores, objects, stop).await
    }

    /// Deletes the commit of an earlier run, whose data will be overwritten: a reader must not follow it to
    /// data of two runs. Looks first, as [`remove_stale`](Self::remove_stale) does.
    ///
    /// # Errors
    /// That the reference is not one, or that the work was stopped.
    pub async fn withdraw(&self, commit: &Reference, stop: &Stop) -> Result<Withdrawn, CopyError> {
        small::withdraw(&self.stores, commit, stop).await
    }

    /// Whether an object holds exactly the bytes of a file. Reads both.
    ///
    /// # Errors
    /// That one of them cannot be read, or that the work was stopped.
    pub async fn is_same(
        &self,
        to: &Reference,
        from: LocalFile,
        stop: &Stop,
    ) -> Result<bool, CopyError> {
        let object = self.stores.open(to)?;
        let file = OpenFile::open(from)?;
        compare::is_same(&object, &file, &self.stores.network().retry, stop).await
    }

    /// Whether an object of exactly this key exists.
    ///
    /// # Errors
    /// Any [`StoreError`](crate::store::StoreError), or that the look was stopped.
    pub async fn is_object(&self, reference: &Reference, stop: &Stop) -> Result<bool, CopyError> {
        Ok(self.listed_key(reference, stop).await?.is_some())
    }

    /// The key of the object at exactly this reference, if a listing has it: a reference may stand for two
    /// keys.
    ///
    /// # Errors
    /// Any [`StoreError`](crate::store::StoreError), or that the look was stopped.
    pub async fn listed_key(
        &self,
        reference: &Reference,
        stop: &Stop,
    ) -> Result<Option<String>, CopyError> {
        small::listed_key(&self.stores, reference, stop).await
    }

    /// The same by a look at the object, which needs the right to read it.
    ///
    /// # Errors
    /// Any [`StoreError`](crate::store::StoreError), or that the look was stopped.
    pub async fn key(
        &self,
        reference: &Reference,
        stop: &Stop,
    ) -> Result<Option<String>, CopyError> {
        small::key(&self.stores, reference, stop).await
    }
}

impl From<ListedObject> for OpenCopy {
    fn from(found: ListedObject) -> Self {
        Self::Download {
            from: found.object,
            to: found.to,
            size: found.size,
            claim: found.claim,
        }
    }
}

/// How a run ended before everything was copied.
struct RunFailure {
    failures: Vec<CopyFailure>,
    failed: u64,
    stopped: Option<Stopped>,
}

impl RunFailure {
    /// The error, with what was copied nevertheless.
    fn after(self, summary: Summary) -> TransferError {
        let (objects, bytes, retries) = (summary.objects, summary.bytes, summary.retries);
        tracing::info!(objects, bytes, retries, "the transfer ended early");
        TransferError {
            failures: self.failures,
            failed: self.failed,
            stopped: self.stopped,
            summary: Box::new(summary),
        }
    }
}

/// Whether it is time to stop already.
fn stopped(stop: &Stop) -> Option<Stopped> {
    use futures_util::FutureExt as _;
    stop.reached().now_or_never()
}

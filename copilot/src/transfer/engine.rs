//! Runs copies: many at once, within the limits, until all are done or one has failed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures_util::TryFutureExt as _;
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};

use super::budget::Budget;
use super::copy::{Copy, Labelled, LocalFile};
use super::download::Download;
use super::error::{CopyError, CopyFailure, TransferError};
use super::limits::Limits;
use super::prefix::{Found, expand};
use super::progress::{self, Display, Reached};
use super::space::{Claim, Space};
use super::stop::{Stop, Stopped};
use super::tally::{Summary, Tally};
use super::upload::Upload;
use super::write_back::WriteBack;
use crate::store::{Object, Reference, Stores};

/// Moves bytes between files and `stores` within `limits`. Everything happens on the caller's task.
#[derive(Clone, Debug)]
pub struct Engine {
    stores: Arc<Stores>,
    pub(super) limits: Limits,
    pub(super) budget: Budget,
    space: Space,
    write_back: WriteBack,
    display: Display,
}

/// A copy whose store is open.
enum Job {
    Download {
        from: Object,
        to: PathBuf,
        size: Option<u64>,
        claim: Claim,
    },
    Upload {
        from: LocalFile,
        to: Object,
    },
}

impl Engine {
    /// An engine over these stores.
    #[must_use]
    pub fn new(stores: Arc<Stores>, limits: Limits) -> Self {
        Self {
            stores,
            limits,
            budget: Budget::new(limits.memory),
            space: Space::new(None),
            write_back: WriteBack::default(),
            display: Display::default(),
        }
    }

    /// The same, and its downloads write at most so many bytes in all.
    #[must_use]
    pub fn writing_at_most(self, bytes: Option<u64>) -> Self {
        Self {
            space: Space::new(bytes),
            ..self
        }
    }

    /// The same, and its progress is shown there.
    #[must_use]
    pub fn showing(self, display: Display) -> Self {
        Self { display, ..self }
    }

    /// The stores it moves bytes to and from.
    #[must_use]
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Runs the copies as they come. A copy is asked for when there is room for it, so a plan may be
    /// longer than memory.
    ///
    /// The first failure stops the rest; what failed by then is reported together. However it ends, no
    /// half-written file and no unfinished upload is left behind.
    ///
    /// # Errors
    /// What failed, or that it was stopped.
    pub async fn run<C: Into<Labelled>>(
        &self,
        copies: impl Stream<Item = C> + Send,
        stop: &Stop,
    ) -> Result<Summary, TransferError> {
        let tally = Tally::default();
        let (begun, before) = (Instant::now(), self.stores.repeated());
        let reached = || {
            let counted = tally.reached();
            Reached {
                retries: counted.retries + self.stores.repeated() - before,
                peak: self.budget.peak(),
                ..counted
            }
        };
        let summary = || tally.summary(&reached(), begun.elapsed());
        let work = self.run_counted(copies, stop, &tally);
        let outcome = progress::beside(self.display, reached, work).await;
        match outcome {
            Ok(()) => Ok(summary()),
            Err(error) => Err(error.after(summary())),
        }
    }

    async fn run_counted<C: Into<Labelled>>(
        &self,
        copies: impl Stream<Item = C> + Send,
        stop: &Stop,
        tally: &Tally,
    ) -> Result<(), Unfinished> {
        let halt = stop.child();
        let cut = AtomicBool::new(false);
        let halted = async {
            halt.reached().await;
            cut.store(true, Ordering::Relaxed);
        };
        let jobs = copies
            .flat_map(|copy| {
                let Labelled { label, copy } = copy.into();
                // All that a prefix holds is for the same thing.
                self.jobs(copy, tally).map(move |job| (label.clone(), job))
            })
            .take_until(Box::pin(halted));
        let outcomes = jobs
            .map(|(label, job)| {
                self.perform(job, tally, &halt)
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
        Err(Unfinished {
            stopped: stopped(stop).filter(|_| cut.load(Ordering::Relaxed)),
            failures,
            failed,
        })
    }

    /// What a copy consists of: itself, or one for each object beneath its prefix.
    fn jobs<'a>(&'a self, copy: Copy, tally: &'a Tally) -> BoxStream<'a, Result<Job, CopyError>> {
        let job = match copy {
            Copy::Download { from, to, size } => self.download(&from, to, size, tally),
            Copy::Upload { from, to } => {
                tally.planned(None);
                let opened = self.stores.open(&to).map_err(CopyError::from);
                opened.map(|to| Job::Upload { from, to })
            }
            Copy::DownloadPrefix { from, to } => match self.stores.open(&from) {
                Ok(object) => {
                    let found = expand(object, to, tally, &self.space);
                    return found.map(|found| found.map(Job::from)).boxed();
                }
                Err(error) => Err(error.into()),
            },
        };
        stream::iter([job]).boxed()
    }

    fn download(
        &self,
        from: &Reference,
        to: PathBuf,
        size: Option<u64>,
        tally: &Tally,
    ) -> Result<Job, CopyError> {
        let from = self.stores.open(from)?;
        tally.planned(size);
        let claim = self.space.claim(&to, size)?;
        Ok(Job::Download {
            from,
            to,
            size,
            claim,
        })
    }

    async fn perform(
        &self,
        job: Result<Job, CopyError>,
        tally: &Tally,
        stop: &Stop,
    ) -> Result<(), CopyError> {
        let (limits, budget) = (&self.limits, &self.budget);
        match job? {
            Job::Download {
                from,
                to,
                size,
                claim,
            } => {
                let download = Download {
                    limits,
                    budget,
                    write_back: &self.write_back,
                    tally,
                    retry: &self.stores.network().retry,
                };
                stop.race(download.run(&from, &to, size, claim)).await?
            }
            // Not raced as a whole: it has something to clean up when it is stopped.
            Job::Upload { from, to } => {
                let upload = Upload {
                    limits,
                    budget,
                    tally,
                    stop,
                };
                upload.run(from, &to).await
            }
        }
    }
}

impl From<Found> for Job {
    fn from(found: Found) -> Self {
        Self::Download {
            from: found.object,
            to: found.to,
            size: Some(found.size),
            claim: found.claim,
        }
    }
}

/// How a run ended before everything was copied.
struct Unfinished {
    failures: Vec<CopyFailure>,
    failed: u64,
    stopped: Option<Stopped>,
}

impl Unfinished {
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

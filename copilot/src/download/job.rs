//! A download as a job: with a deadline, and until a signal stops it.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{DownloadError, DownloadRequest, lay_out};
use crate::report::{Failure, Timeline};
use crate::termination::Termination;
use crate::transfer::{Engine, Stop};

/// Downloads all inputs before main starts. A signal stops the download, and nothing half-written stays.
///
/// # Errors
/// Why the inputs are not complete.
pub async fn run(
    request: &DownloadRequest,
    engine: &Engine,
    termination: &mut Termination,
    timeline: &mut Timeline,
) -> Result<(), Failure> {
    let (cancel, stop) = limits(request.timeout);
    let job = lay_out(request, engine, &stop, timeline);
    let summary = unless_stopped(job, termination, &cancel).await?;
    timeline.note_transfer(
        summary.objects,
        summary.bytes,
        summary.retries,
        summary.elapsed,
    );
    Ok(())
}

/// What stops a download: a cancelled token, or the deadline.
pub(super) fn limits(timeout: Option<Duration>) -> (CancellationToken, Stop) {
    let cancel = CancellationToken::new();
    let deadline = timeout.map(|allowed| Instant::now() + allowed);
    let stop = Stop::new(cancel.clone(), deadline);
    (cancel, stop)
}

/// The outcome of a download that a signal cancels.
pub(super) async fn unless_stopped<T>(
    job: impl Future<Output = Result<T, DownloadError>>,
    termination: &mut Termination,
    cancel: &CancellationToken,
) -> Result<T, Failure> {
    let mut job = std::pin::pin!(job);
    let outcome = tokio::select! {
        outcome = &mut job => outcome,
        () = termination.received() => {
            // The job ends by itself and leaves no half-written file.
            cancel.cancel();
            job.await
        }
    };
    outcome.map_err(|error| {
        if cancel.is_cancelled() {
            Failure::from_download(format_args!(
                "stopped by SIGTERM or SIGINT before the inputs were complete: {error}"
            ))
        } else {
            failure_of(&error)
        }
    })
}

/// What the platform learns about a failed download.
pub(super) fn failure_of(error: &DownloadError) -> Failure {
    Failure::from_download(error).caused_by(error.store_error())
}

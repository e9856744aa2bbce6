//! A download that goes on while main runs, as a native sidecar.
//!
//! Kubelet starts main once `copilot ready` succeeds, and starts us again whenever we end before main. So
//! the job stays until main's end, whether the data arrived or not, and stops fetching when main has
//! ended. `data` lays out the files. Never here: error documents and exit codes, which the caller's
//! `conclude` handles. Caller: `command`.

mod data;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use self::data::{Streaming, mark_failed};
use super::job::{failure_of, limits, unless_stopped};
use super::{DownloadError, DownloadRequest, input_directory};
use crate::beneath::{GuardedDirectory, SharedDirectory};
use crate::report::{Failure, Timeline};
use crate::store::Reference;
use crate::termination::Termination;
use crate::track::attach as attach_watchers;
use crate::track::source::kube::ApiOptions;
use crate::track::{AttachError, Polling, TrackOptions, Until, Watch, Watcher, readiness};
use crate::transfer::{Engine, Stop};

/// How long to wait for main's end after SIGTERM: a native sidecar gets SIGTERM after main's end.
const TERM_WAIT: Duration = Duration::from_secs(10);

/// The object that exists once main has succeeded. A downloader does not get the uploader's
/// `--meta-output-name`, and no platform changes it.
const OUTPUTS: &str = "outputs.pb";

/// A download that watches main, and holds the input directory as it was before main could start.
pub struct Attached {
    watch: Watch,
    directory: Result<Arc<GuardedDirectory>, DownloadError>,
}

impl Attached {
    /// The watch.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }
}

/// Downloads while main runs. A failure before main may start ends the job at once, as it ends an init
/// container: kubelet tries again. `conclude` reports the outcome; after a later failure it is called
/// while main still runs.
pub async fn run<C>(
    request: &DownloadRequest,
    attached: Attached,
    engine: &Engine,
    termination: &mut Termination,
    timeline: &mut Timeline,
    conclude: impl AsyncFn(Result<(), Failure>) -> C,
) -> C {
    let Attached {
        mut watch,
        directory,
    } = attached;
    let directory = match directory {
        Ok(directory) => directory,
        Err(error) => return conclude(Err(failure_of(&error))).await,
    };
    let (cancel, stop) = limits(request.timeout);
    let begun = Streaming::begin(request, Arc::clone(&directory), engine, &stop, timeline);
    let streaming = match unless_stopped(begun, termination, &cancel).await {
        Ok(streaming) => streaming,
        Err(failure) => return failed(&directory, failure, &conclude).await,
    };
    if let Err(error) = readiness::announce() {
        warn!(%error, "`copilot ready` will not see that main may start");
    }
    let nothing = || None;
    let mut over = pin!(watch.until_over(&nothing, termination));
    let outcome = {
        let mut job = pin!(streaming.finish(engine, &stop, timeline));
        tokio::select! {
            outcome = &mut job => outcome,
            _ = &mut over => {
                cancel.cancel();
                // The job ends by itself and leaves no half-written file.
                if job.await.is_err() {
                    info!("main has ended and did not wait for all inputs: the rest is not fetched");
                }
                return conclude(Ok(())).await;
            }
        }
    };
    let conclusion = match outcome {
        Ok(summary) => {
            timeline.note_transfer(
                summary.objects,
                summary.bytes,
                summary.retries,
                summary.elapsed,
            );
            conclude(Ok(())).await
        }
        Err(error) => {
            let failure = failure_of(&error);
            warn!(
                reason = failure.message,
                "not all inputs could be fetched: staying until main's end all the same"
            );
            if are_outputs_committed(request, engine).await {
                info!("the outputs are committed: main did not need the rest of its inputs");
                conclude(Ok(())).await
            } else {
                failed(&directory, failure, &conclude).await
            }
        }
    };
    // The plan may be large, and main may run for long.
    drop(streaming);
    over.await;
    timeline.mark("main_over");
    conclusion
}

/// Whether main has succeeded without our noticing: SIGTERM comes a moment after the uploader's commit. An
/// error document beside the outputs would turn the success into a failure.
async fn are_outputs_committed(request: &DownloadRequest, engine: &Engine) -> bool {
    let prefix = Reference::prefix(&request.to_output_prefix);
    let Ok(outputs) = prefix.and_then(|prefix| prefix.join(&[OUTPUTS])) else {
        return false;
    };
    let stop = Stop::for_a_look();
    let found = engine.is_object(&outputs, &stop).await;
    found.unwrap_or_else(|error| {
        warn!(%error, "the store does not say whether the outputs are committed: assuming that they are not");
        false
    })
}

/// Tells main, and then the platform.
async fn failed<C>(
    directory: &Arc<GuardedDirectory>,
    failure: Failure,
    conclude: &impl AsyncFn(Result<(), Failure>) -> C,
) -> C {
    if let Err(error) = mark_failed(directory, &failure.message) {
        warn!(%error, "main cannot be told that its inputs will not arrive");
    }
    conclude(Err(failure)).await
}

/// Attaches a watcher of main, which shares the input directory with us. This comes before the data: main may start
/// as soon as the metadata files are in place.
///
/// # Errors
/// That main cannot be watched.
pub async fn attach(request: &DownloadRequest) -> Result<Attached, AttachError> {
    let shared = SharedDirectory::at(&request.to_local_dir);
    // Only an existing directory can be a mount.
    let directory = input_directory(&shared);
    let options = TrackOptions {
        watchers: vec![Watcher::Auto],
        until: Until::End,
        polling: Polling::default(),
        main_container: None,
        ignore_containers: Vec::new(),
        pod_cgroup: None,
        proc_root: None,
        api: ApiOptions::default(),
        // Until SIGTERM: the uploader reports a main that does not start.
        main_start_timeout: None,
        term_wait: TERM_WAIT,
        // Processes that main left behind need no inputs.
        settle: Duration::ZERO,
    };
    let watch = attach_watchers(&options, Some(&shared)).await?;
    Ok(Attached { watch, directory })
}

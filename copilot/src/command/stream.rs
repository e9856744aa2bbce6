//! A download that goes on while main runs, as a native sidecar: kubelet lets main start once
//! `copilot ready` succeeds, and starts us again whenever we end before main. So we stay until its
//! end, whether the data came or not. What main did not wait for is not fetched any more.

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::conclude::{Conclusion, Ended};
use super::{failure_of, session, unless_stopped};
use crate::download::{DownloadRequest, Streaming, mark_failed};
use crate::report::{Failure, Timeline};
use crate::store::Reference;
use crate::termination::Termination;
use crate::track::source::kube::ApiOptions;
use crate::track::{AttachError, Polling, TrackOptions, Until, Watch, Watcher, attach, readiness};
use crate::transfer::{Engine, Stop, make_directory};

/// How long main's end is waited for after a SIGTERM, which a native sidecar gets after it.
const TERM_WAIT: Duration = Duration::from_secs(10);

/// The object whose presence says that main has succeeded; the uploader's `--meta-output-name` is not
/// told to a downloader, and no platform changes it.
const OUTPUTS: &str = "outputs.pb";

/// Time for a look at it, whatever deadline the data had.
const FOR_A_LOOK: Duration = Duration::from_secs(30);

/// Carries out a streaming download. A failure before main may start ends it at once, as it ends an
/// init container: kubelet tries again.
pub(super) async fn run(
    request: &DownloadRequest,
    engine: &Engine,
    ended: &Ended<'_>,
    termination: &mut Termination,
    timeline: &mut Timeline,
) -> Result<Conclusion, AttachError> {
    // Before the data: from when on main may start.
    let mut watching = watch(&request.to_local_dir).await?;
    let cancel = CancellationToken::new();
    let stop = Stop::new(cancel.clone(), session::deadline(request.timeout));
    let begun = Streaming::begin(request, engine, &stop, timeline);
    let streaming = match unless_stopped(begun, termination, &cancel).await {
        Ok(streaming) => streaming,
        Err(failure) => return Ok(failed(request, engine, ended, &failure).await),
    };
    if let Err(error) = readiness::announce() {
        warn!(%error, "`copilot ready` will not see that main may start");
    }
    let nothing = || None;
    let mut over = pin!(watching.until_over(&nothing, termination));
    let outcome = {
        let mut job = pin!(streaming.finish(engine, &stop, timeline));
        tokio::select! {
            outcome = &mut job => outcome,
            _ = &mut over => {
                cancel.cancel();
                // It ends by itself and leaves no half file.
                if job.await.is_err() {
                    info!("main is over and has not waited for all inputs: the rest is not fetched");
                }
                return Ok(ended.concluded(engine, Ok(())).await);
            }
        }
    };
    let conclusion = match outcome {
        Ok(summary) => {
            timeline.note("objects", summary.objects);
            timeline.note("bytes", summary.bytes);
            ended.concluded(engine, Ok(())).await
        }
        Err(error) => {
            let failure = failure_of(&error);
            warn!(
                reason = failure.message,
                "not all inputs could be fetched: staying until main's end all the same"
            );
            if are_outputs_committed(request, engine).await {
                info!("the outputs are committed: main has not waited for the rest, nor will it");
                ended.concluded(engine, Ok(())).await
            } else {
                failed(request, engine, ended, &failure).await
            }
        }
    };
    // What was planned may be large, and the stay is long.
    drop(streaming);
    over.await;
    timeline.mark("main_over");
    Ok(conclusion)
}

/// Whether main has succeeded already and we have not noticed: SIGTERM comes a moment after the
/// uploader's commit. An error document beside the outputs would turn them into a failure.
async fn are_outputs_committed(request: &DownloadRequest, engine: &Engine) -> bool {
    let prefix = Reference::parse(&request.to_output_prefix);
    let Ok(outputs) = prefix.and_then(|prefix| prefix.join(&[OUTPUTS])) else {
        return false;
    };
    let stop = Stop::after(Some(FOR_A_LOOK));
    let found = engine.is_object(&outputs, &stop).await;
    found.unwrap_or_else(|error| {
        warn!(%error, "whether outputs are committed cannot be told: taken for no");
        false
    })
}

/// Tells main, and the platform.
async fn failed(
    request: &DownloadRequest,
    engine: &Engine,
    ended: &Ended<'_>,
    failure: &Failure,
) -> Conclusion {
    if let Err(error) = mark_failed(request, &failure.message) {
        warn!(%error, "main cannot be told that its inputs will not come");
    }
    ended.failed(engine, failure).await
}

/// Attaches a watcher of main, who shares the input directory with us.
async fn watch(inputs: &Path) -> Result<Watch, AttachError> {
    let options = TrackOptions {
        watchers: vec![Watcher::Auto],
        until: Until::End,
        polling: Polling::default(),
        main_container: None,
        ignore_containers: Vec::new(),
        pod_cgroup: None,
        proc_root: None,
        api: ApiOptions::default(),
        // Until SIGTERM: whether main comes is the uploader's affair.
        main_start_timeout: None,
        term_wait: TERM_WAIT,
        // What main left running may wait for inputs no longer.
        settle: Duration::ZERO,
    };
    // Only what is there can be somebody's mount. The download makes it again, and says what is wrong.
    let _ = make_directory(inputs);
    attach(&options, Some(inputs)).await
}

//! The sidecar: waits for main's end, then uploads what it left.
//!
//! Watch (`track`), judge ([`verdict`]), upload (`upload`). Nothing of this may end early: kubelet
//! starts a native sidecar again whenever it ends while main runs. So even what is known to fail
//! from the start, or has nothing to upload, waits for main's end. Never here: flags, writing error
//! documents, exit codes. Called by the edge.

mod evidence;
mod outcome;
mod request;
mod verdict;
mod watching;

use tracing::{info, warn};

pub use request::{MainFailure, SidecarRequest, TrackOptions, UploadTarget};
pub use watching::{Watching, WatchingError};

use self::outcome::{documents, failure_of, is_done, own_words};
use self::verdict::{Verdict, judge};
use crate::idl::{self, TypedInterface, VariableMap};
use crate::report::{Failure, Timeline};
use crate::store::Reference;
use crate::termination::Termination;
use crate::track::watch::{Ending, Watched};
use crate::transfer::{Engine, Stop};
use crate::upload::{self, Outputs, UploadError};

/// Waits and uploads; `watching` is attached already.
pub async fn run(
    request: &SidecarRequest,
    mut watching: Watching,
    engine: &Engine,
    termination: &mut Termination,
    timeline: &mut Timeline,
) -> Result<(), Failure> {
    let outputs = request.upload.as_ref().map(declared_outputs).transpose();
    match &outputs {
        Ok(Some(outputs)) if outputs.variables.is_empty() => {
            info!("no outputs are declared: waiting for main's end all the same");
        }
        Ok(None) => info!("no interface is given: waiting for main's end all the same"),
        Err(failure) => warn!(
            reason = failure.message,
            "nothing can be uploaded: waiting for main's end to report it"
        ),
        Ok(Some(_)) => {}
    }
    let evidence = || evidence::of_main(request.upload.as_ref()?, outputs.as_ref().ok()?.as_ref()?);
    let watched = watching.until_over(&evidence, termination, timeline).await;
    // Counted from main's end: how long main runs is its own affair.
    let stop = Stop::after(request.timeout);
    let outcome = match &request.upload {
        Some(target) => {
            let declared = outputs?.unwrap_or_default();
            conclude(
                request, target, &declared, &watched, engine, &stop, timeline,
            )
            .await
        }
        None => Ok(()),
    };
    if let Ending::Marked(_) = watched.ending {
        watching.until_gone(termination).await;
    }
    outcome
}

async fn conclude(
    request: &SidecarRequest,
    target: &UploadTarget,
    declared: &VariableMap,
    watched: &Watched,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<(), Failure> {
    let stale = documents(target)?;
    if declared.variables.is_empty() {
        let removed = engine.remove_stale(&stale, stop).await;
        return removed.map_err(|error| Failure::of_upload(&error).caused_by(error.store_error()));
    }
    let commit = Reference::parse(&target.to_output_prefix)
        .and_then(|prefix| prefix.join(&[&target.meta_output_name]))
        .map_err(Failure::of_upload)?;
    let outputs = Outputs {
        declared,
        directory: &target.from_local_dir,
        raw_prefix: target.to_raw_output.as_deref(),
        commit: &commit,
        stale: &stale,
        options: request.outputs,
        mode: request.mode,
    };
    if let Verdict::Report(failure) = judge(watched, request.on_main_failure) {
        let unseen = watched.ending == Ending::NeverStarted;
        if unseen && is_done(&outputs, engine, &failure).await {
            return Ok(());
        }
        let failure = own_words(target).unwrap_or(failure);
        return Err(match request.on_main_failure {
            MainFailure::Salvage => salvaged(failure, target, engine, stop).await,
            _ => failure,
        });
    }
    let summary = match upload::run(&outputs, engine, stop, timeline).await {
        Ok(summary) => summary,
        Err(error) => {
            let stale = matches!(error, UploadError::Stale(_));
            let failure = failure_of(error);
            if !stale && is_done(&outputs, engine, &failure).await {
                return Ok(());
            }
            return Err(failure);
        }
    };
    timeline.note("objects", summary.objects);
    timeline.note("bytes", summary.bytes);
    Ok(())
}

fn declared_outputs(target: &UploadTarget) -> Result<VariableMap, Failure> {
    let interface: TypedInterface = idl::decode_typed_interface(target.interface.as_slice())
        .map_err(|cause| {
            Failure::of_upload(format_args!(
                "--interface holds no TypedInterface: {cause}; it is the platform that passes it"
            ))
        })?;
    Ok(interface.outputs.unwrap_or_default())
}

/// Saves what main left, and says in the failure's message where it is, or why it is not saved.
async fn salvaged(
    failure: Failure,
    target: &UploadTarget,
    engine: &Engine,
    stop: &Stop,
) -> Failure {
    let raw = target.to_raw_output.as_deref();
    let told = match upload::salvage(&target.from_local_dir, raw, engine, stop).await {
        Ok(summary) => format!(
            "what it left ({} files, {} bytes) is saved below {}",
            summary.objects,
            summary.bytes,
            raw.unwrap_or_default()
        ),
        Err(error) => format!("not all of what it left could be saved: {error}"),
    };
    Failure {
        message: format!("{}; {told}", failure.message),
        ..failure
    }
}

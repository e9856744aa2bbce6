//! The sidecar: waits for main's end, then uploads what it left.
//!
//! Watch (`track`), judge ([`verdict`]), upload (`upload`). Nothing of this may end early: kubelet
//! starts a native sidecar again whenever it ends while main runs. So even what is known to fail
//! from the start, or has nothing to upload, waits for main's end. Never here: flags, writing error
//! documents, exit codes. Called by the edge.

mod evidence;
mod request;
mod verdict;
mod watching;

use tracing::{info, warn};

pub use request::{MainFailure, SidecarRequest, TrackOptions, UploadMode, UploadTarget};
pub use watching::{Watching, WatchingError};

use self::verdict::{Verdict, judge};
use crate::idl::{self, TypedInterface, VariableMap};
use crate::report::{Failure, Origin, Timeline};
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
    if declared.variables.is_empty() {
        return Ok(());
    }
    match judge(watched, request.on_main_failure) {
        Verdict::Upload => {}
        Verdict::Report(failure) => {
            let failure = own_words(target).unwrap_or(failure);
            return Err(match request.on_main_failure {
                MainFailure::Salvage => salvaged(failure, target, engine, stop).await,
                _ => failure,
            });
        }
    }
    let commit = Reference::parse(&target.to_output_prefix)
        .and_then(|prefix| prefix.join(&[&target.meta_output_name]))
        .map_err(Failure::of_upload)?;
    let outputs = Outputs {
        declared,
        directory: &target.from_local_dir,
        raw_prefix: target.to_raw_output.as_deref(),
        commit: &commit,
        options: request.outputs,
    };
    let summary = upload::run(&outputs, engine, stop, timeline)
        .await
        .map_err(failure_of)?;
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

/// What a failed main says of itself by its error file is worth more than how it ended.
fn own_words(target: &UploadTarget) -> Option<Failure> {
    match upload::user_error(&target.from_local_dir) {
        Ok(None) => None,
        Ok(Some(error)) => Some(failure_of(UploadError::User(error))),
        Err(error) => {
            warn!(%error, "whether main left an error file cannot be told");
            None
        }
    }
}

fn failure_of(error: UploadError) -> Failure {
    let origin = match error {
        UploadError::User(_) => Origin::User,
        _ => Origin::Unknown,
    };
    Failure {
        origin,
        ..Failure::of_upload(error)
    }
}

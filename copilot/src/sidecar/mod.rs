//! The sidecar: waits for main's end, then uploads what it left.
//!
//! Watch (`track`), judge ([`verdict`]), upload (`upload`). Nothing of this may end early: kubelet
//! starts a native sidecar again whenever it ends while main runs. So even what is known to fail
//! from the start, or has nothing to upload, waits for main's end. Never here: flags, writing error
//! documents, exit codes. Called by the edge.

mod outcome;
mod request;
mod verdict;
mod watching;

use tracing::{info, warn};

pub use request::{MainFailure, SidecarRequest, TrackOptions, UploadMode, UploadTarget};
pub use watching::{Watching, WatchingError};

use self::outcome::{documents, failure_of, is_done, own_words};
use self::verdict::{Verdict, judge};
use crate::idl::{self, TypedInterface, VariableMap};
use crate::literal::output::OutputOptions;
use crate::report::{Failure, Timeline};
use crate::store::Reference;
use crate::termination::Termination;
use crate::track::watch::{Ending, Watched};
use crate::transfer::{Engine, Stop};
use crate::upload::{self, Outputs, UploadError};

/// Waits and uploads; `watching` is attached already.
pub async fn run(
    request: &SidecarRequest,
    watching: Watching,
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
    let watched = watching.until_over(termination, timeline).await;
    // Counted from main's end: how long main runs is its own affair.
    let stop = Stop::after(request.timeout);
    let Some(target) = &request.upload else {
        return Ok(());
    };
    let declared = outputs?.unwrap_or_default();
    if declared.variables.is_empty() {
        let stale = documents(target)?;
        let removed = engine.remove_stale(&stale, &stop).await;
        return removed.map_err(|error| Failure::of_upload(&error).caused_by(error.store_error()));
    }
    conclude(
        request, target, &declared, &watched, engine, &stop, timeline,
    )
    .await
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
    let commit = Reference::parse(&target.to_output_prefix)
        .and_then(|prefix| prefix.join(&[&target.meta_output_name]))
        .map_err(Failure::of_upload)?;
    let outputs = Outputs {
        declared,
        directory: &target.from_local_dir,
        raw_prefix: target.to_raw_output.as_deref(),
        commit: &commit,
        stale: &documents(target)?,
        options: OutputOptions {
            max_simple_size: request.max_simple_size,
            ..OutputOptions::default()
        },
    };
    if let Verdict::Report(failure) = judge(watched, request.on_main_failure) {
        if let Some(own) = own_words(target) {
            return Err(own);
        }
        let unseen = watched.ending == Ending::NeverStarted;
        if unseen && is_done(&outputs, engine, &failure).await {
            return Ok(());
        }
        return Err(failure);
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

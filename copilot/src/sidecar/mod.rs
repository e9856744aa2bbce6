//! The sidecar: waits for main's end, then uploads what it left.
//!
//! Watch (`track`), judge ([`verdict`]), upload (`upload`). Nothing of this may end early: kubelet
//! starts a native sidecar again whenever it ends while main runs. So even what is known to fail
//! from the start, or has nothing to upload, waits for main's end. Never here: flags, writing error
//! documents, exit codes. Called by the edge.

mod request;
mod verdict;
mod watching;

use tracing::{info, warn};

pub use request::{MainFailure, SidecarRequest, TrackOptions, UploadMode, UploadTarget};
pub use watching::{Watching, WatchingError};

use self::verdict::{Verdict, judge};
use crate::idl::{self, TypedInterface, VariableMap, container_error, execution_error::ErrorKind};
use crate::literal::output::{OutputOptions, UserError};
use crate::report::{Failure, Kind, Origin, Timeline};
use crate::store::Reference;
use crate::termination::Termination;
use crate::track::watch::Watched;
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
        return Ok(());
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
    match judge(watched, request.on_main_failure) {
        Verdict::Upload => {}
        Verdict::Report(failure) => return Err(own_words(target).unwrap_or(failure)),
    }
    let commit = Reference::parse(&target.to_output_prefix)
        .and_then(|prefix| prefix.join(&[&target.meta_output_name]))
        .map_err(Failure::of_upload)?;
    let outputs = Outputs {
        declared,
        directory: &target.from_local_dir,
        raw_prefix: target.to_raw_output.as_deref(),
        commit: &commit,
        options: OutputOptions {
            max_simple_size: request.max_simple_size,
            ..OutputOptions::default()
        },
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

/// What a failed main says of itself by its error file is worth more than how it ended.
fn own_words(target: &UploadTarget) -> Option<Failure> {
    match upload::user_error(&target.from_local_dir) {
        Ok(None) => None,
        Ok(Some(error)) => Some(failure_of_user(error)),
        Err(error) => {
            warn!(%error, "whether main left an error file cannot be told");
            None
        }
    }
}

fn failure_of(error: UploadError) -> Failure {
    match error {
        UploadError::User(error) => failure_of_user(error),
        error => Failure::of_upload(&error).caused_by(error.store_error()),
    }
}

/// In the program's own words. The code is the reference's unless the program has one of its own.
fn failure_of_user(error: UserError) -> Failure {
    if let Some(reason) = error.warning {
        warn!(
            reason,
            "the error file looks like JSON, but not like ours: it is reported as text"
        );
    }
    let mut failure = Failure::of_upload(error.message);
    if let Some(code) = error.code {
        failure.code = code.into();
    }
    failure.kind = match error.kind {
        container_error::Kind::Recoverable => Kind::Recoverable,
        container_error::Kind::NonRecoverable => Kind::NonRecoverable,
    };
    failure.origin = match error.origin {
        ErrorKind::User => Origin::User,
        ErrorKind::System => Origin::System,
        ErrorKind::Unknown => Origin::Unknown,
    };
    failure
}

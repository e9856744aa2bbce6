//! What goes up while main runs (`UPLOAD_EAGER`), beside the watch, and what becomes of it when the
//! run fails.

use std::time::Duration;

use tracing::warn;

use super::outcome::{commit, documents};
use super::request::SidecarRequest;
use crate::idl::VariableMap;
use crate::track::watch::{Ending, Watched};
use crate::transfer::{Engine, Stop};
use crate::upload::{Eager, EagerOptions, Early, UploadError, UploadMode};

/// Time to delete what a failed run has sent: its error document waits for that.
const FOR_DELETION: Duration = Duration::from_secs(5);

/// Begins, if that is asked for and any declared output has data.
pub(super) fn begin(
    request: &SidecarRequest,
    declared: Option<&VariableMap>,
    engine: &Engine,
) -> Option<Eager> {
    if request.mode != UploadMode::Eager {
        return None;
    }
    let target = request.upload.as_ref()?;
    // Outputs that cannot be committed need not go up; the end of main reports it.
    documents(target).and_then(|_| commit(target)).ok()?;
    let options = EagerOptions {
        declared: declared?,
        directory: &target.from_local_dir,
        raw_prefix: target.to_raw_output.as_deref(),
        options: request.outputs,
    };
    Eager::new(&options, engine).unwrap_or_else(|error| {
        warn!(reason = %error, "no output goes up while main runs");
        None
    })
}

/// Waits for main's end; sends meanwhile.
pub(super) async fn meanwhile(
    watched: impl Future<Output = Watched>,
    eager: Option<&mut Eager>,
) -> Watched {
    let Some(eager) = eager else {
        return watched.await;
    };
    tokio::select! {
        biased;
        watched = watched => watched,
        never = eager.run() => match never {},
    }
}

/// What was sent.
pub(super) async fn landed(eager: Option<Eager>, stop: &Stop) -> Early {
    match eager {
        Some(eager) => eager.land(stop).await,
        None => Early::default(),
    }
}

/// Whether what was sent is deleted after a failure: not where these may be the outputs of an earlier
/// life that has committed them, and not where we are about to be killed.
pub(super) fn is_withdrawn(watched: &Watched, error: Option<&UploadError>) -> bool {
    let committing = matches!(error, Some(UploadError::Commit { .. }));
    let is_stopped = matches!(watched.ending, Ending::StillRunning | Ending::Untold);
    watched.started.is_some() && !is_stopped && !committing
}

/// The run has failed: deletes what was sent and is not kept on purpose, or says that it stays.
pub(super) async fn end(mut early: Early, is_withdrawn: bool, engine: &Engine) {
    if is_withdrawn {
        let stop = Stop::after(Some(FOR_DELETION));
        early.withdraw(engine, &stop).await;
    } else {
        early.leave().await;
    }
}

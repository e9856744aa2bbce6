//! Eager uploads (`UPLOAD_EAGER`) beside the watch: they begin, they end, and after a failure they are
//! deleted or kept.

use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::outcome::{commit, documents};
use super::request::{SidecarRequest, UploadTarget};
use crate::beneath::SharedDirectory;
use crate::idl::VariableMap;
use crate::track::watch::{Ending, Watched};
use crate::transfer::{Engine, Stop};
use crate::upload::{Eager, EagerOptions, Early, UploadError, UploadMode};

/// Time to delete the objects of a failed run: its error document waits for that.
const FOR_DELETION: Duration = Duration::from_secs(5);

/// Begins eager uploads, if `--upload-mode eager` is set and a declared output has data.
pub(super) fn begin(
    request: &SidecarRequest,
    declared: Option<&VariableMap>,
    shared: &Arc<SharedDirectory>,
    engine: &Engine,
) -> Option<Eager> {
    if request.mode != UploadMode::Eager {
        return None;
    }
    let Some(UploadTarget::Outputs(target)) = &request.upload else {
        return None;
    };
    // Outputs that cannot be committed are not uploaded. The failure is reported after main's end.
    let commit = documents(target).and_then(|_| commit(target)).ok()?;
    let options = EagerOptions {
        declared: declared?,
        directory: shared,
        raw_prefix: target.to_raw_output.as_deref(),
        commit: &commit,
        options: request.outputs,
    };
    Eager::new(&options, engine).unwrap_or_else(|error| {
        warn!(reason = %error, "no output is uploaded while main runs");
        None
    })
}

/// Waits for main's end, and uploads meanwhile.
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

/// Ends the eager uploads and returns what was sent.
pub(super) async fn landed(eager: Option<Eager>, stop: &Stop) -> Early {
    match eager {
        Some(eager) => eager.land(stop).await,
        None => Early::default(),
    }
}

/// Whether to delete the sent objects after a failure: not if an earlier life may have committed them, and
/// not if kubelet is about to kill us.
pub(super) fn is_withdrawn(watched: &Watched, error: Option<&UploadError>) -> bool {
    let committing = error.is_some_and(UploadError::is_at_commit);
    let is_stopped = matches!(watched.ending, Ending::StillRunning | Ending::Untold);
    watched.started.is_some() && !is_stopped && !committing
}

/// After a failure: deletes the sent objects that are not kept on purpose, or logs that they stay.
pub(super) async fn end(mut early: Early, is_withdrawn: bool, engine: &Engine) {
    if is_withdrawn {
        let stop = Stop::after(Some(FOR_DELETION));
        early.withdraw(engine, &stop).await;
    } else {
        early.leave().await;
    }
}

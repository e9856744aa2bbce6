//! What a failed upload reports to the platform, and when it reports nothing.

use tracing::{info, warn};

use super::request::OutputsTarget;
use crate::beneath::SharedDirectory;
use crate::idl;
use crate::literal::output::UserError;
use crate::report::{Failure, document_names};
use crate::store::Reference;
use crate::transfer::{Engine, Stop};
use crate::upload::{self, Outputs, UploadError};

/// In bytes: the platform does not read a larger error document.
const LARGEST_DOCUMENT: u64 = 4 << 20;

/// Whether an earlier run has committed exactly these outputs, so that nothing is left to do and an error
/// document would turn a success into a failure. Only for a life that has not seen main's end: one that has
/// must upload what main left. What cannot be proven counts as not committed.
pub(super) async fn is_done(outputs: &Outputs<'_>, engine: &Engine, stop: &Stop) -> bool {
    // A large future: it holds those of several readings.
    let done = match Box::pin(upload::is_committed(outputs, engine, stop)).await {
        Ok(done) => done,
        // The upload, or the failure that is reported, says it.
        Err(UploadError::User(_) | UploadError::Outputs(_)) => false,
        Err(error) => {
            warn!(%error, "it cannot be proven that an earlier run has committed these outputs");
            false
        }
    };
    if done {
        info!(
            commit = outputs.commit.shown(),
            "an earlier run has committed these outputs, and the store holds their data: nothing is left to do"
        );
    }
    done
}

/// The references of the error documents.
pub(super) fn documents(target: &OutputsTarget) -> Result<Vec<Reference>, Failure> {
    let prefix = Reference::prefix(&target.to_output_prefix).map_err(Failure::from_upload)?;
    let names = document_names(target.err_output_name.as_deref()).into_iter();
    let joined = names.map(|name| prefix.join(&[name]).map_err(Failure::from_upload));
    joined.collect()
}

/// The reference of `outputs.pb`.
pub(super) fn commit(target: &OutputsTarget) -> Result<Reference, Failure> {
    Reference::prefix(&target.to_output_prefix)
        .and_then(|prefix| prefix.join(&[&target.meta_output_name]))
        .map_err(Failure::from_upload)
}

/// The failure in an error document below the output prefix, if an earlier life of this sidecar wrote it: a
/// document of another pod belongs to another attempt.
pub(super) async fn reported_here(
    target: &OutputsTarget,
    engine: &Engine,
    stop: &Stop,
) -> Option<Failure> {
    let here = rustix::system::uname();
    let here = here.nodename().to_string_lossy();
    for document in documents(target).ok()? {
        let Ok(bytes) = engine.read(&document, LARGEST_DOCUMENT, stop).await else {
            continue;
        };
        let error = idl::decode_error_document(&bytes[..]).ok()?.error?;
        if error.worker == here {
            warn!(
                %document,
                message = error.message,
                "an earlier life of this sidecar has reported a failure, and this one has not seen \
                 main begin: the failure stands"
            );
            return Some(Failure::from_document(error));
        }
    }
    None
}

/// The failure in main's error file. It says more than main's exit status.
pub(super) fn own_words(outputs: &SharedDirectory) -> Option<Failure> {
    match upload::user_error(outputs) {
        Ok(None) => None,
        Ok(Some(error)) => Some(failure_of_user(error)),
        Err(error) => {
            warn!(%error, "main's error file cannot be read");
            None
        }
    }
}

/// The failure with the end of main's standard error, if main keeps that in its output directory.
pub(super) fn quoting(failure: Failure, outputs: &SharedDirectory) -> Failure {
    match upload::last_lines_of_stderr(outputs) {
        Some(lines) => Failure {
            message: format!("{}. Main's standard error ends: {lines}", failure.message),
            ..failure
        },
        None => failure,
    }
}

pub(super) fn failure_of(error: UploadError) -> Failure {
    match error {
        UploadError::User(error) => failure_of_user(error),
        error if error.is_of_user() => Failure::from_upload(&error).of_user(),
        error => Failure::from_upload(&error).caused_by(error.store_error()),
    }
}

/// The failure as the program reports it. The code is the reference's unless the program gives one.
fn failure_of_user(error: UserError) -> Failure {
    if let Some(reason) = error.warning {
        warn!(
            reason,
            "the error file is JSON, but does not have our fields: reported as text"
        );
    }
    let mut failure = Failure::from_upload("");
    // As main wrote it: the reference's document does not change it either.
    failure.message = error.message;
    if let Some(code) = error.code {
        failure.code = code.into();
    }
    failure.kind = error.kind.into();
    failure.origin = error.origin.into();
    failure
}

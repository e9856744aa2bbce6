//! Objects that went up while main ran, and that no output of the final plan names.

use tracing::warn;

use super::eager::Early;
use super::error::UploadError;
use super::planned::names;
use crate::idl::blob_type::BlobDimensionality;
use crate::literal::output::OutputPlan;
use crate::transfer::{Engine, Stop, Summary, TransferError};

/// Deletes objects that went up early and that no output names. An object that stays beneath a directory of
/// the outputs is an error, since readers would take it for a file of the directory.
pub(super) async fn clear(
    early: &mut Early,
    plan: &OutputPlan,
    engine: &Engine,
    stop: &Stop,
) -> Result<(), UploadError> {
    let leftovers = early.clear(engine, stop).await.map_err(|stopped| {
        UploadError::Transfer(TransferError {
            failures: Vec::new(),
            failed: 0,
            stopped: Some(stopped),
            summary: Box::new(Summary::default()),
        })
    })?;
    let trees = plan.blobs.iter();
    let trees = trees.filter(|blob| blob.kind == BlobDimensionality::Multipart);
    let trees: Vec<String> = trees.map(|blob| names(blob).join("/")).collect();
    for leftover in leftovers {
        let is_beneath = |tree: &String| {
            let rest = leftover.key.strip_prefix(tree.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if trees.iter().any(is_beneath) {
            return Err(UploadError::Leftover {
                object: leftover.object.shown(),
                cause: Box::new(leftover.cause),
            });
        }
        warn!(
            object = leftover.object.shown(),
            cause = %leftover.cause,
            "an object that went up while main ran stays in the store, and no output names it"
        );
    }
    Ok(())
}

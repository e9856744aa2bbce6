//! What becomes, at main's end, of what went up before it.

use std::sync::Arc;

use tracing::warn;

use super::directory::Directory;
use super::eager::{Early, open};
use super::error::UploadError;
use super::planned::{Planned, names};
use crate::idl::blob_type::BlobDimensionality;
use crate::literal::output::OutputPlan;
use crate::transfer::{Engine, Gradual, Stop, Summary, TransferError};

/// Makes an object of the pieces that went up early; gives the bytes that were missing, or the file if
/// that cannot be.
pub(super) async fn finish(
    gradual: Gradual,
    file: Planned,
    directory: &Arc<Directory>,
    engine: &Engine,
    stop: &Stop,
) -> Result<u64, Box<Planned>> {
    let opened = match open(directory, &file.path) {
        Ok(opened) if gradual.fits(opened.size) => opened,
        _ => {
            engine.give_up(gradual).await;
            return Err(Box::new(file));
        }
    };
    match engine.finish(gradual, &opened, stop).await {
        Ok((_, sent)) => Ok(sent),
        Err(error) => {
            warn!(%error, "what went up of it while main ran is of no use: the file goes up anew");
            Err(Box::new(file))
        }
    }
}

/// Deletes what went up early and is no output. What lies where a reader of a directory would find it
/// must go.
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
            "sent while main ran, no output, and it stays in the store"
        );
    }
    Ok(())
}

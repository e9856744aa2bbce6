//! Whether exactly these outputs are committed already.
//!
//! `outputs.pb` holds references and not data, and a journal in the output directory can be main's. So the
//! proof is the store itself: its literals are those of the plan, each object holds the bytes of its file,
//! and beneath the directories lies nothing else. Caller: the sidecar, for a life that has not seen main's
//! end.

use futures_util::stream::{self, StreamExt as _};
use tracing::debug;

use super::directory;
use super::error::UploadError;
use super::planned::RawPrefix;
use super::stray::Strays;
use super::{Outputs, files, plan};
use crate::idl::Message as _;
use crate::store::StoreError;
use crate::transfer::{CopyError, Engine, Stop};

/// Objects that are compared at once.
const AT_ONCE: usize = 8;

/// Whether an earlier run has committed exactly what main's output directory holds: the literals and all
/// data, byte for byte. It reads the data of both, but only if the literals are equal.
///
/// # Errors
/// The outputs cannot be planned, or the store cannot be read: then nothing is proven.
pub async fn is_committed(
    outputs: &Outputs<'_>,
    engine: &Engine,
    stop: &Stop,
) -> Result<bool, UploadError> {
    let directory = directory::open(outputs.directory)?;
    let raw = RawPrefix::parse(outputs.raw_prefix)?;
    let plan = plan(outputs, &directory, &raw, engine.stores())?;
    let literals = plan.literals.encode_to_vec();
    let found = engine
        .read(outputs.commit, literals.len() as u64, stop)
        .await;
    let found = match found {
        Ok(found) => found,
        // More bytes than expected are other literals.
        Err(CopyError::Store(StoreError::NotFound { .. } | StoreError::TooLarge { .. })) => {
            return Ok(false);
        }
        Err(error) => return Err(UploadError::from_look(error)),
    };
    if found != literals {
        return Ok(false);
    }
    let mut compared = stream::iter(files(&plan, &raw, &directory))
        .map(|file| async {
            let (from, to) = file?.ends();
            let shown = to.shown();
            let is_same = engine.is_same(&to, from, stop).await;
            if let Ok(false) = is_same {
                debug!(object = shown, "it does not hold its file");
            }
            is_same.map_err(UploadError::from_look)
        })
        .buffer_unordered(AT_ONCE);
    while let Some(is_same) = compared.next().await {
        if !is_same? {
            return Ok(false);
        }
    }
    drop(compared);
    let mut strays = Strays::new(&plan, &raw, &directory, engine);
    let first = stop.race(strays.next()).await;
    let first = first.map_err(|stopped| UploadError::from_look(stopped.into()))?;
    match first {
        None => Ok(true),
        Some(Ok(object)) => {
            debug!(object = object.reference().shown(), "it has no file");
            Ok(false)
        }
        Some(Err(error)) => Err(UploadError::from_look(error.into())),
    }
}

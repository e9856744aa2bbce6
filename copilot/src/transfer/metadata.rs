//! Small objects that are read, written, looked for and removed whole: inputs, outputs, error documents.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::future::try_join_all;

use super::engine::Engine;
use super::error::CopyError;
use super::stop::Stop;
use crate::store::{Body, Object, Reference};

impl Engine {
    /// Reads a whole object of at most `limit` bytes.
    ///
    /// # Errors
    /// Any [`StoreError`](crate::store::StoreError), that it is too large among them, or that it was stopped.
    pub async fn read(
        &self,
        from: &Reference,
        limit: u64,
        stop: &Stop,
    ) -> Result<Bytes, CopyError> {
        let object = self.stores().open(from)?;
        stop.race(self.read_whole(&object, limit)).await?
    }

    /// Writes a whole object.
    ///
    /// # Errors
    /// Any [`StoreError`](crate::store::StoreError), or that it was stopped.
    pub async fn write(&self, to: &Reference, data: Bytes, stop: &Stop) -> Result<(), CopyError> {
        let object = self.stores().open(to)?;
        Ok(stop.race(object.put(data)).await??)
    }

    /// Removes objects of an earlier run that would be taken for the outcome of this one. Looks first:
    /// mostly there are none, and a role that may not delete is then no obstacle.
    ///
    /// Where a store tells neither whether one is there nor deletes it, a warning says so.
    ///
    /// # Errors
    /// That one is there and stays, or that it was stopped.
    pub async fn remove_stale(&self, objects: &[Reference], stop: &Stop) -> Result<(), CopyError> {
        let removals = objects.iter().map(|object| self.remove(object));
        stop.race(try_join_all(removals)).await??;
        Ok(())
    }

    async fn remove(&self, object: &Reference) -> Result<(), CopyError> {
        let object = self.stores().open(object)?;
        let shown = object.reference().shown();
        let is_there = object.exists().await;
        if let Ok(false) = is_there {
            return Ok(());
        }
        match (object.delete().await, is_there) {
            (Ok(()), Ok(_)) => tracing::info!(object = shown, "removed: it was of an earlier run"),
            (Ok(()), Err(_)) => {}
            (Err(cause), Ok(_)) => {
                return Err(CopyError::Stale {
                    object: shown,
                    cause: Box::new(cause),
                });
            }
            (Err(_), Err(reason)) => tracing::warn!(
                object = shown,
                %reason,
                "whether an earlier run left this cannot be told, nor can it be deleted; if it is \
                 there, it will be taken for the outcome of this run"
            ),
        }
        Ok(())
    }

    /// Whether there is an object of exactly this key.
    ///
    /// # Errors
    /// Any [`StoreError`](crate::store::StoreError), or that it was stopped.
    pub async fn is_object(&self, reference: &Reference, stop: &Stop) -> Result<bool, CopyError> {
        let object = self.stores().open(reference)?;
        Ok(stop.race(object.is_there()).await??)
    }

    async fn read_whole(&self, object: &Object, limit: u64) -> Result<Bytes, CopyError> {
        let retry = &self.stores().network().retry;
        let begun = Instant::now();
        let mut failed = 0;
        loop {
            let broke = match object.get(None, None).await {
                Ok(body) => match drain(object, body, limit).await {
                    Err(CopyError::Store(error)) if error.is_interruption() => error,
                    outcome => return outcome,
                },
                // Tried again and again below us already; but a server that broke a body may be
                // starting anew.
                Err(error) if failed > 0 && error.is_interruption() => error,
                Err(error) => return Err(error.into()),
            };
            failed += 1;
            if failed >= retry.attempts || begun.elapsed() > retry.elapsed {
                return Err(broke.into());
            }
            tracing::debug!(failed, reason = %broke, "reading again");
            tokio::time::sleep(retry.pause(failed)).await;
        }
    }
}

/// The whole of a body.
async fn drain(object: &Object, mut body: Body, limit: u64) -> Result<Bytes, CopyError> {
    let mut data = BytesMut::new();
    let too_large = |size| object.exceeds(size, limit);
    if let Some(size) = body.size.filter(|size| *size > limit) {
        return Err(too_large(size).into());
    }
    while let Some(chunk) = body.stream.next().await {
        data.extend_from_slice(&chunk?);
        if data.len() as u64 > limit {
            return Err(too_large(data.len() as u64).into());
        }
    }
    match body.size {
        Some(expected) if expected != data.len() as u64 => Err(CopyError::Incomplete {
            object: object.reference().shown(),
            got: data.len() as u64,
            expected,
        }),
        _ => Ok(data.freeze()),
    }
}

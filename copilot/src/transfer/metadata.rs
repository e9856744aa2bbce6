//! Small objects that are read and written whole: inputs, outputs, error documents; and whether
//! there is an object at all.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

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

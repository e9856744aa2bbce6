//! One small object whole: read, written, looked for or removed. Inputs, outputs and error documents
//! are such objects.

use bytes::{Bytes, BytesMut};
use futures_util::future::try_join_all;

use super::download::{Sink, Source, WholeRead};
use super::error::CopyError;
use super::progress::Tally;
use super::stop::Stop;
use crate::store::{Object, Reference, StoreError, Stores};

/// A small object's bytes, in memory.
struct MemorySink<'a> {
    object: &'a Object,
    data: BytesMut,
    limit: u64,
}

impl Sink for MemorySink<'_> {
    fn begin(&mut self, size: Option<u64>) -> Result<(), CopyError> {
        self.data.clear();
        self.check(size.unwrap_or_default())
    }

    fn write(&mut self, bytes: &[u8], _: u64) -> Result<(), CopyError> {
        self.check((self.data.len() + bytes.len()) as u64)?;
        self.data.extend_from_slice(bytes);
        Ok(())
    }
}

impl MemorySink<'_> {
    fn check(&self, size: u64) -> Result<(), CopyError> {
        if size > self.limit {
            return Err(self.object.exceeds(size, self.limit).into());
        }
        Ok(())
    }
}

/// Reads a whole object of at most `limit` bytes.
pub(super) async fn read(
    stores: &Stores,
    from: &Reference,
    limit: u64,
    stop: &Stop,
) -> Result<Bytes, CopyError> {
    let object = stores.open(from)?;
    // On the heap: the futures of the jobs hold this one several times.
    let whole = Box::pin(read_whole(stores, &object, limit));
    stop.race(whole).await?
}

async fn read_whole(stores: &Stores, object: &Object, limit: u64) -> Result<Bytes, CopyError> {
    let mut sink = MemorySink {
        object,
        data: BytesMut::new(),
        limit,
    };
    let source = Source {
        object,
        retry: &stores.network().retry,
        tally: &Tally::default(),
    };
    WholeRead::new(source, &mut sink, 0).copy(None).await?;
    Ok(sink.data.freeze())
}

/// Writes a whole object.
pub(super) async fn write(
    stores: &Stores,
    to: &Reference,
    data: Bytes,
    stop: &Stop,
) -> Result<(), CopyError> {
    let object = stores.open(to)?;
    Ok(stop.race(object.put(data)).await??)
}

/// Removes objects of an earlier run, and returns whether one was there.
pub(super) async fn remove_stale(
    stores: &Stores,
    objects: &[Reference],
    stop: &Stop,
) -> Result<bool, CopyError> {
    let removals = objects.iter().map(|object| remove(stores, object));
    let removed = stop.race(try_join_all(removals)).await??;
    Ok(removed.contains(&true))
}

async fn remove(stores: &Stores, object: &Reference) -> Result<bool, CopyError> {
    let object = stores.open(object)?;
    let shown = object.reference().shown();
    let is_there = object.exists().await;
    if let Ok(false) = is_there {
        return Ok(false);
    }
    let was_there = is_there.is_ok();
    match (object.delete().await, is_there) {
        (Ok(()), Ok(_)) => tracing::info!(object = shown, "removed: an earlier run left it"),
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
            "the store does not say whether an earlier run left this object, and does not delete it. \
             If the object exists, readers take it for the outcome of this run"
        ),
    }
    Ok(was_there)
}

/// What became of the commit of an earlier run.
#[derive(Debug)]
#[must_use]
pub enum Withdrawn {
    /// None was found.
    Absent,
    /// It is deleted.
    Deleted,
    /// It exists and cannot be deleted, for this reason.
    Remains(StoreError),
}

/// Deletes the commit of an earlier run, whose data will be overwritten.
pub(super) async fn withdraw(
    stores: &Stores,
    commit: &Reference,
    stop: &Stop,
) -> Result<Withdrawn, CopyError> {
    let object = stores.open(commit)?;
    let is_there = stop.race(object.exists()).await?;
    if let Ok(false) = is_there {
        return Ok(Withdrawn::Absent);
    }
    match (stop.race(object.delete()).await?, is_there) {
        (Ok(()), Ok(_)) => {
            tracing::warn!(
                object = commit.shown(),
                "deleted: an earlier run committed its outputs here, and this run overwrites their data"
            );
            Ok(Withdrawn::Deleted)
        }
        (Ok(()), Err(_)) => Ok(Withdrawn::Absent),
        (Err(cause), Ok(_)) => Ok(Withdrawn::Remains(cause)),
        (Err(_), Err(reason)) => {
            tracing::warn!(
                object = commit.shown(),
                %reason,
                "the store does not say whether an earlier run has committed its outputs here, and does not                  delete this object. If it exists, it leads to data of two runs until this run commits"
            );
            Ok(Withdrawn::Absent)
        }
    }
}

/// The key of the object at exactly this reference, if a listing has it.
pub(super) async fn listed_key(
    stores: &Stores,
    reference: &Reference,
    stop: &Stop,
) -> Result<Option<String>, CopyError> {
    let object = stores.open(reference)?;
    let is_there = stop.race(object.is_there()).await??;
    Ok(is_there.then(|| object.key().to_owned()))
}

/// The key of the object at exactly this reference, if it exists. Needs the right to read it.
pub(super) async fn key(
    stores: &Stores,
    reference: &Reference,
    stop: &Stop,
) -> Result<Option<String>, CopyError> {
    let object = stores.open(reference)?;
    let exists = stop.race(object.exists()).await??;
    Ok(exists.then(|| object.key().to_owned()))
}

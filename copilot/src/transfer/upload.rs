//! One file to one object.
//!
//! Small files go in one request. Large ones go in parts, read from the file one by one. An upload in
//! parts that does not end well is aborted, whatever ended it, so that nothing stays in the store.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};

use super::budget::Budget;
use super::copy::LocalFile;
use super::error::CopyError;
use super::limits::Limits;
use super::stop::Stop;
use super::tally::Tally;
use crate::store::{Object, Part, Upload as Parts};

/// Time to clean up after the run was stopped: the reply to one request.
pub(super) const CLEAN_UP: Duration = Duration::from_secs(5);

/// Time for parts on their way to arrive after the run was stopped: those that the store has all of.
const SETTLE: Duration = Duration::from_millis(500);

/// What an upload may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upload<'a> {
    pub(super) limits: &'a Limits,
    pub(super) budget: &'a Budget,
    pub(super) tally: &'a Tally,
    pub(super) stop: &'a Stop,
}

/// An opened file, and its size when it was opened.
struct Source {
    name: String,
    file: File,
    size: u64,
}

impl Upload<'_> {
    /// Copies `from` to `object`.
    pub(super) async fn run(self, from: LocalFile, object: &Object) -> Result<(), CopyError> {
        let source = Source::open(from)?;
        self.tally.sized(source.size);
        if source.size <= self.limits.part_size {
            self.stop.race(self.small(&source, object)).await??;
        } else {
            self.large(&source, object).await?;
        }
        self.tally.finished();
        Ok(())
    }

    async fn small(self, source: &Source, object: &Object) -> Result<(), CopyError> {
        let data = self.read(source, 0, source.size).await?;
        source.check()?;
        let length = data.len();
        object.put(data).await?;
        self.tally.moved(length);
        Ok(())
    }

    async fn large(self, source: &Source, object: &Object) -> Result<(), CopyError> {
        let part_size = self.limits.part_size_for(source.size);
        if part_size > self.limits.memory {
            return Err(CopyError::TooLargeForParts {
                name: source.name.clone(),
                size: source.size,
                memory: self.limits.memory,
                part: part_size,
            });
        }
        let mut upload = self.begin(object).await?;
        let outcome = self.fill(source, &mut upload, part_size).await;
        if outcome.is_err() {
            abandon(upload, object).await;
        }
        outcome
    }

    /// Begins an upload in parts. When stopped it waits a little for the answer: an upload whose id
    /// is lost can never be aborted.
    pub(super) async fn begin(self, object: &Object) -> Result<Parts, CopyError> {
        let mut begin = std::pin::pin!(object.begin());
        match self.stop.race(begin.as_mut()).await {
            Ok(answer) => Ok(answer?),
            Err(stopped) => {
                match tokio::time::timeout(CLEAN_UP, begin).await {
                    Ok(Ok(upload)) => abandon(upload, object).await,
                    // It has failed, and what it may have begun was seen to.
                    Ok(Err(_)) => {}
                    Err(_) => may_remain(object, &no_answer()),
                }
                Err(stopped.into())
            }
        }
    }

    /// A piece of the file, in memory of the budget.
    async fn read(self, source: &Source, offset: u64, length: u64) -> Result<Bytes, CopyError> {
        // The length of a part, which fits in the memory.
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut buffer = self.budget.buffer(length).await;
        source.read(buffer.bytes(), offset)?;
        Ok(buffer.freeze())
    }

    /// Uploads the file's parts and has the store make an object of them.
    async fn fill(
        self,
        source: &Source,
        upload: &mut Parts,
        part_size: u64,
    ) -> Result<(), CopyError> {
        let parts = self.parts(source, upload, part_size).await?;
        source.check()?;
        Ok(self
            .stop
            .race(upload.complete(parts, source.size))
            .await??)
    }

    /// Uploads all parts. When that fails, none is left on its way if it can be helped: a part that
    /// arrives after the upload was aborted may stay in the store.
    async fn parts(
        self,
        source: &Source,
        upload: &Parts,
        part_size: u64,
    ) -> Result<Vec<Part>, CopyError> {
        let more = AtomicBool::new(true);
        let parts = stream::iter(0..source.size.div_ceil(part_size))
            .take_while(|_| std::future::ready(more.load(Ordering::Relaxed)))
            .map(|index| self.part(source, upload, part_size, index))
            .buffered(self.limits.parts);
        let mut parts = std::pin::pin!(parts);
        let mut arrived = Vec::new();
        let (error, settle) = loop {
            match self.stop.race(parts.next()).await {
                Ok(Some(Ok(part))) => arrived.push(part),
                Ok(Some(Err(error))) => break (error, CLEAN_UP),
                Ok(None) => return Ok(arrived),
                Err(stopped) => break (stopped.into(), SETTLE),
            }
        };
        more.store(false, Ordering::Relaxed);
        let rest = parts.for_each(|_| std::future::ready(()));
        // Those that still have not ended are cut, and the store drops what is incomplete.
        let _ = tokio::time::timeout(settle, rest).await;
        Err(error)
    }

    async fn part(
        self,
        source: &Source,
        upload: &Parts,
        part_size: u64,
        index: u64,
    ) -> Result<Part, CopyError> {
        let offset = index * part_size;
        let length = part_size.min(source.size - offset);
        let data = self.read(source, offset, length).await?;
        let count = data.len();
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let part = upload.part(index, offset, data).await?;
        self.tally.moved(count);
        Ok(part)
    }
}

pub(super) async fn abandon(upload: Parts, object: &Object) {
    let aborted = tokio::time::timeout(CLEAN_UP, upload.abort()).await;
    let reason = match aborted {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => no_answer(),
    };
    may_remain(object, &reason);
}

fn no_answer() -> String {
    format!("no answer within {} s", CLEAN_UP.as_secs())
}

fn may_remain(object: &Object, reason: &str) {
    tracing::warn!(
        object = %object.reference().shown(),
        reason,
        "an unfinished multipart upload may remain in the store"
    );
}

impl Source {
    fn open(from: LocalFile) -> Result<Self, CopyError> {
        let (name, opened) = from.open();
        let opened = opened.and_then(|file| {
            let meta = file.metadata()?;
            if !meta.is_file() {
                let message = "it is no regular file";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            Ok((file, meta.len()))
        });
        match opened {
            Ok((file, size)) => Ok(Self { name, file, size }),
            Err(source) => Err(CopyError::Read { name, source }),
        }
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), CopyError> {
        match self.file.read_exact_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.check()?;
                Err(self.unreadable(error))
            }
            read => read.map_err(|error| self.unreadable(error)),
        }
    }

    /// Refuses a file that no longer has the size it had.
    fn check(&self) -> Result<(), CopyError> {
        let meta = self
            .file
            .metadata()
            .map_err(|error| self.unreadable(error))?;
        if meta.len() == self.size {
            return Ok(());
        }
        Err(CopyError::SourceChanged {
            name: self.name.clone(),
            before: self.size,
            after: meta.len(),
        })
    }

    fn unreadable(&self, source: io::Error) -> CopyError {
        CopyError::Read {
            name: self.name.clone(),
            source,
        }
    }
}

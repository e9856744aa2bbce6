//! One file to one object, piece by piece, while the file may still grow or change.
//!
//! Of each piece that was sent a digest is kept. Before the object is made of them every piece is
//! read again, and what is not as it was sent goes again under the same number: nobody who writes
//! into a file says where. The upload's caller decides when to begin, and what the file is by then.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use futures_util::stream::{self, StreamExt as _};

use super::budget::Buffer;
use super::digest::{self, Digests};
use super::engine::Engine;
use super::error::CopyError;
use super::limits::MAX_PARTS;
use super::stop::Stop;
use super::tally::Tally;
use super::upload::{CLEAN_UP, Upload, abandon};
use crate::store::{Object, Part, Reference, Upload as Parts};

/// An opened file and its size: as much of it as is meant.
#[derive(Debug)]
pub struct Opened {
    /// What messages call it.
    pub name: String,
    /// The file.
    pub file: File,
    /// Bytes from its beginning.
    pub size: u64,
}

/// An object in the making. Nothing of it is visible until it is [finished](Engine::finish); then,
/// or when it is [given up](Engine::give_up), nothing else is left of it either.
#[derive(Debug)]
pub struct Gradual {
    object: Object,
    parts: Parts,
    /// Bytes of each piece but the last.
    piece: u64,
    sent: Vec<Piece>,
}

/// A piece that arrived.
#[derive(Debug)]
struct Piece {
    part: Part,
    digest: u128,
}

impl Gradual {
    /// The object.
    #[must_use]
    pub fn to(&self) -> &Reference {
        self.object.reference()
    }

    /// Bytes that were sent, from the beginning.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.len() as u64 * self.piece
    }

    /// Whether a file of `size` bytes can be made of such pieces, and has all that were sent.
    #[must_use]
    pub fn fits(&self, size: u64) -> bool {
        size >= self.sent() && size > 0 && size.div_ceil(self.piece) <= MAX_PARTS
    }
}

impl Engine {
    /// Bytes up to which a file goes in one request, and of the pieces of a larger one.
    #[must_use]
    pub fn piece(&self) -> u64 {
        self.limits.part_size
    }

    /// Copies a file to an object, and says what was sent.
    ///
    /// # Errors
    /// What a copy may fail by; of the object nothing new is visible then.
    pub async fn send(
        &self,
        from: &Opened,
        to: &Reference,
        stop: &Stop,
    ) -> Result<Digests, CopyError> {
        if from.size > self.piece() {
            let gradual = self.begin(to, from, stop).await?;
            return self
                .finish(gradual, from, stop)
                .await
                .map(|(digests, _)| digests);
        }
        let object = self.stores().open(to)?;
        let data = self.load(from, 0, from.size).await?.freeze();
        let digests = Digests {
            size: from.size,
            piece: self.piece(),
            pieces: (from.size > 0)
                .then(|| digest::of(&data))
                .into_iter()
                .collect(),
        };
        stop.race(object.put(data)).await??;
        Ok(digests)
    }

    /// Begins an object that is made, piece by piece, of a file that is this large at least.
    ///
    /// # Errors
    /// What a copy may fail by.
    pub async fn begin(
        &self,
        to: &Reference,
        from: &Opened,
        stop: &Stop,
    ) -> Result<Gradual, CopyError> {
        let piece = self.limits.part_size_for(from.size);
        if piece > self.limits.memory {
            return Err(CopyError::TooLargeForParts {
                name: from.name.clone(),
                size: from.size,
                memory: self.limits.memory,
                part: piece,
            });
        }
        let object = self.stores().open(to)?;
        let upload = Upload {
            limits: &self.limits,
            budget: &self.budget,
            tally: &Tally::default(),
            stop,
        };
        let parts = upload.begin(&object).await?;
        Ok(Gradual {
            object,
            parts,
            piece,
            sent: Vec::new(),
        })
    }

    /// Sends the whole pieces within the first `until` bytes that were not sent before.
    ///
    /// # Errors
    /// What a copy may fail by. What was sent counts all the same, up to the first piece that was not.
    pub async fn send_until(
        &self,
        gradual: &mut Gradual,
        from: &Opened,
        until: u64,
        stop: &Stop,
    ) -> Result<(), CopyError> {
        let (first, end) = (gradual.sent.len() as u64, until / gradual.piece);
        let pieces = (first..end).map(|index| (index, gradual.piece));
        let (fresh, outcome) = self.send_pieces(gradual, from, pieces, stop).await;
        gradual.sent.extend(fresh.into_iter().flatten());
        outcome
    }

    /// Makes the object of the file as it is now: compares what was sent, sends what has changed or
    /// is missing. Says what the object holds, and how many bytes of it were sent now.
    ///
    /// # Errors
    /// What a copy may fail by; the upload is then aborted.
    pub async fn finish(
        &self,
        mut gradual: Gradual,
        from: &Opened,
        stop: &Stop,
    ) -> Result<(Digests, u64), CopyError> {
        let outcome = self.complete(&mut gradual, from, stop).await;
        if outcome.is_err() {
            self.give_up(gradual).await;
        }
        outcome
    }

    /// Drops what was sent. What the store keeps of it all the same is logged.
    pub async fn give_up(&self, gradual: Gradual) {
        abandon(gradual.parts, &gradual.object).await;
    }

    async fn complete(
        &self,
        gradual: &mut Gradual,
        from: &Opened,
        stop: &Stop,
    ) -> Result<(Digests, u64), CopyError> {
        if !gradual.fits(from.size) {
            return Err(CopyError::SourceChanged {
                name: from.name.clone(),
                before: gradual.sent(),
                after: from.size,
            });
        }
        let (size, piece) = (from.size, gradual.piece);
        let length = |index: u64| piece.min(size - index * piece);
        let pieces = (0..size.div_ceil(piece)).map(|index| (index, length(index)));
        let (fresh, outcome) = self.send_pieces(gradual, from, pieces, stop).await;
        outcome?;
        let sent = (0..).zip(&fresh).filter(|(_, piece)| piece.is_some());
        let sent = sent.map(|(index, _)| length(index)).sum();
        let mut known = std::mem::take(&mut gradual.sent).into_iter();
        let pieces = fresh.into_iter().filter_map(|fresh| {
            let known = known.next();
            fresh.or(known)
        });
        let (parts, pieces) = pieces.map(|piece| (piece.part, piece.digest)).unzip();
        stop.race(gradual.parts.complete(parts, size)).await??;
        let digests = Digests {
            size,
            piece,
            pieces,
        };
        Ok((digests, sent))
    }

    /// Sends pieces, several at once; nothing for one that was sent before and has not changed. On
    /// failure none is left on its way if it can be helped, and what has come, in order, is told.
    async fn send_pieces(
        &self,
        gradual: &Gradual,
        from: &Opened,
        pieces: impl Iterator<Item = (u64, u64)> + Send,
        stop: &Stop,
    ) -> (Vec<Option<Piece>>, Result<(), CopyError>) {
        let halt = stop.child();
        let sending = stream::iter(pieces)
            .take_until(Box::pin(halt.reached()))
            .map(|(index, length)| self.send_piece(gradual, from, index, length))
            .buffered(self.limits.parts);
        let mut sending = std::pin::pin!(sending);
        let mut fresh = Vec::new();
        let error = loop {
            match stop.race(sending.next()).await {
                Ok(Some(Ok(piece))) => fresh.push(piece),
                Ok(Some(Err(error))) => break error,
                // The end of all, unless it was the halt that ended them.
                Ok(None) => match stop.race(std::future::ready(())).await {
                    Ok(()) => return (fresh, Ok(())),
                    Err(stopped) => break stopped.into(),
                },
                Err(stopped) => break stopped.into(),
            }
        };
        halt.cancel();
        let rest = sending.for_each(|_| std::future::ready(()));
        // Those that still have not ended are cut, and the store drops what is incomplete.
        let _ = tokio::time::timeout(CLEAN_UP, rest).await;
        (fresh, Err(error))
    }

    async fn send_piece(
        &self,
        gradual: &Gradual,
        from: &Opened,
        index: u64,
        length: u64,
    ) -> Result<Option<Piece>, CopyError> {
        let offset = index * gradual.piece;
        let number = usize::try_from(index).unwrap_or(usize::MAX);
        if let Some(known) = gradual.sent.get(number) {
            // A file that was read from the cache at the speed of memory must not keep main's
            // watcher from its events.
            tokio::task::yield_now().await;
            let now = digest::of_range(&from.file, offset, length)
                .map_err(|error| unreadable(from, error))?;
            if now == Some(known.digest) && length == gradual.piece {
                return Ok(None);
            }
        }
        let data = self.load(from, offset, length).await?.freeze();
        let digest = digest::of(&data);
        let part = gradual.parts.part(number, offset, data).await?;
        Ok(Some(Piece { part, digest }))
    }

    /// A range of the file, in memory of the budget.
    async fn load(&self, from: &Opened, offset: u64, length: u64) -> Result<Buffer, CopyError> {
        // The length of a piece, which fits in the memory.
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut buffer = self.budget.buffer(length).await;
        match from.file.read_exact_at(buffer.bytes(), offset) {
            Ok(()) => Ok(buffer),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(CopyError::SourceChanged {
                    name: from.name.clone(),
                    before: from.size,
                    after: from.file.metadata().map_or(0, |meta| meta.len()),
                })
            }
            Err(error) => Err(unreadable(from, error)),
        }
    }
}

fn unreadable(from: &Opened, source: io::Error) -> CopyError {
    CopyError::Read {
        name: from.name.clone(),
        source,
    }
}

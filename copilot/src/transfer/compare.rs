//! Whether an object holds exactly the bytes of a file.
//!
//! It reads both: a size, a tag or a note of an earlier run would be a hint only. Nothing is kept in memory
//! but the piece that is compared. Caller: `engine`.

use std::io;
use std::os::unix::fs::FileExt as _;

use super::download::{Sink, Source, WholeRead};
use super::error::CopyError;
use super::progress::Tally;
use super::stop::{Stop, Stopped};
use super::upload::OpenFile;
use crate::store::{Object, Retry, StoreError};

/// Compares what arrives with a file.
struct Comparison<'a> {
    file: &'a OpenFile,
    /// The bytes of the file that are compared.
    piece: Vec<u8>,
    differs: bool,
}

impl Sink for Comparison<'_> {
    fn begin(&mut self, size: Option<u64>) -> Result<(), CopyError> {
        self.check(size.is_none_or(|size| size == self.file.size))
    }

    fn write(&mut self, bytes: &[u8], at: u64) -> Result<(), CopyError> {
        self.piece.resize(bytes.len(), 0);
        let same = match self.file.file.read_exact_at(&mut self.piece, at) {
            Ok(()) => self.piece == bytes,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            Err(source) => {
                return Err(CopyError::Read {
                    name: self.file.name.clone(),
                    source,
                });
            }
        };
        self.check(same)
    }
}

impl Comparison<'_> {
    /// The first difference ends the reading.
    fn check(&mut self, same: bool) -> Result<(), CopyError> {
        self.differs |= !same;
        if self.differs {
            return Err(Stopped::Cancelled.into());
        }
        Ok(())
    }
}

/// Whether `object` exists and holds the bytes of `file`, and no others.
pub(super) async fn is_same(
    object: &Object,
    file: &OpenFile,
    retry: &Retry,
    stop: &Stop,
) -> Result<bool, CopyError> {
    let mut sink = Comparison {
        file,
        piece: Vec::new(),
        differs: false,
    };
    let source = Source {
        object,
        retry,
        tally: &Tally::default(),
    };
    let read = stop.race(WholeRead::new(source, &mut sink, 0).copy(None));
    match read.await? {
        Ok(size) => Ok(size == file.size),
        Err(_) if sink.differs => Ok(false),
        Err(CopyError::Store(StoreError::NotFound { .. })) => Ok(false),
        Err(error) => Err(error),
    }
}

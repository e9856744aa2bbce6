//! Moves bytes between stores and files: a stream of [`Copy`](enum@Copy) under one byte budget, with
//! cancellation, resumption and counts.
//!
//! Callers enter through [`Engine`]. Never here: what the bytes mean, Flyte, literals, or how a request
//! is sent again (`store` does that). Callers: `download`, `upload` and `sidecar`, and `command` for
//! error documents.

mod checksum;
mod compare;
mod copy;
mod download;
mod engine;
mod error;
mod memory;
mod progress;
mod small;
mod space;
mod stop;
mod upload;

pub use checksum::{FileChecksum, file_checksum};
pub use copy::{Copy, LocalFile, PlannedCopy};
pub use download::{
    PartialDirectory, is_partial, make_directory, names_a_file, remove, remove_unfinished,
    write_file,
};
pub use engine::Engine;
pub use error::{CopyError, CopyFailure, TransferError};
pub use memory::{TransferLimits, memory_limit};
pub use progress::{ByteCount, Display, Meter, Summary};
pub use small::Withdrawn;
pub use space::{Room, Shortage, SpaceError, has_room, room};
pub use stop::{Stop, Stopped};
pub use upload::{Digests, FileUploads, MultipartUpload, OpenFile, UploadNotes};

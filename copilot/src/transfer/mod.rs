//! Moves bytes between stores and files: a stream of [`Copy`](enum@Copy) under one byte budget, with
//! cancellation, resumption and counts.
//!
//! [`Engine`] is the door. Downloads land beside their target and are renamed (`partial`); uploads
//! appear whole or not at all, in one go or piece by piece (`gradual`). Never here: what the bytes
//! mean, Flyte, literals, or how a request is retried (that is `store`'s). Callers: the commands
//! `download` and `upload`.

mod budget;
mod cgroup;
mod copy;
mod digest;
mod download;
mod engine;
mod error;
mod gradual;
mod limits;
mod metadata;
mod partial;
mod prefix;
mod progress;
mod space;
mod stop;
mod tally;
mod upload;
mod write_back;

pub use copy::{Copy, Labelled, LocalFile};
pub use digest::Digests;
pub use engine::Engine;
pub use error::{CopyError, CopyFailure, TransferError};
pub use gradual::{Gradual, Opened};
pub use limits::Limits;
pub use partial::{PartialDirectory, make_directory, remove, write_file};
pub use progress::Display;
pub use space::{Shortage, SpaceError};
pub use stop::{Stop, Stopped};
pub use tally::Summary;

//! Directories that main, or anybody else in the pod, may change while we work in them.
//!
//! [`SharedDirectory`] holds such a directory by a descriptor from the start of the run, and tells at the end
//! whether its path still names it. [`GuardedDirectory`] opens, makes, renames and removes what is in it, only
//! beneath that descriptor. [`Place`] is a path in one. Here live no bare paths after the start, and nothing
//! knows what the files mean. Callers: `download`, `upload`, `transfer`, `track`, `store` and `command`.

mod anchor;
mod beginning;
mod guarded;
mod identity;
mod kind;
mod locked;
mod place;
mod remote;
mod remove;
mod resolve;
mod shared;

pub use guarded::{GuardedDirectory, Parent};
pub use kind::{FileKind, kind};
pub use locked::{create_locked, is_at, make_locked, remove_unless_locked};
pub use place::Place;
pub use remote::{remote_kind, sync_if_remote};
pub use remove::remove;
pub use shared::{SharedDirectory, SharedError};

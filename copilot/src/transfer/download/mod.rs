//! Downloads: one object to one file, and a prefix to a directory of files.
//!
//! Bytes land in a file beside the target (`partial`), which takes the target's place once it is
//! complete. A body that breaks is resumed where it broke, or read anew (`resume`). Never here: how many downloads
//! run at once, or what the files mean. Callers: the engine, and the jobs that write small files whole.

mod object;
mod part;
mod partial;
mod prefix;
mod resume;
mod whole;

pub(super) use object::ObjectDownload;
pub use partial::{
    PartialDirectory, is_partial, make_directory, remove, remove_unfinished, write_file,
};
pub use prefix::names_a_file;
pub(super) use prefix::{ListedObject, expand};
pub(super) use resume::{Sink, Source};
pub(super) use whole::WholeRead;

//! The memory that transfers use: how much they may take, and who holds it right now.
//!
//! [`TransferLimits`] says how much, [`MemoryBudget`] hands it out, `cgroup` reads the kernel's limits,
//! `write_back` keeps the page cache clean within them. A task reserves memory before it reads or
//! receives a byte, and releases it when the last byte is sent or written. Never here: room on disk
//! (`space`), or what the bytes are. Callers: the engine, uploads, downloads, `space`.

mod budget;
pub(super) mod cgroup;
mod limits;
mod write_back;

pub(super) use budget::MemoryBudget;
pub use cgroup::memory_limit;
pub(super) use limits::MAX_PARTS;
pub use limits::TransferLimits;
pub(super) use write_back::WriteBack;

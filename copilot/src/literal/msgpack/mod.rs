//! MessagePack, the form in which flytekit sends dataclasses, dicts, pydantic models and their members.
//!
//! [`check`] checks all bytes once; [`Value`] then reads them where they lie, so nothing is allocated for
//! lengths that are only claimed. [`encode`] writes JSON as MessagePack. Never here: which scalars are
//! MessagePack, or how a value is shown. `render` reads with it, `output` writes.

mod check;
mod encode;
mod head;
mod value;

pub use check::{PackedError, check};
pub use encode::encode;
pub use value::{Entries, List, Map, Value};

/// The tag of a binary scalar that holds MessagePack.
pub const TAG: &str = "msgpack";

#[cfg(test)]
mod tests;

//! Storage and logger settings: flag > environment > file > default, with the source of each
//! value kept so that a person can ask where it came from.
//!
//! Never here: opening a store, or anything that a command decides. `cli` builds the settings,
//! `store` reads them.

mod storage;

pub use storage::{HttpSettings, SchemeSettings, StorageSettings};

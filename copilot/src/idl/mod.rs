//! Flyte's messages as Rust types, generated from `proto/`, and the few conversions on them.
//!
//! Here: strict decoding, with errors that say what was expected; types in words; shorthands that build
//! literals. Never here: files, stores, or the form of a value on disk (`literal`). Every module may call
//! it.

mod census;
mod decode;
mod describe;
mod generated;
mod likeness;
mod shorthand;

pub use census::{MOST_VALUES, values_in, values_in_map};
pub use decode::{
    DecodeCause, DecodeError, decode_error_document, decode_literal, decode_literal_map,
    decode_typed_interface, decode_variable_map,
};
pub use generated::*;
pub use prost::Message;
pub use prost_types::{Duration, ListValue, Struct, Timestamp, Value, value};

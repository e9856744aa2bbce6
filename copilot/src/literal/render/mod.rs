//! Values as text: `inputs.json`, `inputs.yaml`, and the file of a single scalar (spec §3.3–§3.5).
//!
//! Here: bytes written straight to the caller's writer while the values are walked, so that a large
//! value is never held twice. Give a buffered writer: the pieces are small. Never here: which files
//! there are and what they are called (`input`). The download writes its files with it.

mod file;
mod json;
mod metadata;
mod node;
mod quote;
mod yaml;

use std::io::{self, Write};

pub use file::write_scalar;
pub use metadata::{MetadataFile, MetadataFormat};
use node::Node;

use crate::idl::LiteralMap;

/// Writes `inputs.json`: one line, keys in byte order, no final newline, the reference's escapes.
///
/// Not-a-number and the infinities are the strings of protobuf's JSON: `"NaN"`, `"Infinity"`,
/// `"-Infinity"`. Errors are the writer's.
pub fn write_json(literals: &LiteralMap, out: &mut impl Write) -> io::Result<()> {
    json::write(&Node::map(literals), out)
}

/// Writes `inputs.yaml`: what `inputs.json` says, for a YAML 1.1 reader.
///
/// Equal to the reference's file when read, not to the byte: a string stands in double quotes
/// unless it is plain beyond doubt, and no line is folded. Errors are the writer's.
pub fn write_yaml(literals: &LiteralMap, out: &mut impl Write) -> io::Result<()> {
    yaml::write(&Node::map(literals), out)
}

#[cfg(test)]
mod tests;

//! Values as text: `inputs.json`, `inputs.yaml`, and the file of a single scalar (spec §3.3–§3.5).
//!
//! The bytes go straight to the caller's writer while the values are walked, so a large value is never
//! in memory twice. Pass a buffered writer: the pieces are small. [`Binaries`] decides how binary scalars
//! are shown. Never here: which files exist and their names (`input`). The download writes its files with
//! it.

mod binary;
mod file;
mod json;
mod metadata;
mod node;
mod quote;
mod yaml;

use std::io::{self, Write};

pub use binary::{Binaries, BinaryForm, Place};
pub use file::write_scalar;
pub use metadata::{MetadataFile, MetadataFormat};
use node::RenderNode;

use crate::idl::LiteralMap;

/// Writes `inputs.json`: one line, keys in byte order, no final newline, the reference's escapes.
///
/// NaN and the infinities are the strings of protobuf's JSON: `"NaN"`, `"Infinity"`, `"-Infinity"`.
/// Errors come from the writer.
pub fn write_json(
    literals: &LiteralMap,
    binaries: &Binaries,
    out: &mut impl Write,
) -> io::Result<()> {
    json::write(&RenderNode::map(literals, binaries.top()), out)
}

/// Writes `inputs.yaml`: the values of `inputs.json` for a YAML 1.1 reader.
///
/// A reader gets the same values as from the reference's file, but the bytes differ: a string stands in
/// double quotes unless it is certainly plain, and no line is folded. Errors come from the writer.
pub fn write_yaml(
    literals: &LiteralMap,
    binaries: &Binaries,
    out: &mut impl Write,
) -> io::Result<()> {
    yaml::write(&RenderNode::map(literals, binaries.top()), out)
}

#[cfg(test)]
mod tests;

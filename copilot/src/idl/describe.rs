//! A type in words, for messages to people.

use std::fmt;

use super::blob_type::BlobDimensionality;
use super::literal_type::Type;
use super::{LiteralType, SimpleType};

/// How many levels of a type are named; deeper levels are `…`.
const DEPTH: usize = 4;
/// How many variants of a union, or values of an enumeration, are named.
const WIDTH: usize = 8;

impl fmt::Display for LiteralType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(self, DEPTH, out)
    }
}

fn describe(declared: &LiteralType, depth: usize, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some(kind) = &declared.r#type else {
        return out.write_str("a type that is not set");
    };
    if depth == 0 {
        return out.write_str("…");
    }
    match kind {
        Type::Simple(number) => match SimpleType::try_from(*number) {
            Ok(simple) => out.write_str(&simple.as_str_name().to_lowercase()),
            Err(_) => write!(out, "simple type {number}"),
        },
        Type::Schema(_) => out.write_str("schema"),
        Type::CollectionType(element) => {
            out.write_str("list of ")?;
            describe(element, depth - 1, out)
        }
        Type::MapValueType(value) => {
            out.write_str("map of ")?;
            describe(value, depth - 1, out)
        }
        Type::Blob(blob) => match blob.dimensionality() {
            BlobDimensionality::Single => out.write_str("file"),
            BlobDimensionality::Multipart => out.write_str("directory"),
        },
        Type::EnumType(declared) => {
            out.write_str("enum of ")?;
            separated(&declared.values, out, |value, out| write!(out, "{value:?}"))
        }
        Type::StructuredDatasetType(_) => out.write_str("structured dataset"),
        Type::UnionType(declared) => {
            out.write_str("union of ")?;
            separated(&declared.variants, out, |variant, out| {
                describe(variant, depth - 1, out)
            })
        }
    }
}

fn separated<T>(
    items: &[T],
    out: &mut fmt::Formatter<'_>,
    mut write: impl FnMut(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if items.is_empty() {
        return out.write_str("nothing");
    }
    for (index, item) in items.iter().take(WIDTH).enumerate() {
        if index > 0 {
            out.write_str(" | ")?;
        }
        write(item, out)?;
    }
    if items.len() > WIDTH {
        out.write_str(" | …")?;
    }
    Ok(())
}

//! A type in words that [`parse_type`](super::parse_type()) reads back.

use std::fmt::Write as _;

use crate::idl::blob_type::BlobDimensionality;
use crate::idl::literal_type::Type;
use crate::idl::{LiteralType, SimpleType};

/// Deeper levels are `…`: hostile types must not fill the stack.
const DEPTH: usize = 50;

/// The type in words. Facts beside the type itself (metadata, annotations, a tag, columns) have no words; see
/// [`has_words`].
#[must_use]
pub fn type_words(declared: &LiteralType) -> String {
    let mut words = String::new();
    write(declared, DEPTH, &mut words);
    words
}

/// Whether the words say everything: they read back as the same type.
pub(super) fn has_words(declared: &LiteralType) -> bool {
    super::parse_type(&type_words(declared)).is_ok_and(|read| read == *declared)
}

fn write(declared: &LiteralType, depth: usize, words: &mut String) {
    if depth == 0 {
        words.push('…');
        return;
    }
    match &declared.r#type {
        None => words.push_str("(not set)"),
        Some(Type::Simple(number)) => match SimpleType::try_from(*number) {
            Ok(kind) => words.push_str(&kind.as_str_name().to_ascii_lowercase()),
            Err(_) => _ = write!(words, "(simple type {number})"),
        },
        Some(Type::Schema(_)) => words.push_str("schema"),
        Some(Type::CollectionType(inner)) => bracketed("list", inner, depth, words),
        Some(Type::MapValueType(inner)) => bracketed("map", inner, depth, words),
        Some(Type::Blob(blob)) => {
            words.push_str(match blob.dimensionality() {
                BlobDimensionality::Single => "file",
                BlobDimensionality::Multipart => "directory",
            });
            format(&blob.format, words);
        }
        Some(Type::EnumType(declared)) => {
            words.push_str("enum[");
            for (index, value) in declared.values.iter().enumerate() {
                separate(index, ", ", words);
                text(value, words);
            }
            words.push(']');
        }
        Some(Type::StructuredDatasetType(dataset)) => {
            words.push_str("dataset");
            format(&dataset.format, words);
        }
        Some(Type::UnionType(union)) => match union.variants.as_slice() {
            // A `|` needs two types, and a union in a union needs a name of its own.
            several if several.len() > 1 && !several.iter().any(is_union) => {
                for (index, variant) in several.iter().enumerate() {
                    separate(index, " | ", words);
                    write(variant, depth - 1, words);
                }
            }
            other => {
                words.push_str("union[");
                for (index, variant) in other.iter().enumerate() {
                    separate(index, ", ", words);
                    write(variant, depth - 1, words);
                }
                words.push(']');
            }
        },
    }
}

fn is_union(declared: &LiteralType) -> bool {
    matches!(declared.r#type, Some(Type::UnionType(_)))
}

fn bracketed(name: &str, inner: &LiteralType, depth: usize, words: &mut String) {
    words.push_str(name);
    words.push('[');
    write(inner, depth - 1, words);
    words.push(']');
}

fn separate(index: usize, separator: &str, words: &mut String) {
    if index > 0 {
        words.push_str(separator);
    }
}

fn format(format: &str, words: &mut String) {
    if !format.is_empty() {
        words.push('[');
        text(format, words);
        words.push(']');
    }
}

/// A word as it is if it needs no quotes, else as JSON writes it.
fn text(word: &str, words: &mut String) {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+');
    if !word.is_empty() && word.chars().all(is_plain) {
        words.push_str(word);
    } else {
        words.push_str(&serde_json::Value::from(word).to_string());
    }
}

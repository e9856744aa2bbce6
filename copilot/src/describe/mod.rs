//! Flyte's messages as people read and write them: types in words, values as JSON, documents in words, JSON or
//! YAML, and back. What [`Document::to_json`] writes, [`Document::from_json`] reads as the same message.
//!
//! Here: texts and messages, and the files that a person names on the command line. Never here: stores, the
//! log, printing, the layout of an input directory (`literal`). Callers: `cli` (types and inputs in flags), the
//! commands `inspect` and `make`, and `trial`.

mod document;
mod error;
mod exact;
mod given;
mod infer;
mod json;
mod kind;
mod make;
mod request;
mod source;
mod table;
mod type_parser;
mod type_words;
mod yaml;

pub use document::{Document, DocumentKind};
pub use error::DescribeError;
pub use given::{Given, GivenError, Inputs};
pub use make::{MakeError, make, variables};
pub use request::{DocumentForm, InspectRequest, MakeRequest};
pub use source::{Source, SourceError, read_file};
pub use table::{Table, human_size};
pub use type_parser::{TypeWordsError, parse_type};
pub use type_words::type_words;

#[cfg(test)]
mod tests;

//! Types from words: `integer`, `list[file[csv]]`, `map[string]`, `integer | none`. The grammar is that of
//! [`type_words`](super::type_words()), with the short names that people of Python and shells use.

use thiserror::Error;

use crate::idl::blob_type::BlobDimensionality;
use crate::idl::literal_type::Type;
use crate::idl::{
    BlobType, EnumType, LiteralType, SchemaType, SimpleType, StructuredDatasetType, UnionType,
};

/// Deeper types are refused: each level is a call.
const DEPTH: usize = 50;

/// The names that a message lists.
const NAMES: &str = "integer, float, string, boolean, datetime, duration, binary, struct, none, error, file, \
                     file[csv], directory, dataset[csv], schema, enum[a, b], list[T], map[T], T | none";

/// Words that are not a type.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{text:?} is not a type: {rule}. Types are {NAMES}")]
pub struct TypeWordsError {
    /// The words, cut if long.
    text: String,
    /// The rule that they break.
    rule: String,
}

/// Reads a type.
///
/// # Errors
/// The rule that the words break.
pub fn parse_type(text: &str) -> Result<LiteralType, TypeWordsError> {
    let mut words = Words { rest: text };
    words
        .union(DEPTH)
        .and_then(|found| {
            words.skip_blanks();
            match words.rest {
                "" => Ok(found),
                rest => Err(format!("{rest:?} follows the type")),
            }
        })
        .map_err(|rule| TypeWordsError {
            text: text.chars().take(80).collect(),
            rule,
        })
}

/// The words that are still to be read.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes this character, if it comes next.
    fn take(&mut self, sign: char) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, sign: char, after: &str) -> Result<(), String> {
        if self.take(sign) {
            return Ok(());
        }
        Err(format!("{sign:?} must follow {after}"))
    }

    /// One type, or several with `|` between them.
    fn union(&mut self, depth: usize) -> Result<LiteralType, String> {
        let first = self.one(depth)?;
        let mut variants = vec![first];
        while self.take('|') {
            variants.push(self.one(depth)?);
        }
        Ok(match (variants.pop(), variants.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                variants.extend(last);
                union_of(variants)
            }
        })
    }

    /// One type; a `?` after it adds `none`.
    fn one(&mut self, depth: usize) -> Result<LiteralType, String> {
        if depth == 0 {
            return Err(format!("it nests deeper than {DEPTH} levels"));
        }
        let found = if self.take('(') {
            let inner = self.union(depth - 1)?;
            self.expect(')', "a type in parentheses")?;
            inner
        } else {
            let name = self.name();
            self.named(name, depth)?
        };
        Ok(if self.take('?') {
            union_of(vec![found, simple(SimpleType::None)])
        } else {
            found
        })
    }

    fn name(&mut self) -> &'a str {
        self.skip_blanks();
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name
    }

    fn named(&mut self, name: &str, depth: usize) -> Result<LiteralType, String> {
        let lower = name.to_ascii_lowercase();
        if let Some(kind) = simple_of(&lower) {
            return Ok(simple(kind));
        }
        Ok(typed(match lower.as_str() {
            "file" | "blob" => self.blob(BlobDimensionality::Single)?,
            "directory" | "dir" | "folder" => self.blob(BlobDimensionality::Multipart)?,
            "dataset" | "table" => Type::StructuredDatasetType(StructuredDatasetType {
                format: self.format()?,
                ..StructuredDatasetType::default()
            }),
            "schema" => Type::Schema(SchemaType::default()),
            "enum" => Type::EnumType(EnumType {
                values: self.values()?,
            }),
            "list" => Type::CollectionType(Box::new(self.inner(name, depth)?)),
            "map" => Type::MapValueType(Box::new(self.inner(name, depth)?)),
            "union" => return self.variants(depth),
            "optional" => {
                let inner = self.inner(name, depth)?;
                return Ok(union_of(vec![inner, simple(SimpleType::None)]));
            }
            "" => {
                return Err(match self.rest.chars().next() {
                    Some(sign) => format!("a name must stand at {sign:?}"),
                    None => "a name is missing".to_owned(),
                });
            }
            _ => return Err(format!("the name {name:?} is unknown")),
        }))
    }

    fn blob(&mut self, dimensionality: BlobDimensionality) -> Result<Type, String> {
        Ok(Type::Blob(BlobType {
            format: self.format()?,
            dimensionality: dimensionality.into(),
        }))
    }

    /// The format in brackets; empty without them.
    fn format(&mut self) -> Result<String, String> {
        if !self.take('[') {
            return Ok(String::new());
        }
        let format = self.text()?;
        self.expect(']', "a format")?;
        Ok(format)
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        self.expect('[', "enum")?;
        let mut values = Vec::new();
        if self.take(']') {
            return Ok(values);
        }
        loop {
            values.push(self.text()?);
            if !self.take(',') {
                break;
            }
        }
        self.expect(']', "the values of an enum")?;
        Ok(values)
    }

    fn inner(&mut self, name: &str, depth: usize) -> Result<LiteralType, String> {
        self.expect('[', name)?;
        let inner = self.union(depth - 1)?;
        self.expect(']', "a type in brackets")?;
        Ok(inner)
    }

    fn variants(&mut self, depth: usize) -> Result<LiteralType, String> {
        self.expect('[', "union")?;
        let mut variants = Vec::new();
        while !self.take(']') {
            variants.push(self.union(depth - 1)?);
            if !self.take(',') {
                self.expect(']', "the variants of a union")?;
                break;
            }
        }
        Ok(union_of(variants))
    }

    /// A text in quotes, as in JSON; or a word up to `,` or `]`.
    fn text(&mut self) -> Result<String, String> {
        self.skip_blanks();
        if !self.rest.starts_with('"') {
            let end = self.rest.find([',', ']']).unwrap_or(self.rest.len());
            let (word, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(word.trim_end().to_owned());
        }
        let mut texts = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        match texts.next() {
            Some(Ok(text)) => {
                self.rest = &self.rest[texts.byte_offset()..];
                Ok(text)
            }
            _ => Err("a text in quotes does not end".to_owned()),
        }
    }
}

fn simple_of(name: &str) -> Option<SimpleType> {
    Some(match name {
        "integer" | "int" => SimpleType::Integer,
        "float" | "double" => SimpleType::Float,
        "string" | "str" | "text" => SimpleType::String,
        "boolean" | "bool" => SimpleType::Boolean,
        "datetime" => SimpleType::Datetime,
        "duration" | "timedelta" => SimpleType::Duration,
        "binary" | "bytes" => SimpleType::Binary,
        "struct" | "dict" | "json" | "object" => SimpleType::Struct,
        "none" | "null" => SimpleType::None,
        "error" => SimpleType::Error,
        _ => return None,
    })
}

/// A type of this kind, and nothing more.
pub(super) fn typed(kind: Type) -> LiteralType {
    LiteralType {
        r#type: Some(kind),
        ..LiteralType::default()
    }
}

/// A simple type.
pub(super) fn simple(kind: SimpleType) -> LiteralType {
    typed(Type::Simple(kind.into()))
}

/// A union of these types.
pub(super) fn union_of(variants: Vec<LiteralType>) -> LiteralType {
    typed(Type::UnionType(UnionType { variants }))
}

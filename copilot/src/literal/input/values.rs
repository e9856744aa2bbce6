//! The files whose content is a literal itself. A second walk over the map finds them: nothing is
//! copied, and a hundred thousand of them take no memory.

use std::collections::btree_map;
use std::io::{self, Write};
use std::iter::Enumerate;
use std::path::{Path, PathBuf};
use std::slice;

use crate::idl::{Literal, LiteralMap, Scalar, literal, scalar};
use crate::literal::render::{self, Binaries, Place};

/// A file that holds one scalar.
#[derive(Clone, Debug)]
pub struct ValueFile<'a> {
    /// Its path, relative to the input directory.
    pub path: PathBuf,
    scalar: &'a Scalar,
    place: Place<'a>,
}

impl ValueFile<'_> {
    /// The input variable that it belongs to.
    #[must_use]
    pub fn variable(&self) -> &str {
        self.path
            .iter()
            .next()
            .and_then(|first| first.to_str())
            .unwrap_or_default()
    }

    /// Writes the file's bytes (spec §3.3); pass a buffered writer. Errors come from the writer.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        render::write_scalar(self.scalar, self.place, out)
    }
}

/// Walks a planned map; see [`InputPlan::values`](super::InputPlan::values).
#[derive(Debug)]
pub struct Values<'a> {
    levels: Vec<ValueLevel<'a>>,
    /// The directory of the innermost level.
    directory: PathBuf,
}

#[derive(Debug)]
enum ValueLevel<'a> {
    /// The place is that of the map.
    Map(btree_map::Iter<'a, String, Literal>, Place<'a>),
    /// The place is that of each element.
    List(Enumerate<slice::Iter<'a, Literal>>, Place<'a>),
}

impl<'a> ValueLevel<'a> {
    /// The next literal, its name and its place. A layout renames references only, and those have no value
    /// file.
    fn next(&mut self) -> Option<(String, &'a Literal, Place<'a>)> {
        match self {
            Self::Map(entries, place) => entries
                .next()
                .map(|(key, literal)| (key.clone(), literal, place.entry(key))),
            Self::List(items, place) => items
                .next()
                .map(|(index, literal)| (index.to_string(), literal, *place)),
        }
    }
}

impl<'a> Values<'a> {
    pub(super) fn new(map: &'a LiteralMap, binaries: &'a Binaries) -> Self {
        Self {
            levels: vec![ValueLevel::Map(map.literals.iter(), binaries.top())],
            directory: PathBuf::new(),
        }
    }

    fn enter(&mut self, name: &Path, level: ValueLevel<'a>) {
        self.directory.push(name);
        self.levels.push(level);
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = ValueFile<'a>;

    fn next(&mut self) -> Option<ValueFile<'a>> {
        while let Some(level) = self.levels.last_mut() {
            let Some((name, literal, place)) = level.next() else {
                self.levels.pop();
                self.directory.pop();
                continue;
            };
            match content(literal, place) {
                Content::Value(scalar, place) => {
                    return Some(ValueFile {
                        path: self.directory.join(name),
                        scalar,
                        place,
                    });
                }
                Content::Level(level) => self.enter(Path::new(&name), level),
                Content::Elsewhere => {}
            }
        }
        None
    }
}

enum Content<'a> {
    Value(&'a Scalar, Place<'a>),
    Level(ValueLevel<'a>),
    /// A reference: the transfer brings its data.
    Elsewhere,
}

fn content<'a>(literal: &'a Literal, place: Place<'a>) -> Content<'a> {
    let scalar = match &literal.value {
        None | Some(literal::Value::OffloadedMetadata(_)) => return Content::Elsewhere,
        Some(literal::Value::Collection(list)) => {
            return Content::Level(ValueLevel::List(
                list.literals.iter().enumerate(),
                place.element(),
            ));
        }
        Some(literal::Value::Map(map)) => {
            return Content::Level(ValueLevel::Map(map.literals.iter(), place));
        }
        Some(literal::Value::Scalar(scalar)) => scalar,
    };
    match &scalar.value {
        None
        | Some(
            scalar::Value::Blob(_) | scalar::Value::Schema(_) | scalar::Value::StructuredDataset(_),
        ) => Content::Elsewhere,
        Some(scalar::Value::Union(union)) => {
            let inner = |inner| content(inner, place.within(union));
            union.value.as_deref().map_or(Content::Elsewhere, inner)
        }
        Some(_) => Content::Value(scalar, place),
    }
}

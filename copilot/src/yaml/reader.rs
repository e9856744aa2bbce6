//! The loop over the parser's events. Reading events, not the parser's own tree, keeps the spelling of
//! scalars, bounds depth and size while the text is read, and gives each error its line.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser};

use super::error::{YamlError, YamlRule};
use super::tree::{Scalar, Tree};

/// The tree of the one document that `text` holds; none if the text is empty.
pub(crate) fn read<T: Tree>(text: &str) -> Result<Option<T>, YamlError> {
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut reader = EventReader::default();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| YamlError {
            line: error.marker().line(),
            rule: YamlRule::Grammar(error.info().to_owned()),
        })?;
        reader.take(event).map_err(|rule| YamlError {
            line: span.start.line(),
            rule,
        })?;
    }
    Ok(reader.document)
}

/// A list or map that is not yet complete, and its anchor.
struct Open<T: Tree> {
    collection: Collection<T>,
    anchor: usize,
}

enum Collection<T: Tree> {
    List(Vec<T>),
    Map {
        entries: T::Map,
        key: Option<String>,
    },
}

/// A complete value that aliases may repeat.
struct Anchored<T> {
    value: T,
    size: usize,
}

struct EventReader<T: Tree> {
    open: Vec<Open<T>>,
    anchors: HashMap<usize, Anchored<T>>,
    values: usize,
    document: Option<T>,
}

impl<T: Tree> Default for EventReader<T> {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            anchors: HashMap::new(),
            values: 0,
            document: None,
        }
    }
}

impl<T: Tree> EventReader<T> {
    fn take(&mut self, event: Event<'_>) -> Result<(), YamlRule> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = Scalar::new(&text, style, tag.as_deref());
                let value = if self.awaits_key() {
                    T::key(&scalar)?
                } else {
                    T::scalar(&scalar)?
                };
                self.complete(value, anchor)
            }
            Event::SequenceStart(anchor, _) => self.start(Collection::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.start(
                Collection::Map {
                    entries: T::Map::default(),
                    key: None,
                },
                anchor,
            ),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { collection, anchor }) => {
                    let value = match collection {
                        Collection::List(items) => T::list(items),
                        Collection::Map { entries, .. } => T::map(entries),
                    };
                    self.complete(value, anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => self.repeat(anchor),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn awaits_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                collection: Collection::Map { key: None, .. },
                ..
            })
        )
    }

    fn start(&mut self, collection: Collection<T>, anchor: usize) -> Result<(), YamlRule> {
        if self.open.len() >= T::LIMITS.depth {
            return Err(YamlRule::Depth(T::LIMITS.depth));
        }
        if self.awaits_key() {
            return Err(YamlRule::Key);
        }
        self.open.push(Open { collection, anchor });
        Ok(())
    }

    /// Takes a complete value: remembers it under its anchor, then puts it in its place.
    fn complete(&mut self, value: T, anchor: usize) -> Result<(), YamlRule> {
        count::<T>(&mut self.values, 1)?;
        if anchor != 0 {
            let size = value.size();
            // The anchor's copy counts as well.
            count::<T>(&mut self.values, size)?;
            let value = value.clone();
            self.anchors.insert(anchor, Anchored { value, size });
        }
        self.place(value)
    }

    /// Puts a copy of an anchored value in the place of its alias.
    fn repeat(&mut self, anchor: usize) -> Result<(), YamlRule> {
        let Some(Anchored { value, size }) = self.anchors.get(&anchor) else {
            return Err(YamlRule::AliasInside);
        };
        // Counted first: a copy that is too large is never made.
        count::<T>(&mut self.values, *size)?;
        let value = value.clone();
        self.place(value)
    }

    fn place(&mut self, value: T) -> Result<(), YamlRule> {
        let Some(open) = self.open.last_mut() else {
            return self.place_document(value);
        };
        match &mut open.collection {
            Collection::List(items) => items.push(value),
            Collection::Map { entries, key } => match key.take() {
                None => *key = Some(value.into_key().ok_or(YamlRule::Key)?),
                Some(key) => T::insert(entries, key, value)?,
            },
        }
        Ok(())
    }

    fn place_document(&mut self, value: T) -> Result<(), YamlRule> {
        if self.document.is_none() {
            self.document = Some(value);
        } else if !value.is_empty_document() {
            return Err(YamlRule::SecondDocument);
        }
        Ok(())
    }
}

fn count<T: Tree>(values: &mut usize, more: usize) -> Result<(), YamlRule> {
    *values += more;
    if *values > T::LIMITS.values {
        return Err(YamlRule::Values(T::LIMITS.values));
    }
    Ok(())
}

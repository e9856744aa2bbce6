//! Values of checked bytes, read where they lie.

use std::borrow::Cow;

use super::head::Head;

/// A value of bytes that [`check`](super::check) has accepted.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// No value.
    Nil,
    /// A truth value.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number beyond an `i64`.
    Unsigned(u64),
    /// A double; a number of 32 bits is widened.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// A list.
    List(List<'a>),
    /// A map.
    Map(Map<'a>),
}

/// The elements of a list.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    length: usize,
    /// From the first element on; may go on after the last.
    bytes: &'a [u8],
}

/// The entries of a map.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a> {
    length: usize,
    /// From the first key on; may go on after the last value.
    bytes: &'a [u8],
}

/// The entries of a map by name.
pub type Entries<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

impl<'a> Value<'a> {
    /// Takes a value with all its members from `rest`. None for bytes that `check` refuses.
    pub(super) fn take(rest: &mut &'a [u8]) -> Option<Self> {
        Some(match Head::take(rest)? {
            Head::Nil => Self::Nil,
            Head::Boolean(value) => Self::Boolean(value),
            Head::Integer(value) => Self::Integer(value),
            Head::Unsigned(value) => Self::Unsigned(value),
            Head::Float(value) => Self::Float(value),
            Head::Text(bytes) => Self::Text(std::str::from_utf8(bytes).ok()?),
            Head::List(length) => {
                let bytes = *rest;
                skip(rest, length)?;
                Self::List(List { length, bytes })
            }
            Head::Map(length) => {
                let bytes = *rest;
                skip(rest, length.checked_mul(2)?)?;
                Self::Map(Map { length, bytes })
            }
            Head::Bytes | Head::Extension | Head::Reserved => return None,
        })
    }
}

impl<'a> List<'a> {
    /// Whether it has no elements.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.length == 0
    }

    /// The elements in order.
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> {
        let mut rest = self.bytes;
        (0..self.length).map_while(move |_| Value::take(&mut rest))
    }
}

impl<'a> Map<'a> {
    /// Whether it has no entries.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.length == 0
    }

    /// The text under this name. `None` if the map does not have the name, or the value is not text.
    #[must_use]
    pub fn text(self, name: &str) -> Option<&'a str> {
        let mut rest = self.bytes;
        for _ in 0..self.length {
            let key = Head::take(&mut rest)?.key()?;
            match Value::take(&mut rest)? {
                Value::Text(text) if key == name => return Some(text),
                _ => {}
            }
        }
        None
    }

    /// The entries in byte order of their keys, which are all different.
    #[must_use]
    pub fn entries(self) -> Entries<'a> {
        let mut rest = self.bytes;
        let entries = (0..self.length).map_while(|_| {
            let key = Head::take(&mut rest)?.key()?;
            Some((key, Value::take(&mut rest)?))
        });
        let mut entries: Entries<'_> = entries.collect();
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        entries
    }
}

/// Skips so many values with all their members.
fn skip(rest: &mut &[u8], values: usize) -> Option<()> {
    let mut open = values;
    while open > 0 {
        open -= 1;
        match Head::take(rest)? {
            Head::List(length) => open = open.checked_add(length)?,
            Head::Map(length) => open = open.checked_add(length.checked_mul(2)?)?,
            _ => {}
        }
    }
    Some(())
}

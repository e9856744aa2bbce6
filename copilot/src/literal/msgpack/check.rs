//! Whether bytes are one value that JSON can hold, and if not, why.

use std::borrow::Cow;

use thiserror::Error;

use super::head::Head;
use super::value::Value;
use crate::literal::name::Shown;

/// How many levels of lists and maps a value may have. Our readers of JSON and YAML take as many, so a
/// value that is shown can be written back.
const DEPTH: usize = 100;
/// How many values one binary scalar may hold.
const MOST_VALUES: usize = 1_000_000;

/// Why bytes are not shown as a value. JSON could hold some of the values that are refused here, but not
/// so that the same value comes back.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PackedError {
    /// It holds no bytes.
    #[error("it is empty")]
    Empty,
    /// The bytes end within a value.
    #[error("it ends before its value is complete")]
    Cut,
    /// Bytes follow the value.
    #[error("{0} bytes follow the first value")]
    Trailing(usize),
    /// A byte has no meaning.
    #[error("it holds the byte 0xc1, which has no meaning")]
    Reserved,
    /// A text is not UTF-8.
    #[error("it holds a text that is not UTF-8")]
    NotUtf8,
    /// It holds bytes.
    #[error("it holds bytes, which JSON cannot hold")]
    Bytes,
    /// It holds a value of an extension type, such as a timestamp.
    #[error("it holds a value of an extension type (such as a timestamp), which JSON cannot hold")]
    Extension,
    /// A list or a map holds NaN or an infinity.
    #[error("a list or map in it holds NaN or an infinity, which JSON cannot hold")]
    NotFinite,
    /// A key is neither text nor a number, a truth value or nil.
    #[error("a map in it has a key that JSON cannot have: a list, a map, bytes or NaN")]
    Key,
    /// Two keys are the same text in JSON.
    #[error("a map in it has two keys that are {} in JSON", Shown(.0))]
    RepeatedKey(String),
    /// It nests too deep.
    #[error("its lists and maps nest more than {DEPTH} levels deep")]
    TooDeep,
    /// It holds too many values for memory.
    #[error("it holds more than {MOST_VALUES} values")]
    TooMany,
}

/// Checks that `bytes` are exactly one value that JSON can hold, and returns it.
///
/// Takes memory only for the keys of the maps, and only for keys that are there.
pub fn check(bytes: &[u8]) -> Result<Value<'_>, PackedError> {
    if bytes.is_empty() {
        return Err(PackedError::Empty);
    }
    let mut checker = Checker {
        rest: bytes,
        values: 0,
    };
    checker.value(0)?;
    if !checker.rest.is_empty() {
        return Err(PackedError::Trailing(checker.rest.len()));
    }
    Value::take(&mut &*bytes).ok_or(PackedError::Cut)
}

struct Checker<'a> {
    rest: &'a [u8],
    values: usize,
}

impl<'a> Checker<'a> {
    fn head(&mut self) -> Result<Head<'a>, PackedError> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(PackedError::TooMany);
        }
        match Head::take(&mut self.rest).ok_or(PackedError::Cut)? {
            Head::Text(bytes) if std::str::from_utf8(bytes).is_err() => Err(PackedError::NotUtf8),
            Head::Reserved => Err(PackedError::Reserved),
            head => Ok(head),
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), PackedError> {
        match self.head()? {
            Head::Bytes => Err(PackedError::Bytes),
            Head::Extension => Err(PackedError::Extension),
            // A lone float has a file of its own, which can be NaN.
            Head::Float(value) if depth > 0 && !value.is_finite() => Err(PackedError::NotFinite),
            Head::List(_) | Head::Map(_) if depth == DEPTH => Err(PackedError::TooDeep),
            Head::List(length) => {
                self.has_room(length)?;
                (0..length).try_for_each(|_| self.value(depth + 1))
            }
            Head::Map(length) => {
                self.has_room(length)?;
                self.map(length, depth)
            }
            _ => Ok(()),
        }
    }

    fn map(&mut self, length: usize, depth: usize) -> Result<(), PackedError> {
        let mut keys: Vec<Cow<'a, str>> = Vec::new();
        for _ in 0..length {
            keys.push(self.head()?.key().ok_or(PackedError::Key)?);
            self.value(depth + 1)?;
        }
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(PackedError::RepeatedKey(pair[0].clone().into_owned())),
            None => Ok(()),
        }
    }

    /// Each member takes at least one byte, so a length beyond the bytes is told at once.
    fn has_room(&self, members: usize) -> Result<(), PackedError> {
        if members > self.rest.len() {
            return Err(PackedError::Cut);
        }
        Ok(())
    }
}

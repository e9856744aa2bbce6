//! What stands before the members of a value: its kind, and its length or its number.

use std::borrow::Cow;

use rmp::Marker;

use crate::literal::float;

/// The beginning of a value: all of a scalar, or the length of a list or a map.
#[derive(Clone, Copy, Debug)]
pub enum Head<'a> {
    Nil,
    Boolean(bool),
    Integer(i64),
    /// Beyond an `i64`.
    Unsigned(u64),
    Float(f64),
    /// Not yet checked to be UTF-8.
    Text(&'a [u8]),
    Bytes,
    Extension,
    /// The number of elements.
    List(usize),
    /// The number of entries.
    Map(usize),
    /// The one byte without a meaning.
    Reserved,
}

impl<'a> Head<'a> {
    /// Takes the head from `rest`. None if the bytes end before it is complete.
    pub fn take(rest: &mut &'a [u8]) -> Option<Self> {
        let marker = Marker::from_u8(*rest.split_off_first()?);
        Some(match marker {
            Marker::Null => Self::Nil,
            Marker::True => Self::Boolean(true),
            Marker::False => Self::Boolean(false),
            Marker::FixPos(value) => Self::Integer(value.into()),
            Marker::FixNeg(value) => Self::Integer(value.into()),
            Marker::U8 => Self::Integer(u8::from_be_bytes(array(rest)?).into()),
            Marker::U16 => Self::Integer(u16::from_be_bytes(array(rest)?).into()),
            Marker::U32 => Self::Integer(u32::from_be_bytes(array(rest)?).into()),
            Marker::U64 => {
                let value = u64::from_be_bytes(array(rest)?);
                i64::try_from(value).map_or(Self::Unsigned(value), Self::Integer)
            }
            Marker::I8 => Self::Integer(i8::from_be_bytes(array(rest)?).into()),
            Marker::I16 => Self::Integer(i16::from_be_bytes(array(rest)?).into()),
            Marker::I32 => Self::Integer(i32::from_be_bytes(array(rest)?).into()),
            Marker::I64 => Self::Integer(i64::from_be_bytes(array(rest)?)),
            Marker::F32 => Self::Float(f32::from_be_bytes(array(rest)?).into()),
            Marker::F64 => Self::Float(f64::from_be_bytes(array(rest)?)),
            Marker::FixStr(length) => text(Some(length.into()), rest)?,
            Marker::Str8 => text(length_8(rest), rest)?,
            Marker::Str16 => text(length_16(rest), rest)?,
            Marker::Str32 => text(length_32(rest), rest)?,
            Marker::Bin8 => skip(length_8(rest), rest, Self::Bytes)?,
            Marker::Bin16 => skip(length_16(rest), rest, Self::Bytes)?,
            Marker::Bin32 => skip(length_32(rest), rest, Self::Bytes)?,
            Marker::FixArray(length) => Self::List(length.into()),
            Marker::Array16 => Self::List(length_16(rest)?),
            Marker::Array32 => Self::List(length_32(rest)?),
            Marker::FixMap(length) => Self::Map(length.into()),
            Marker::Map16 => Self::Map(length_16(rest)?),
            Marker::Map32 => Self::Map(length_32(rest)?),
            Marker::FixExt1 => extension(Some(1), rest)?,
            Marker::FixExt2 => extension(Some(2), rest)?,
            Marker::FixExt4 => extension(Some(4), rest)?,
            Marker::FixExt8 => extension(Some(8), rest)?,
            Marker::FixExt16 => extension(Some(16), rest)?,
            Marker::Ext8 => extension(length_8(rest), rest)?,
            Marker::Ext16 => extension(length_16(rest), rest)?,
            Marker::Ext32 => extension(length_32(rest), rest)?,
            Marker::Reserved => Self::Reserved,
        })
    }

    /// A scalar as the key of a JSON object, spelled as Python's `json` spells it. None for what Python
    /// has no key for.
    pub fn key(self) -> Option<Cow<'a, str>> {
        Some(match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).ok()?.into(),
            Self::Integer(value) => value.to_string().into(),
            Self::Unsigned(value) => value.to_string().into(),
            Self::Float(value) => float::json_with_point(value)?.into(),
            Self::Boolean(value) => value.to_string().into(),
            Self::Nil => "null".into(),
            _ => return None,
        })
    }
}

/// The next `N` bytes.
fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (array, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*array)
}

fn length_8(rest: &mut &[u8]) -> Option<usize> {
    array(rest).map(u8::from_be_bytes).map(usize::from)
}

fn length_16(rest: &mut &[u8]) -> Option<usize> {
    array(rest).map(u16::from_be_bytes).map(usize::from)
}

fn length_32(rest: &mut &[u8]) -> Option<usize> {
    let length = u32::from_be_bytes(array(rest)?);
    usize::try_from(length).ok()
}

fn text<'a>(length: Option<usize>, rest: &mut &'a [u8]) -> Option<Head<'a>> {
    rest.split_off(..length?).map(Head::Text)
}

fn skip<'a>(length: Option<usize>, rest: &mut &'a [u8], head: Head<'a>) -> Option<Head<'a>> {
    rest.split_off(..length?).map(|_| head)
}

/// An extension has one byte more, for its type.
fn extension<'a>(length: Option<usize>, rest: &mut &'a [u8]) -> Option<Head<'a>> {
    skip(length?.checked_add(1), rest, Head::Extension)
}

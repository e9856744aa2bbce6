//! Counts the values of a message on the wire, before they are decoded.
//!
//! A value of two bytes on the wire takes about a hundred in memory, so a small message could need more
//! memory than we have. The walk follows the messages that may repeat without limit. It skips fields that
//! are not in its table, and stops at malformed bytes, which decoding reports better.

/// How many literals one message may hold. A million inputs work, and take some hundred MiB of memory.
pub const MOST_VALUES: usize = 2_000_000;

/// How many values of a struct count as one literal, since they are smaller.
const SMALLER: usize = 8;

/// Decoding refuses deeper nesting.
const DEPTH: usize = 100;

/// The messages that the walk knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Literal,
    LiteralMap,
    LiteralEntry,
    Collection,
    Scalar,
    Union,
    Offloaded,
    Struct,
    StructEntry,
    Value,
    List,
    Type,
    Variants,
}

impl Shape {
    /// The message in a field of this message (spec §5.1, §5.2, §5.7).
    fn field(self, number: u64) -> Option<Self> {
        Some(match (self, number) {
            (Self::LiteralMap, 1) => Self::LiteralEntry,
            (Self::LiteralEntry, 2) | (Self::Collection | Self::Union, 1) => Self::Literal,
            (Self::Literal, 1) => Self::Scalar,
            (Self::Literal, 2) => Self::Collection,
            (Self::Literal, 3) => Self::LiteralMap,
            (Self::Literal, 8) => Self::Offloaded,
            (Self::Scalar, 7) | (Self::Value, 5) | (Self::Type, 6) => Self::Struct,
            (Self::Scalar, 9) => Self::Union,
            (Self::Union, 2)
            | (Self::Offloaded | Self::Type, 3)
            | (Self::Type, 4)
            | (Self::Variants, 1) => Self::Type,
            (Self::Type, 10) => Self::Variants,
            (Self::Struct, 1) => Self::StructEntry,
            (Self::StructEntry, 2) | (Self::List, 1) => Self::Value,
            (Self::Value, 6) => Self::List,
            _ => return None,
        })
    }

    /// Its size in memory, counted in values of a struct.
    fn weight(self) -> usize {
        match self {
            Self::Literal | Self::Type => SMALLER,
            Self::Value => 1,
            _ => 0,
        }
    }
}

/// The number of literals in a serialized literal, itself included. Eight values of a struct count as one.
/// Counting ends soon after [`MOST_VALUES`].
#[must_use]
pub fn values_in(literal: &[u8]) -> usize {
    1 + count(literal, Shape::Literal) / SMALLER
}

/// The same of a serialized map of literals, the map not included.
#[must_use]
pub fn values_in_map(map: &[u8]) -> usize {
    count(map, Shape::LiteralMap) / SMALLER
}

/// Whether the message holds more than [`MOST_VALUES`].
pub(super) fn is_crowded(message: &[u8], shape: Shape) -> bool {
    count(message, shape) > MOST_VALUES * SMALLER
}

fn count(message: &[u8], shape: Shape) -> usize {
    let mut count = 0;
    walk(message, shape, DEPTH, &mut count);
    count
}

fn walk(mut message: &[u8], shape: Shape, depth: usize, count: &mut usize) {
    if depth == 0 {
        return;
    }
    while let Some((number, content)) = next_field(&mut message) {
        let Some((inner, content)) = shape.field(number).zip(content) else {
            continue;
        };
        *count += inner.weight();
        if *count > MOST_VALUES * SMALLER {
            return;
        }
        walk(content, inner, depth - 1, count);
    }
}

/// The next field: its number, and its bytes if it has a length.
fn next_field<'a>(message: &mut &'a [u8]) -> Option<(u64, Option<&'a [u8]>)> {
    let tag = varint(message)?;
    let skipped = match tag & 7 {
        0 => {
            varint(message)?;
            return Some((tag >> 3, None));
        }
        1 => 8,
        5 => 4,
        2 => {
            let length = usize::try_from(varint(message)?).ok()?;
            let content = message.split_off(..length)?;
            return Some((tag >> 3, Some(content)));
        }
        _ => return None,
    };
    message.split_off(..skipped)?;
    Some((tag >> 3, None))
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *message.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idl::{
        Literal, LiteralCollection, LiteralMap, Message as _, Struct, literal, scalar, value,
    };

    #[test]
    fn each_value_counts_wherever_it_stands() {
        let number = |n: f64| value::Kind::NumberValue(n);
        let list = prost_types::ListValue {
            values: vec![number(1.0).into(), number(2.0).into()],
        };
        let fields = [("list".to_owned(), value::Kind::ListValue(list).into())];
        let structure = Struct {
            fields: fields.into(),
        };
        let inner: Literal = scalar::Value::Generic(structure).into();
        let union = scalar::Value::Union(Box::new(crate::idl::Union {
            value: Some(Box::new(inner)),
            r#type: Some(crate::idl::LiteralType::default()),
        }));
        let list = LiteralCollection {
            literals: vec![union.into(), Literal::default()],
        };
        let literals = [("x".to_owned(), literal::Value::Collection(list).into())];
        let map = LiteralMap {
            literals: literals.into(),
        };
        // x, its two elements, the union's value and type; and the structure's three.
        assert_eq!(
            count(&map.encode_to_vec(), Shape::LiteralMap),
            5 * SMALLER + 3
        );
    }

    #[test]
    fn malformed_bytes_end_the_walk() {
        for bytes in [
            &b"\xff"[..],
            b"\x0a\x05",
            b"\x0b",
            b"\x08",
            b"\x09\x00",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(count(bytes, Shape::LiteralMap), 0, "{bytes:?}");
        }
        // Fields of every wire type before one that counts.
        let bytes =
            b"\x18\x01\x25\x00\x00\x00\x00\x29\x00\x00\x00\x00\x00\x00\x00\x00\x0a\x02\x12\x00";
        assert_eq!(count(bytes, Shape::LiteralMap), SMALLER);
    }
}

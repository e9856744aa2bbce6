//! Reads BTF, the running kernel's description of its types: the offset of a field, the number of
//! arguments that a tracepoint passes.
//!
//! A small reader of our own, because the existing ones build the whole type graph: tens of MiB, for a
//! dozen numbers. This one scans the bytes once and remembers where each type begins. It does not trust
//! the file: it checks each read, and reports what does not fit the format.

mod file;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use self::file::File;

/// The kernel's BTF.
const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

const MAGIC: u16 = 0xeb9f;
const TYPE_SIZE: usize = 12;
const MEMBER_SIZE: usize = 12;
const VALUE_SIZE: usize = 8;
/// Anonymous structures within structures: the kernel nests them a few deep.
const DEEPEST: usize = 8;
/// How many members one look-up may visit: the kernel's largest structures have hundreds. In a
/// malicious file structures may contain each other, and the look-up would never end.
const MOST_MEMBERS: usize = 100_000;

const KIND_PTR: u32 = 2;
const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
const KIND_ENUM: u32 = 6;
const KIND_TYPEDEF: u32 = 8;
const KIND_FUNC_PROTO: u32 = 13;

/// Why the kernel's BTF cannot be used.
#[derive(Debug, Error)]
pub enum BtfError {
    /// The kernel was built without BTF, or the file is hidden from us.
    #[error("{VMLINUX} cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),
    /// It breaks a rule of the format.
    #[error("{VMLINUX} is malformed: {0}")]
    Malformed(&'static str),
}

/// A kernel's types.
pub struct Btf {
    bytes: File,
    strings: usize,
    /// Where the description of each type begins; type ids start at 1.
    types: Vec<u32>,
    /// The structures that the caller named.
    structures: BTreeMap<&'static str, TypeHeader>,
    /// The type definitions that the caller named: a definition may have the name of a structure.
    definitions: BTreeMap<&'static str, TypeHeader>,
    /// The enumerations that the caller named.
    enumerations: BTreeMap<&'static str, TypeHeader>,
}

/// The header of one type.
#[derive(Clone, Copy)]
struct TypeHeader {
    at: usize,
    name: u32,
    kind: u32,
    members: usize,
    /// With this flag, the low 24 bits of a member's offset are the offset; the rest is a width.
    bit_fields: bool,
    /// The type that this one refers to, or its size.
    refers: u32,
}

impl Btf {
    /// Reads the running kernel's BTF. Later look-ups find only these structures, enumerations and
    /// tracepoint handlers.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is malformed.
    pub fn from_kernel(names: &[&'static str]) -> Result<Self, BtfError> {
        Self::of(
            File::open(VMLINUX.as_ref()).map_err(BtfError::Unreadable)?,
            names,
        )
    }

    /// Parses the bytes of a BTF file in this machine's byte order.
    ///
    /// # Errors
    ///
    /// The bytes are malformed.
    #[cfg(test)]
    pub fn parse(bytes: Vec<u8>, names: &[&'static str]) -> Result<Self, BtfError> {
        Self::of(File::Read(bytes), names)
    }

    fn of(bytes: File, names: &[&'static str]) -> Result<Self, BtfError> {
        let magic = bytes.get(..2).ok_or(BtfError::Malformed("it is empty"))?;
        if magic != MAGIC.to_ne_bytes() {
            return Err(BtfError::Malformed("it does not begin with BTF's magic"));
        }
        let header = |at| number(&bytes, at).map(|value| value as usize);
        let start = header(4)?;
        let types_at = start + header(8)?;
        let types_end = (types_at + header(12)?).min(bytes.len());
        let strings = start + header(16)?;
        let mut btf = Self {
            types: Vec::with_capacity(types_end.saturating_sub(types_at) / 24),
            structures: BTreeMap::new(),
            definitions: BTreeMap::new(),
            enumerations: BTreeMap::new(),
            strings,
            bytes,
        };
        btf.index(types_at, types_end, names)?;
        Ok(btf)
    }

    fn index(&mut self, mut at: usize, end: usize, names: &[&'static str]) -> Result<(), BtfError> {
        let wanted = beginnings(names);
        while at < end {
            let offset = u32::try_from(at).map_err(|_| BtfError::Malformed("it is too large"))?;
            self.types.push(offset);
            let found = self.type_at(at)?;
            if matches!(found.kind, KIND_STRUCT | KIND_ENUM | KIND_TYPEDEF)
                && let begins = self.beginning(found.name)
                && let Some((_, name)) = wanted.iter().find(|(beginning, name)| {
                    *beginning == begins && self.has_name(found.name, name)
                })
            {
                let known = match found.kind {
                    KIND_STRUCT => &mut self.structures,
                    KIND_ENUM => &mut self.enumerations,
                    _ => &mut self.definitions,
                };
                known.entry(name).or_insert(found);
            }
            at += TYPE_SIZE + found.trailing_size()?;
        }
        Ok(())
    }

    /// The byte offset of a field in a named structure, or in its anonymous members.
    #[must_use]
    pub fn offset(&self, structure: &str, field: &str) -> Option<u32> {
        let found = *self.structures.get(structure)?;
        let mut members_left = MOST_MEMBERS;
        let bits = self.member_bits(found, field, DEEPEST, &mut members_left)?;
        (bits % 8 == 0).then_some(bits / 8)
    }

    /// The value of a name in an enumeration.
    #[must_use]
    pub fn value(&self, enumeration: &str, name: &str) -> Option<u32> {
        let found = self.enumerations.get(enumeration)?;
        (0..found.members)
            .map(|index| found.at + TYPE_SIZE + index * VALUE_SIZE)
            .find(|at| number(&self.bytes, *at).is_ok_and(|it| self.has_name(it, name)))
            .and_then(|at| number(&self.bytes, at + 4).ok())
    }

    /// How many arguments a tracepoint passes, from the type of its handlers (`btf_trace_<name>`).
    #[must_use]
    pub fn tracepoint_arguments(&self, handler: &str) -> Option<usize> {
        let pointer = self.type_of(self.definitions.get(handler)?.refers)?;
        if pointer.kind != KIND_PTR {
            return None;
        }
        let function = self.type_of(pointer.refers)?;
        // The first parameter is the tracepoint's own data.
        (function.kind == KIND_FUNC_PROTO).then(|| function.members.saturating_sub(1))
    }

    fn member_bits(
        &self,
        structure: TypeHeader,
        field: &str,
        depth: usize,
        members_left: &mut usize,
    ) -> Option<u32> {
        for index in 0..structure.members {
            *members_left = members_left.checked_sub(1)?;
            let at = structure.at + TYPE_SIZE + index * MEMBER_SIZE;
            let name = number(&self.bytes, at).ok()?;
            let mut bits = number(&self.bytes, at + 8).ok()?;
            if structure.bit_fields {
                bits &= 0x00ff_ffff;
            }
            if self.has_name(name, field) {
                return Some(bits);
            }
            if self.has_name(name, "") && depth > 0 {
                let inner = self.type_of(number(&self.bytes, at + 4).ok()?)?;
                if matches!(inner.kind, KIND_STRUCT | KIND_UNION)
                    && let Some(found) = self.member_bits(inner, field, depth - 1, members_left)
                {
                    return bits.checked_add(found);
                }
            }
        }
        None
    }

    fn has_name(&self, at: u32, name: &str) -> bool {
        let start = self.strings + at as usize;
        let end = start + name.len();
        self.bytes.get(start..end) == Some(name.as_bytes()) && self.bytes.get(end) == Some(&0)
    }

    /// The first two bytes of a name. Comparing them first is much faster: there are ten thousands of names.
    fn beginning(&self, at: u32) -> [u8; 2] {
        let start = self.strings + at as usize;
        let bytes = self.bytes.get(start..start + 2);
        bytes.map_or([0; 2], |bytes| [bytes[0], bytes[1]])
    }

    fn type_of(&self, id: u32) -> Option<TypeHeader> {
        let at = *self.types.get((id as usize).checked_sub(1)?)?;
        self.type_at(at as usize).ok()
    }

    fn type_at(&self, at: usize) -> Result<TypeHeader, BtfError> {
        let info = number(&self.bytes, at + 4)?;
        Ok(TypeHeader {
            at,
            name: number(&self.bytes, at)?,
            kind: (info >> 24) & 0x1f,
            members: (info & 0xffff) as usize,
            bit_fields: info >> 31 == 1,
            refers: number(&self.bytes, at + 8)?,
        })
    }
}

impl TypeHeader {
    /// How many bytes follow the header, by kind (`include/uapi/linux/btf.h`).
    fn trailing_size(self) -> Result<usize, BtfError> {
        Ok(match self.kind {
            // INT, VAR, DECL_TAG
            1 | 14 | 17 => 4,
            // ARRAY
            3 => 12,
            // STRUCT, UNION, DATASEC, ENUM64
            KIND_STRUCT | KIND_UNION | 15 | 19 => self.members * 12,
            // ENUM, FUNC_PROTO
            KIND_ENUM | KIND_FUNC_PROTO => self.members * VALUE_SIZE,
            // PTR, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, FLOAT, TYPE_TAG
            KIND_PTR | 7..=12 | 16 | 18 => 0,
            _ => {
                return Err(BtfError::Malformed(
                    "it holds a type whose kind belongs to a newer format",
                ));
            }
        })
    }
}

/// The different names among these, each with its first two bytes.
fn beginnings(names: &[&'static str]) -> Vec<([u8; 2], &'static str)> {
    let names: BTreeSet<&'static str> = names.iter().copied().collect();
    let beginning = |name: &str| {
        let mut bytes = name.bytes();
        [bytes.next().unwrap_or(0), bytes.next().unwrap_or(0)]
    };
    names
        .into_iter()
        .map(|name| (beginning(name), name))
        .collect()
}

fn number(bytes: &[u8], at: usize) -> Result<u32, BtfError> {
    let found = bytes
        .get(at..at + 4)
        .and_then(|slice| slice.try_into().ok())
        .ok_or(BtfError::Malformed("it is cut short"))?;
    Ok(u32::from_ne_bytes(found))
}

#[cfg(test)]
mod tests;

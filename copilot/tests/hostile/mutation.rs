//! Bytes that are almost right.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;

/// The bytes of all files of this name in the golden vectors.
pub fn golden(name: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden");
    let mut found = Vec::new();
    collect(&root, name, &mut found);
    assert!(found.len() > 5, "{name}: {}", found.len());
    found.sort();
    found.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn collect(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, name, found);
        } else if path.file_name().unwrap() == name {
            found.push(path);
        }
    }
}

/// A change.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Set(Index, u8),
    Cut(Index),
    Remove(Index, Index),
    Double(Index, Index),
    Insert(Index, Vec<u8>),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        // Nothing has no index.
        let length = bytes.len() + 1;
        let range = |one: &Index, other: &Index| {
            let (one, other) = (one.index(length), other.index(length));
            one.min(other)..one.max(other)
        };
        match self {
            Self::Flip(at, bits) => {
                if let Some(byte) = bytes.get_mut(at.index(length)) {
                    *byte ^= bits;
                }
            }
            Self::Set(at, value) => {
                if let Some(byte) = bytes.get_mut(at.index(length)) {
                    *byte = *value;
                }
            }
            Self::Cut(at) => bytes.truncate(at.index(length)),
            Self::Remove(one, other) => drop(bytes.drain(range(one, other))),
            Self::Double(one, other) => {
                let piece = bytes[range(one, other)].to_vec();
                let at = one.index(length);
                bytes.splice(at..at, piece);
            }
            Self::Insert(at, piece) => {
                let at = at.index(length);
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    // Numbers that lengths and tags are made of.
    let special = prop::sample::select(vec![0, 1, 2, 0x0a, 0x12, 0x1a, 0x7f, 0x80, 0xff]);
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, bits)| Change::Flip(at, bits)),
        (index(), special).prop_map(|(at, value)| Change::Set(at, value)),
        index().prop_map(Change::Cut),
        (index(), index()).prop_map(|(one, other)| Change::Remove(one, other)),
        (index(), index()).prop_map(|(one, other)| Change::Double(one, other)),
        (index(), prop::collection::vec(any::<u8>(), 0..6))
            .prop_map(|(at, piece)| Change::Insert(at, piece)),
    ]
}

/// One of the seeds with up to five changes; or, one time in four, any bytes at all.
pub fn almost(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changed = (
        prop::sample::select(seeds),
        prop::collection::vec(change(), 0..6),
    );
    prop_oneof![
        3 => changed.prop_map(|(mut bytes, changes)| {
            for change in changes {
                change.apply(&mut bytes);
            }
            bytes
        }),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ]
}

/// The same for texts: bytes that are not UTF-8 after the changes are replaced.
pub fn almost_text(seeds: &[&str]) -> impl Strategy<Value = String> {
    let seeds = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    almost(seeds).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

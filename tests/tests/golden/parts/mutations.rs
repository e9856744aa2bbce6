//! The vectors' messages with bytes changed, removed or doubled: if it can still be decoded, it is planned
//! and written, or refused; nothing else happens.

use std::fs;
use std::path::Path;

use copilot::idl::{decode_literal_map, decode_typed_interface};
use copilot::literal::input::{Arrival, Layout, Target, plan};
use copilot::literal::render::{Binaries, MetadataFile, MetadataFormat};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::case::all;

fn messages() -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = all("download")
        .iter()
        .filter_map(|case| fs::read(case.path.join("inputs.pb")).ok())
        .collect();
    messages.retain(|bytes| !bytes.is_empty());
    messages
}

/// One change at one position.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Remove(Index),
    Double(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<(Index, u8)>().prop_map(|(at, byte)| Change::Set(at, byte)),
        any::<Index>().prop_map(Change::Remove),
        any::<(Index, Index)>().prop_map(|(from, to)| Change::Double(from, to)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let length = bytes.len();
    if length == 0 {
        return;
    }
    match change {
        Change::Set(at, byte) => bytes[at.index(length)] = *byte,
        Change::Remove(at) => _ = bytes.remove(at.index(length)),
        Change::Double(one, other) => {
            let (one, other) = (one.index(length), other.index(length));
            let piece = bytes[one.min(other)..one.max(other)].to_vec();
            bytes.splice(one..one, piece);
        }
    }
}

proptest! {
    #[test]
    fn nothing_panics(message in prop::sample::select(messages()), changes in prop::collection::vec(change(), 1..4)) {
        let mut bytes = message;
        for change in &changes {
            apply(&mut bytes, change);
        }
        let _ = decode_typed_interface(&bytes[..]);
        let Ok(map) = decode_literal_map(&bytes[..]) else { return Ok(()) };
        let target = Target { directory: Path::new("/in"), layout: Layout::NamedDir, metadata: MetadataFormat::Yaml, data: Arrival::Before, binaries: &Binaries::default() };
        let Ok(plan) = plan(map, &target) else { return Ok(()) };
        for value in plan.values() {
            value.write_to(&mut Vec::new()).unwrap();
        }
        for file in [MetadataFile::Proto, MetadataFile::Json, MetadataFile::Yaml] {
            let mut out = Vec::new();
            file.write(&plan.literals, &plan.binaries, &mut out).unwrap();
            if file == MetadataFile::Json {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
            }
        }
    }
}

//! What is Google Cloud Storage's own, against `fake-gcs-server`; what it has in common with other stores
//! the test of one task in every store sees.

#![cfg(test)]

use std::path::Path;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{LiteralMap, Message as _};
use copilot_tests::binary::{self, Ended};
use copilot_tests::emulator::FAKE_GCS;
use copilot_tests::requirement::Requirement;
use copilot_tests::stores::{FakeGoogle, Store as _};
use copilot_tests::task::{blob, files};

fn download(store: &FakeGoogle, to: &Path) -> Ended {
    let mut command = store.command();
    command.args(["download", "--from-remote", "gs://data/task/inputs.pb"]);
    command.args(["--to-output-prefix", "gs://data/task/out"]);
    binary::run(command.arg("--to-local-dir").arg(to))
}

#[test]
fn what_is_missing_is_named() {
    if !Requirement::Emulator(FAKE_GCS).is_met() {
        return;
    }
    let store = FakeGoogle::start();
    let place = tempfile::tempdir().unwrap();
    let ended = download(&store, place.path());
    assert_ne!(ended.code(), 0);
    let message = ended.message();
    assert!(message.contains("gs://data/task/inputs.pb"), "{message}");
    assert!(message.contains("does not exist"), "{message}");
}

/// Bytes in gzip's format, stored as they are: blocks of 65,535 bytes at most (RFC 1951, 1952).
fn gzip(data: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let count = data.chunks(0xffff).count();
    for (index, block) in data.chunks(0xffff).enumerate() {
        let length = u16::try_from(block.len()).unwrap();
        packed.push(u8::from(index + 1 == count));
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(block);
    }
    packed.extend(crc32(data).to_le_bytes());
    packed.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    packed
}

fn crc32(data: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !data.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), step)
    })
}

/// Google unpacks what was stored as gzip, and then gives no parts of it: the reference's readers get
/// the content, and so do ours, whether it is a single file or one of a directory.
#[test]
fn objects_stored_as_gzip_are_decompressed() {
    if !Requirement::Emulator(FAKE_GCS).is_met() {
        return;
    }
    let store = FakeGoogle::start();
    let large = copilot_tests::site::bytes(9 << 20, 1);
    for (name, data) in [("small", &b"content"[..]), ("large", &large)] {
        let packed = gzip(data);
        for key in [name, &format!("dir/{name}")] {
            let key = format!("task/in/{key}");
            store.put_with(&key, "&contentEncoding=gzip", &packed);
        }
    }
    let literals = ["small", "large"].map(|name| {
        let uri = format!("gs://data/task/in/{name}");
        (name.to_owned(), blob(&uri, Single))
    });
    let dir = ("dir".to_owned(), blob("gs://data/task/in/dir", Multipart));
    let literals = literals.into_iter().chain([dir]).collect();
    store.put("task/inputs.pb", &LiteralMap { literals }.encode_to_vec());
    let place = tempfile::tempdir().unwrap();
    let ended = download(&store, place.path());
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let found = files(place.path());
    for name in ["small", "dir/small"] {
        assert_eq!(found[name], b"content", "{name}");
    }
    for name in ["large", "dir/large"] {
        assert!(found[name] == large, "{name}");
    }
}

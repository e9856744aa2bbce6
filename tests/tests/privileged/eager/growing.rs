//! Large files whose finished parts are uploaded while they grow.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::thread;
use std::time::Duration;

use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot_tests::binary::wait_until;
use copilot_tests::site::bytes;
use copilot_tests::task::blob_type;

use super::fixture::EagerFixture;

const MIB: usize = 1 << 20;

/// Bytes of parts that the store has received of unfinished objects.
pub fn parts(fixture: &EagerFixture) -> u64 {
    let found = fixture.task.site.server.unfinished_uploads().unwrap();
    let sizes = found.iter().filter_map(|path| fs::metadata(path).ok());
    sizes.map(|meta| meta.len()).sum()
}

/// Appends until the store has received most of what was written; the file stays open.
pub fn grow(fixture: &EagerFixture, file: &mut File) -> usize {
    let mut written = 0;
    while written < 64 * MIB {
        file.write_all(&bytes(MIB, written as u64)).unwrap();
        written += MIB;
        thread::sleep(Duration::from_millis(25));
    }
    wait_until("parts are in the store", || parts(fixture) >= 40 << 20);
    written
}

#[test]
fn parts_go_up_while_a_file_is_appended_to() {
    let fixture = EagerFixture::start(vec![("log", blob_type(Single))]);
    let mut file = File::create(fixture.path("log")).unwrap();
    grow(&fixture, &mut file);
    file.write_all(b"the end").unwrap();
    drop(file);
    let outcome = fixture.commits();
    assert_eq!(outcome.count("objects"), 1);
    // The data that was written last.
    let bytes = outcome.count("bytes");
    assert!(
        (7..=(24 << 20) + 7).contains(&bytes),
        "{}",
        outcome.sidecar.timeline
    );
}

#[test]
fn a_part_that_was_overwritten_goes_again() {
    let fixture = EagerFixture::start(vec![("log", blob_type(Single))]);
    let mut file = File::create(fixture.path("log")).unwrap();
    grow(&fixture, &mut file);
    // A header with the length, as in many file formats, and a byte in the middle.
    file.write_all_at(b"length", 0).unwrap();
    file.write_all_at(b"!", 17 * MIB as u64).unwrap();
    drop(file);
    // Two parts more than the rest, and not all of it.
    let outcome = fixture.commits();
    let bytes = outcome.count("bytes");
    assert!(
        (16 << 20..=40 << 20).contains(&bytes),
        "{}",
        outcome.sidecar.timeline
    );
}

#[test]
fn a_file_that_shrinks_is_uploaded_again() {
    let fixture = EagerFixture::start(vec![("log", blob_type(Single))]);
    let mut file = File::create(fixture.path("log")).unwrap();
    grow(&fixture, &mut file);
    file.set_len(3).unwrap();
    drop(file);
    fixture.commits();

    let fixture = EagerFixture::start(vec![("log", blob_type(Single))]);
    let mut file = File::create(fixture.path("log")).unwrap();
    grow(&fixture, &mut file);
    fs::remove_file(fixture.path("log")).unwrap();
    fixture.write("log", bytes(50 * MIB, 9));
    drop(file);
    fixture.commits();
}

/// Stores drop unfinished uploads after some days.
#[test]
fn an_upload_that_the_store_has_dropped_goes_up_anew() {
    let fixture = EagerFixture::start(vec![("log", blob_type(Single))]);
    let mut file = File::create(fixture.path("log")).unwrap();
    let written = grow(&fixture, &mut file);
    // All parts but the last one are there, so nothing is in flight.
    wait_until("all parts are in the store", || {
        parts(&fixture) >= (written - 8 * MIB) as u64
    });
    thread::sleep(Duration::from_millis(300));
    for path in fixture.task.site.server.unfinished_uploads().unwrap() {
        fs::remove_file(path).unwrap();
    }
    drop(file);
    let outcome = fixture.commits();
    let words = "goes up anew";
    assert!(
        outcome.sidecar.ended.stderr.contains(words),
        "{}",
        outcome.sidecar.ended.stderr
    );
}

#[test]
fn a_file_that_is_opened_for_each_line_goes_up_in_parts() {
    let fixture = EagerFixture::start(vec![("log", blob_type(Single))]);
    for index in 0..60 {
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).open(fixture.path("log"));
        file.unwrap().write_all(&bytes(MIB, index)).unwrap();
        thread::sleep(Duration::from_millis(50));
    }
    wait_until("parts are in the store", || parts(&fixture) >= 20 << 20);
    fixture.commits();
}

#[test]
fn a_file_that_is_gone_in_the_end_leaves_no_parts() {
    let fixture = EagerFixture::start(vec![("log", blob_type(Single))]);
    let mut file = File::create(fixture.path("log")).unwrap();
    grow(&fixture, &mut file);
    drop(file);
    fs::remove_file(fixture.path("log")).unwrap();
    let outcome = fixture.end();
    assert_eq!(
        outcome.sidecar.ended.code(),
        1,
        "{}",
        outcome.sidecar.ended.stderr
    );
    assert!(outcome.sidecar.ended.message().contains("output \"log\""));
    assert!(outcome.objects.is_empty());
    let unfinished = outcome.task.site.server.unfinished_uploads().unwrap();
    assert!(unfinished.is_empty(), "{unfinished:?}");
}

//! Large files of which finished parts go up while they grow.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::thread;
use std::time::Duration;

use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot_tests::binary::wait_until;
use copilot_tests::site::bytes;
use copilot_tests::task::blob_type;

use super::stage::Stage;

const MIB: usize = 1 << 20;

/// Bytes of parts that the store has received of unfinished objects.
pub fn parts(stage: &Stage) -> u64 {
    let found = stage.task.site.server.unfinished_uploads().unwrap();
    let sizes = found.iter().filter_map(|path| fs::metadata(path).ok());
    sizes.map(|meta| meta.len()).sum()
}

/// Appends until the store has received most of what was written; the file stays open.
pub fn grow(stage: &Stage, file: &mut File) -> usize {
    let mut written = 0;
    while written < 64 * MIB {
        file.write_all(&bytes(MIB, written as u64)).unwrap();
        written += MIB;
        thread::sleep(Duration::from_millis(25));
    }
    wait_until("parts are in the store", || parts(stage) >= 40 << 20);
    written
}

#[test]
fn parts_go_up_while_a_file_is_appended_to() {
    let stage = Stage::begin(vec![("log", blob_type(Single))]);
    let mut file = File::create(stage.path("log")).unwrap();
    grow(&stage, &mut file);
    file.write_all(b"the end").unwrap();
    drop(file);
    let over = stage.commits();
    assert_eq!(over.count("objects"), 1);
    // What was not there when we looked, and the last words.
    let bytes = over.count("bytes");
    assert!((7..=(24 << 20) + 7).contains(&bytes), "{}", over.timeline);
}

#[test]
fn a_part_that_was_overwritten_goes_again() {
    let stage = Stage::begin(vec![("log", blob_type(Single))]);
    let mut file = File::create(stage.path("log")).unwrap();
    grow(&stage, &mut file);
    // A header with the length, as many formats have it, and a byte in the middle.
    file.write_all_at(b"length", 0).unwrap();
    file.write_all_at(b"!", 17 * MIB as u64).unwrap();
    drop(file);
    // Two parts more than the rest, and not all of it.
    let over = stage.commits();
    let bytes = over.count("bytes");
    assert!((16 << 20..=40 << 20).contains(&bytes), "{}", over.timeline);
}

#[test]
fn a_file_that_shrinks_begins_anew() {
    let stage = Stage::begin(vec![("log", blob_type(Single))]);
    let mut file = File::create(stage.path("log")).unwrap();
    grow(&stage, &mut file);
    file.set_len(3).unwrap();
    drop(file);
    stage.commits();

    let stage = Stage::begin(vec![("log", blob_type(Single))]);
    let mut file = File::create(stage.path("log")).unwrap();
    grow(&stage, &mut file);
    fs::remove_file(stage.path("log")).unwrap();
    stage.write("log", bytes(50 * MIB, 9));
    drop(file);
    stage.commits();
}

/// Stores drop unfinished uploads after some days.
#[test]
fn an_upload_that_the_store_has_dropped_goes_up_anew() {
    let stage = Stage::begin(vec![("log", blob_type(Single))]);
    let mut file = File::create(stage.path("log")).unwrap();
    let written = grow(&stage, &mut file);
    // All parts but the last one are there, so nothing is in flight.
    wait_until("all parts are in the store", || {
        parts(&stage) >= (written - 8 * MIB) as u64
    });
    thread::sleep(Duration::from_millis(300));
    for path in stage.task.site.server.unfinished_uploads().unwrap() {
        fs::remove_file(path).unwrap();
    }
    drop(file);
    let over = stage.commits();
    let words = "goes up anew";
    assert!(over.ended.stderr.contains(words), "{}", over.ended.stderr);
}

#[test]
fn a_file_that_is_opened_for_each_line_goes_up_in_parts() {
    let stage = Stage::begin(vec![("log", blob_type(Single))]);
    for index in 0..60 {
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).open(stage.path("log"));
        file.unwrap().write_all(&bytes(MIB, index)).unwrap();
        thread::sleep(Duration::from_millis(50));
    }
    wait_until("parts are in the store", || parts(&stage) >= 20 << 20);
    stage.commits();
}

#[test]
fn a_file_that_is_gone_in_the_end_leaves_no_parts() {
    let stage = Stage::begin(vec![("log", blob_type(Single))]);
    let mut file = File::create(stage.path("log")).unwrap();
    grow(&stage, &mut file);
    drop(file);
    fs::remove_file(stage.path("log")).unwrap();
    let over = stage.end();
    assert_eq!(over.ended.code(), 1, "{}", over.ended.stderr);
    assert!(over.ended.message().contains("output \"log\""));
    assert!(over.objects.is_empty());
    let unfinished = over.task.site.server.unfinished_uploads().unwrap();
    assert!(unfinished.is_empty(), "{unfinished:?}");
}

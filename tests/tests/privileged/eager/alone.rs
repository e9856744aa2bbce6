//! Files that do not change after they were closed.

use std::fs::{self, File};
use std::thread;
use std::time::Duration;

use copilot::idl::SimpleType;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::site::bytes;
use copilot_tests::task::{blob_type, simple};

use super::fixture::EagerFixture;

const MIB: usize = 1 << 20;

#[test]
fn a_hundred_files_are_up_before_main_ends() {
    let fixture = EagerFixture::start(vec![
        ("many", blob_type(Multipart)),
        ("word", simple(SimpleType::String)),
    ]);
    for index in 0..100_u64 {
        let name = format!("many/{}/{index}", index % 7);
        fixture.write(&name, bytes(MIB, index));
        thread::sleep(Duration::from_millis(20));
    }
    for index in 0..100 {
        fixture.wait_for(&format!("many/{}/{index}", index % 7));
    }
    fixture.write("word", "done");
    let outcome = fixture.end();
    assert_eq!(
        outcome.sidecar.ended.code(),
        0,
        "{}",
        outcome.sidecar.ended.stderr
    );
    // Only the commit was left to do.
    assert_eq!(
        (outcome.count("objects_early"), outcome.count("objects")),
        (100, 0)
    );
    let mut files = outcome.files;
    assert_eq!(files.remove("word").unwrap(), b"done");
    assert!(outcome.objects == files);
    assert!(!outcome.task.outputs_dir().join(".copilot-early").exists());
}

#[test]
fn each_goes_to_the_place_that_the_plan_gives_it() {
    let fixture = EagerFixture::start(vec![
        ("csv", blob_type(Single)),
        ("large", blob_type(Single)),
        ("list", copilot_tests::values::list_of(blob_type(Single))),
        ("tree", blob_type(Multipart)),
    ]);
    // Some are uploaded before their directory gets its final name.
    fixture.write("csv.csv", "1,2");
    fixture.write("list/1", "b");
    fixture.write("list/0.txt", "a");
    fixture.write("tree/a b/é#?%", "c");
    fixture.write("large.bin", bytes(20 * MIB, 1));
    // It belongs to no output.
    fixture.write("scratch", "x");
    for name in [
        "csv.csv",
        "list/0.txt",
        "list/1",
        "tree/a b/é#?%",
        "large.bin",
    ] {
        fixture.wait_for(name);
    }
    let outcome = fixture.end();
    assert_eq!(
        outcome.sidecar.ended.code(),
        0,
        "{}",
        outcome.sidecar.ended.stderr
    );
    assert_eq!(
        (outcome.count("objects_early"), outcome.count("objects")),
        (5, 0)
    );
    let mut files = outcome.files;
    files.remove("scratch").unwrap();
    assert!(outcome.objects == files, "{:?}", outcome.objects.keys());
}

#[test]
fn files_older_than_the_sidecar_are_uploaded_too() {
    let task = copilot_tests::task::Task::start().unwrap();
    task.write_output("tree/a/b/c", "there");
    let endpoint = task.site.server.endpoint.clone();
    let fixture = EagerFixture::start_at(task, vec![("tree", blob_type(Multipart))], &endpoint);
    fixture.wait_for("tree/a/b/c");
    assert_eq!(fixture.commits().count("objects_early"), 1);
}

#[test]
fn a_file_that_stays_open_waits_for_the_end() {
    let fixture = EagerFixture::start(vec![("tree", blob_type(Multipart))]);
    fixture.write("tree/closed", "x");
    let open = File::create(fixture.path("tree/open")).unwrap();
    fs::write(fixture.path("tree/open"), "y").unwrap();
    fixture.wait_for("tree/closed");
    thread::sleep(Duration::from_millis(800));
    assert!(!fixture.task.objects("task/raw").contains_key("tree/open"));
    drop(open);
    fixture.commits();
}

#[test]
fn outputs_without_data_need_nothing() {
    let fixture = EagerFixture::start(vec![("word", simple(SimpleType::String))]);
    fixture.write("word", "x");
    let outcome = fixture.end();
    assert_eq!(
        outcome.sidecar.ended.code(),
        0,
        "{}",
        outcome.sidecar.ended.stderr
    );
    assert!(outcome.objects.is_empty());
    assert_eq!(outcome.count("objects_early"), 0);
}

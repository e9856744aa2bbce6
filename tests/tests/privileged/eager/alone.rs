//! Files that nobody changes once they are closed.

use std::fs::{self, File};
use std::thread;
use std::time::Duration;

use copilot::idl::SimpleType;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::site::bytes;
use copilot_tests::task::{blob_type, simple};

use super::stage::Stage;

const MIB: usize = 1 << 20;

#[test]
fn a_hundred_files_are_up_before_main_ends() {
    let stage = Stage::begin(vec![
        ("many", blob_type(Multipart)),
        ("word", simple(SimpleType::String)),
    ]);
    for index in 0..100_u64 {
        let name = format!("many/{}/{index}", index % 7);
        stage.write(&name, bytes(MIB, index));
        thread::sleep(Duration::from_millis(20));
    }
    for index in 0..100 {
        stage.wait_for(&format!("many/{}/{index}", index % 7));
    }
    stage.write("word", "done");
    let over = stage.end();
    assert_eq!(over.ended.code(), 0, "{}", over.ended.stderr);
    // All that was left to do is to commit.
    assert_eq!(
        (over.count("objects_early"), over.count("objects")),
        (100, 0)
    );
    let mut files = over.files;
    assert_eq!(files.remove("word").unwrap(), b"done");
    assert!(over.objects == files);
    assert!(!over.task.outputs_dir().join(".copilot-early").exists());
}

#[test]
fn each_goes_to_the_place_that_the_plan_gives_it() {
    let stage = Stage::begin(vec![
        ("csv", blob_type(Single)),
        ("large", blob_type(Single)),
        ("list", copilot_tests::values::list_of(blob_type(Single))),
        ("tree", blob_type(Multipart)),
    ]);
    // Some before the directory that they end in has its name.
    stage.write("csv.csv", "1,2");
    stage.write("list/1", "b");
    stage.write("list/0.txt", "a");
    stage.write("tree/a b/é#?%", "c");
    stage.write("large.bin", bytes(20 * MIB, 1));
    // Of no output.
    stage.write("scratch", "x");
    for name in [
        "csv.csv",
        "list/0.txt",
        "list/1",
        "tree/a b/é#?%",
        "large.bin",
    ] {
        stage.wait_for(name);
    }
    let over = stage.end();
    assert_eq!(over.ended.code(), 0, "{}", over.ended.stderr);
    assert_eq!((over.count("objects_early"), over.count("objects")), (5, 0));
    let mut files = over.files;
    files.remove("scratch").unwrap();
    assert!(over.objects == files, "{:?}", over.objects.keys());
}

#[test]
fn what_lay_there_before_the_sidecar_came_goes_up_too() {
    let task = copilot_tests::task::Task::start().unwrap();
    task.write_output("tree/a/b/c", "there");
    let endpoint = task.site.server.endpoint.clone();
    let stage = Stage::through(task, vec![("tree", blob_type(Multipart))], &endpoint);
    stage.wait_for("tree/a/b/c");
    assert_eq!(stage.commits().count("objects_early"), 1);
}

#[test]
fn a_file_that_stays_open_waits_for_the_end() {
    let stage = Stage::begin(vec![("tree", blob_type(Multipart))]);
    stage.write("tree/closed", "x");
    let open = File::create(stage.path("tree/open")).unwrap();
    fs::write(stage.path("tree/open"), "y").unwrap();
    stage.wait_for("tree/closed");
    thread::sleep(Duration::from_millis(800));
    assert!(!stage.task.objects("task/raw").contains_key("tree/open"));
    drop(open);
    stage.commits();
}

#[test]
fn outputs_without_data_need_nothing() {
    let stage = Stage::begin(vec![("word", simple(SimpleType::String))]);
    stage.write("word", "x");
    let over = stage.end();
    assert_eq!(over.ended.code(), 0, "{}", over.ended.stderr);
    assert!(over.objects.is_empty());
    assert_eq!(over.count("objects_early"), 0);
}

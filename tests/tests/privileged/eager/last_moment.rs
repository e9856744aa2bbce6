//! Files that were already uploaded, and change just before main's end in ways that are hard to detect.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use copilot::idl::blob_type::BlobDimensionality::Multipart;
use copilot_tests::site::bytes;
use copilot_tests::task::blob_type;

use super::fixture::EagerFixture;
use super::mapping::map;

/// A way to change a file of 10,000 bytes.
type Way = fn(&Path);

fn in_place(path: &Path, content: &[u8], at: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(content, at).unwrap();
}

fn set_back(path: &Path) {
    let before = fs::metadata(path).unwrap();
    in_place(path, b"x", 5000);
    let times = FileTimes::new()
        .set_modified(before.modified().unwrap())
        .set_accessed(before.accessed().unwrap());
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_times(times).unwrap();
}

fn copied_with_times(path: &Path) {
    let other = path.with_extension("other");
    fs::write(&other, bytes(10_000, 99)).unwrap();
    let times = FileTimes::new().set_modified(fs::metadata(path).unwrap().modified().unwrap());
    File::options()
        .write(true)
        .open(&other)
        .unwrap()
        .set_times(times)
        .unwrap();
    let copied = Command::new("cp").arg("-p").arg(&other).arg(path).status();
    assert!(copied.unwrap().success());
    fs::remove_file(other).unwrap();
}

fn replaced(path: &Path) {
    let other = path.with_extension("new");
    fs::write(&other, bytes(10_000, 98)).unwrap();
    fs::rename(other, path).unwrap();
}

const WAYS: [(&str, Way); 12] = [
    ("untouched", |_| {}),
    ("rewritten", |path| {
        fs::write(path, bytes(10_000, 97)).unwrap();
    }),
    ("one byte", |path| in_place(path, b"!", 9_999)),
    ("longer", |path| in_place(path, b"!", 10_000)),
    ("shorter", |path| {
        OpenOptions::new()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(9_999)
            .unwrap();
    }),
    ("emptied", |path| fs::write(path, "").unwrap()),
    ("set back", set_back),
    ("cp -p", copied_with_times),
    ("replaced", replaced),
    ("deleted", |path| fs::remove_file(path).unwrap()),
    ("mapped", |path| map(path)[5000] ^= 1),
    // Only its change time is new.
    ("mode", |path| {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }),
];

#[test]
fn every_change_at_the_last_moment_is_seen() {
    let fixture = EagerFixture::start(vec![("tree", blob_type(Multipart))]);
    for (index, (name, _)) in WAYS.iter().enumerate() {
        fixture.write(&format!("tree/{name}"), bytes(10_000, index as u64));
        fixture.write(&format!("tree/moved/{name}"), bytes(10_000, index as u64));
    }
    for (name, _) in WAYS {
        fixture.wait_for(&format!("tree/{name}"));
        fixture.wait_for(&format!("tree/moved/{name}"));
    }
    for (name, change) in WAYS {
        change(&fixture.path(&format!("tree/{name}")));
        change(&fixture.path(&format!("tree/moved/{name}")));
    }
    fs::rename(fixture.path("tree/moved"), fixture.path("tree/elsewhere")).unwrap();
    let outcome = fixture.commits();
    assert_eq!(outcome.files.len(), 2 * (WAYS.len() - 1));
    // Unchanged content was not uploaded again, whatever its change time is.
    assert_eq!(
        outcome.count("objects_early"),
        2,
        "{}",
        outcome.sidecar.ended.stderr
    );
}

#[test]
fn a_mapping_that_outlives_its_descriptor_keeps_a_file_back() {
    let fixture = EagerFixture::start(vec![("tree", blob_type(Multipart))]);
    fixture.write("tree/mapped", bytes(100_000, 1));
    fixture.write("tree/other", "x");
    let mut mapped = map(&fixture.path("tree/mapped"));
    mapped[3] = 1;
    fixture.wait_for("tree/other");
    thread::sleep(Duration::from_millis(700));
    // The page is dirty, so the file's times no longer change.
    mapped[4] = 2;
    thread::sleep(Duration::from_millis(700));
    mapped[4096] = 3;
    mapped[5] = 4;
    drop(mapped);
    fixture.commits();
}

#[test]
fn a_directory_that_comes_whole_goes_up() {
    let fixture = EagerFixture::start(vec![("tree", blob_type(Multipart))]);
    let beside = fixture.task.site.work("beside");
    fs::create_dir_all(beside.join("a/b")).unwrap();
    fs::write(beside.join("a/b/c"), "x").unwrap();
    fs::rename(&beside, fixture.path("tree")).unwrap();
    fixture.wait_for("tree/a/b/c");
    // And further, after it was renamed within the directory.
    fs::rename(fixture.path("tree/a"), fixture.path("tree/z")).unwrap();
    fixture.write("tree/z/b/d", "y");
    fixture.wait_for("tree/z/b/d");
    let outcome = fixture.commits();
    assert!(outcome.objects.contains_key("tree/z/b/c"));
    assert!(!outcome.objects.contains_key("tree/a/b/c"));
}

#[test]
fn a_file_that_is_rewritten_all_along_is_right_in_the_end() {
    let fixture = EagerFixture::start(vec![("tree", blob_type(Multipart))]);
    for index in 0..60 {
        fixture.write("tree/o", bytes(5_000, index));
        let mut log = OpenOptions::new();
        let log = log.append(true).create(true).open(fixture.path("tree/log"));
        writeln!(log.unwrap(), "{index}").unwrap();
        thread::sleep(Duration::from_millis(40));
    }
    fixture.commits();
}

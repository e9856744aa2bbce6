//! Few open files: the soft limit is raised to the hard one, and an error names the limit. So does the error of a
//! file that is larger than we may write.

#![cfg(test)]

use std::process::Command;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::binary;
use copilot_tests::task::{Task, blob};

/// A download of many files in a process with these limits on open files.
fn download(task: &Task, soft: u32, hard: u32) -> binary::Ended {
    let script = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\" \"$@\"");
    let mut command = Command::new("/bin/sh");
    binary::isolate(&mut command);
    command
        .args(["-c", &script])
        .arg(binary::path())
        .args(task.site.server.flags("data"))
        .args(task.download_arguments());
    binary::run(&mut command)
}

fn task() -> Task {
    let task = Task::start().unwrap();
    for name in 0..60 {
        task.put(&format!("task/in/dir/{name}"), "content");
    }
    task.put_inputs([("dir", blob("s3://data/task/in/dir", Multipart))]);
    task
}

#[test]
fn a_low_soft_limit_does_not_matter() {
    let ended = download(&task(), 16, 1024);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
}

#[test]
fn a_low_hard_limit_is_named() {
    let ended = download(&task(), 14, 14);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    for word in ["14 files open at once", "ulimit -n", "--max-connections"] {
        assert!(ended.stderr.contains(word), "{}", ended.stderr);
    }
}

#[test]
fn a_file_that_is_larger_than_we_may_write_is_an_error_and_no_death() {
    let task = Task::start().unwrap();
    task.put("task/in/large", vec![b'x'; 200 * 1024]);
    task.put_inputs([("file", blob("s3://data/task/in/large", Single))]);
    let mut command = Command::new("/bin/sh");
    binary::isolate(&mut command);
    command
        .args(["-c", "ulimit -f 100 && exec \"$0\" \"$@\""])
        .arg(binary::path())
        .args(task.site.server.flags("data"))
        .args(task.download_arguments());
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    for word in ["RLIMIT_FSIZE", "ulimit -f"] {
        assert!(ended.message().contains(word), "{}", ended.stderr);
    }
}

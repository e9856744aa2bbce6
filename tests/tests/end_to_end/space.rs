//! Downloads without enough room: the message, and that it comes in time.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::Command;

use copilot::idl::Literal;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::background::Background;
use copilot_tests::binary::{self, Ended};
use copilot_tests::bounded::Bounded;
use copilot_tests::namespace;
use copilot_tests::requirement::Requirement;
use copilot_tests::site::bytes;
use copilot_tests::task::{Task, blob};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const MIB: usize = 1 << 20;

/// Mounts a file system at `$1` with the options `$0`, which only this script sees; runs the remaining
/// arguments as a command; then lists the files.
const ON_A_TMPFS: &str = r#"
mount -t tmpfs -o "$0" none "$1" || exit 125
place=$1; shift
"$@"
code=$?
find "$place" -type f | sort
exit $code
"#;

/// A download to a tmpfs with these options, in `cgroup` if there is one.
fn download(task: &Task, options: &str, cgroup: Option<&Bounded>) -> Ended {
    let inputs = task.inputs_dir();
    fs::create_dir_all(&inputs).unwrap();
    let mut command = match cgroup {
        Some(cgroup) => cgroup.command(Path::new("unshare")).unwrap(),
        None => Command::new("unshare"),
    };
    binary::isolate(&mut command);
    command
        .args(namespace::unshare().unwrap())
        .args(["/bin/sh", "-c", ON_A_TMPFS, options])
        .arg(&inputs)
        .arg(binary::path())
        .args(task.site.server.flags("data"))
        .args(task.download_arguments());
    binary::run(&mut command)
}

/// Checks that it was refused with this message, in the error document and at the end of standard error.
#[track_caller]
fn refused(task: &Task, ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let document = task.document("error.pb").unwrap();
    for word in words {
        let said = [&document.message, &ended.stderr];
        assert!(
            said.iter().all(|said| said.contains(word)),
            "{word:?}: {} {}",
            document.message,
            ended.stderr
        );
    }
}

/// The inputs: this prefix.
fn of_prefix(task: &Task, name: &str) {
    let uri = format!("s3://data/{name}");
    task.put_inputs([("dir", blob(&uri, Multipart))]);
}

#[test]
fn a_directory_larger_than_the_volume_is_refused_before_its_first_byte() {
    if !Requirement::Mounts.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    for index in 0..40 {
        task.put(&format!("dir/{index:02}"), bytes(MIB / 2, index));
    }
    of_prefix(&task, "dir");
    let ended = download(&task, "size=16m", None);
    let mount = format!("the tmpfs at {}", task.inputs_dir().display());
    let words = [
        "input \"dir\"",
        "inputs/dir has no room: 20.0",
        " MiB should be written",
        &mount,
        "has 16.0 MiB left of 16.0 MiB",
        "sizeLimit",
    ];
    refused(&task, &ended, &words);
    assert_eq!(ended.stdout, "");

    // With enough room it succeeds, also when repeated: files that are replaced count as room.
    let ended = download(&task, "size=24m", None);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
}

/// 20 MiB twice, in 30 MiB: forty files that are written at once, and a file of which only one has room.
#[test]
fn replaced_files_count_as_room() {
    if !Requirement::Mounts.is_met() {
        return;
    }
    for (files, size) in [(40, MIB / 2), (1, 20 * MIB)] {
        replaced(files, size);
    }
}

fn replaced(files: u64, size: usize) {
    let task = Task::start().unwrap();
    for index in 0..files {
        task.put(&format!("dir/{index:02}"), bytes(size, index));
    }
    of_prefix(&task, "dir");
    fs::create_dir_all(task.inputs_dir()).unwrap();
    let script = ON_A_TMPFS.replace("\"$@\"\n", "\"$@\" && \"$@\"\n");
    let mut command = Command::new("unshare");
    binary::isolate(&mut command);
    command
        .args(namespace::unshare().unwrap())
        .args(["/bin/sh", "-c", &script, "size=30m"])
        .arg(task.inputs_dir())
        .arg(binary::path())
        .args(task.site.server.flags("data"))
        .args(task.download_arguments());
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("inputs are in place").count(), 2);
}

#[test]
fn blobs_that_fit_alone_but_not_together_are_refused() {
    if !Requirement::Mounts.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    let names: Vec<String> = (0..4).map(|index| format!("blob{index}")).collect();
    for name in &names {
        task.put(name, bytes(9 * MIB, 1));
    }
    let uris = names.iter().map(|name| format!("s3://data/{name}"));
    let literals: Vec<Literal> = uris.map(|uri| blob(&uri, Single)).collect();
    task.put_inputs(names.iter().map(String::as_str).zip(literals));
    let ended = download(&task, "size=20m", None);
    refused(&task, &ended, &["should be written, but the tmpfs at"]);
    assert!(
        !ended.stdout.contains(".copilot-partial"),
        "{}",
        ended.stdout
    );
}

#[test]
fn more_files_than_the_volume_holds_are_refused() {
    if !Requirement::Mounts.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    for index in 0..50 {
        task.put(&format!("dir/{index:02}"), "x");
    }
    of_prefix(&task, "dir");
    let ended = download(&task, "size=16m,nr_inodes=20", None);
    refused(&task, &ended, &["more files (inodes)"]);
    assert_eq!(ended.stdout, "");
}

#[test]
fn an_announced_limit_is_kept() {
    let task = Task::start().unwrap();
    for index in 0..40 {
        task.put(&format!("dir/{index:02}"), bytes(MIB / 2, index));
    }
    of_prefix(&task, "dir");
    let mut command = task.download();
    command.args(["--volume-size-limit", "19Mi"]);
    let ended = binary::run(&mut command);
    refused(&task, &ended, &["--volume-size-limit allows 19.0 MiB"]);
    let mut command = task.download();
    command.args(["--volume-size-limit", "20Mi"]);
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
}

/// The tmpfs itself has enough room, but its pages are charged to the container.
#[test]
fn a_tmpfs_larger_than_the_containers_memory_is_refused_before_the_oom_killer() {
    if !Requirement::MemoryLimits.is_met() {
        return;
    }
    let cgroup = Bounded::create(64 * MIB as u64, None).unwrap();
    let task = Task::start().unwrap();
    for index in 0..20 {
        task.put(&format!("dir/{index:02}"), bytes(5 * MIB, index));
    }
    of_prefix(&task, "dir");
    let ended = download(&task, "size=1g", Some(&cgroup));
    let words = [
        "should be written, but the tmpfs at",
        "memory of this container, whose limit of 64.0 MiB leaves",
        "Raise the memory limit of this container",
    ];
    refused(&task, &ended, &words);
    assert_eq!((ended.stdout.as_str(), cgroup.kills().unwrap()), ("", 0));

    // Data is fetched up to about the size that was reported as free.
    let said = task.document("error.pb").unwrap().message;
    let left = said.split(" leaves ").nth(1).unwrap();
    let left: f64 = left.split(" MiB").next().unwrap().parse().unwrap();
    let small = Task::start().unwrap();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "tens of MiB"
    )]
    let fitting = left as usize - 3;
    small.put("dir/x", bytes(fitting * MIB, 1));
    of_prefix(&small, "dir");
    let ended = download(&small, "size=1g", Some(&cgroup));
    assert_eq!(
        (ended.code(), cgroup.kills().unwrap()),
        (0, 0),
        "{}",
        ended.stderr
    );
}

/// A web server that does not announce the length.
fn endless() -> Background {
    Background::start("endless", |mut connection| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if connection.read_buf(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
        let block = bytes(MIB, 7);
        let mut sent = connection.write_all(head).await;
        while sent.is_ok() {
            sent = connection.write_all(&block).await;
        }
    })
    .unwrap()
}

/// The inputs: a blob that never ends.
fn of_endless(task: &Task, server: &Background) {
    let uri = format!("http://{}/some/file", server.address());
    task.put_inputs([("blob", blob(&uri, Single))]);
}

#[test]
fn a_download_of_unknown_length_stops_before_the_oom_killer() {
    if !Requirement::MemoryLimits.is_met() {
        return;
    }
    let cgroup = Bounded::create(64 * MIB as u64, None).unwrap();
    let (task, server) = (Task::start().unwrap(), endless());
    of_endless(&task, &server);
    let ended = download(&task, "size=1g", Some(&cgroup));
    let words = [
        "memory of this container, whose limit of 64.0 MiB leaves 0 bytes",
        "Raise the memory limit of this container",
    ];
    refused(&task, &ended, &words);
    assert_eq!((ended.stdout.as_str(), cgroup.kills().unwrap()), ("", 0));
}

#[test]
fn a_download_of_unknown_length_stops_when_the_volume_is_full() {
    if !Requirement::Mounts.is_met() {
        return;
    }
    let (task, server) = (Task::start().unwrap(), endless());
    of_endless(&task, &server);
    let ended = download(&task, "size=16m", None);
    refused(
        &task,
        &ended,
        &["has no room: the tmpfs at", "0 bytes left of 16.0 MiB"],
    );
    assert_eq!(ended.stdout, "");
}

#[test]
fn a_download_of_unknown_length_stops_at_the_announced_limit() {
    let (task, server) = (Task::start().unwrap(), endless());
    of_endless(&task, &server);
    let mut command = task.download();
    command.args(["--volume-size-limit", "5Mi"]);
    let ended = binary::run(&mut command);
    refused(&task, &ended, &["--volume-size-limit allows 5.00 MiB"]);
}

//! A disk that fails in one kind of request, at any step of a job: while inputs are written, while outputs are read
//! after main's end and while main runs, and in the sidecar's own notes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use copilot::idl::TypedInterface;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::binary::{self, Ended, Running};
use copilot_tests::faulty_disk::{FaultyDisk, Operation, Request};
use copilot_tests::requirement::Requirement;
use copilot_tests::site::bytes;
use copilot_tests::task::{DOCUMENTS, Task, blob, blob_type, files, interface};
use rustix::process::Signal;

use super::MIB;

/// The sidecar's notes in the output directory.
const JOURNAL: &str = ".copilot-early";

/// The errors of a disk that breaks, that is full for us, and that turned read-only; and their words.
const ERRORS: [(i32, &str); 3] = [
    (libc::EIO, "Input/output error"),
    (libc::EDQUOT, "quota"),
    (libc::EROFS, "Read-only file system"),
];

fn outputs() -> TypedInterface {
    interface([("large", blob_type(Single)), ("tree", blob_type(Multipart))])
}

/// The outputs of main: the names below the raw prefix are the same.
fn write_outputs(directory: &Path) {
    fs::create_dir_all(directory.join("tree/deep")).unwrap();
    fs::write(directory.join("large"), bytes(12 * MIB, 1)).unwrap();
    for name in ["tree/a", "tree/b", "tree/deep/c"] {
        fs::write(directory.join(name), name).unwrap();
    }
}

/// A task, and the directory behind its faulty disk.
fn stage() -> (Task, PathBuf) {
    let task = Task::start().unwrap();
    let content = task.site.work("content");
    fs::create_dir(&content).unwrap();
    (task, content)
}

/// Nothing is committed, nothing is unfinished in the store, and the message has these words.
#[track_caller]
fn fails(task: &Task, ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code(), 1, "{words:?}: {}", ended.stderr);
    let left = task.objects("task/out");
    assert_eq!(left.keys().collect::<Vec<_>>(), DOCUMENTS, "{words:?}");
    for word in words {
        let message = ended.message();
        assert!(message.contains(word), "{words:?}: {message}");
    }
    let unfinished = task.site.server.unfinished_uploads().unwrap();
    assert!(unfinished.is_empty(), "{unfinished:?}");
}

/// All files of the content are in the store, and the outputs are committed.
#[track_caller]
fn commits(task: &Task, ended: &Ended, content: &Path) {
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(task.outputs().is_some(), "{}", ended.stderr);
    let mut expected = files(content);
    expected.remove(JOURNAL);
    assert!(task.objects("task/raw") == expected, "{}", ended.stderr);
}

/// The disk fails in the fifth request of a kind, and from then on.
fn from_the_fifth(operation: Operation, error: i32) -> impl Fn(&Request<'_>) -> Option<i32> {
    let seen = AtomicUsize::new(0);
    move |request| {
        let counts = request.operation == operation;
        let fails = counts && seen.fetch_add(1, Ordering::Relaxed) >= 4;
        fails.then_some(error)
    }
}

/// The server of a shared volume may refuse what was written when the file is synchronized, and not before. Metadata
/// comes last, so main does not start with half of its inputs.
#[test]
fn inputs_on_a_disk_that_fails_are_an_error() {
    if !Requirement::FaultyDisks.is_met() {
        return;
    }
    for operation in [
        Operation::Create,
        Operation::Write,
        Operation::Sync,
        Operation::Rename,
        Operation::MakeDirectory,
    ] {
        for (error, words) in ERRORS {
            let (task, content) = stage();
            fs::create_dir(task.inputs_dir()).unwrap();
            task.put("task/in/large", bytes(12 * MIB, 1));
            for name in 0..20 {
                task.put(&format!("task/in/dir/{name}/x"), "content");
            }
            task.put_inputs([
                ("large", blob("s3://data/task/in/large", Single)),
                ("dir", blob("s3://data/task/in/dir", Multipart)),
            ]);
            let fault = from_the_fifth(operation, error);
            let ended = FaultyDisk::run(&content, &task.inputs_dir(), fault, || {
                binary::run(&mut task.download())
            });
            fails(&task, &ended, &["inputs/", words]);
            let left = files(&content);
            let is_metadata = |name: &&String| name.starts_with("inputs.");
            assert!(!left.keys().any(|name| is_metadata(&name)), "{left:?}");
        }
    }
}

/// What the last request of a download may be.
#[test]
fn metadata_that_cannot_be_written_is_an_error() {
    if !Requirement::FaultyDisks.is_met() {
        return;
    }
    for operation in [Operation::Sync, Operation::Rename] {
        let (task, content) = stage();
        fs::create_dir(task.inputs_dir()).unwrap();
        task.put_inputs([]);
        let fault =
            |request: &Request<'_>| (request.operation == operation).then_some(libc::EDQUOT);
        let ended = FaultyDisk::run(&content, &task.inputs_dir(), fault, || {
            binary::run(&mut task.download())
        });
        fails(&task, &ended, &["inputs.", "quota"]);
        assert!(files(&content).is_empty(), "{:?}", files(&content));
    }
}

/// The store is a directory on such a disk. What its server refuses late is not committed.
#[test]
fn a_store_on_a_disk_that_fails_has_no_commit() {
    if !Requirement::FaultyDisks.is_met() {
        return;
    }
    for (name, operation) in [
        ("a", Operation::Sync),
        ("a", Operation::Write),
        ("a", Operation::Rename),
        ("outputs.pb", Operation::Sync),
        ("outputs.pb", Operation::Rename),
    ] {
        let (task, content) = stage();
        task.write_output("tree/a", "a");
        let store = task.site.work("shared");
        fs::create_dir(&store).unwrap();
        fs::create_dir(content.join("data")).unwrap();
        // The names of unfinished objects do not say what they become: the outputs' literals are the second one.
        let seen = AtomicUsize::new(0);
        let fault = |request: &Request<'_>| {
            let counts = request.operation == operation;
            let index = counts.then(|| seen.fetch_add(1, Ordering::Relaxed))?;
            (index == usize::from(name != "a")).then_some(libc::EDQUOT)
        };
        let ended = FaultyDisk::run(&content, &store, fault, || {
            let mut command = binary::command();
            command.args(["--storage.type=stow", "--storage.stow.kind=local"]);
            command.args(["--storage.container=data", "--storage.stow.config"]);
            command.arg(format!("path={}", store.display()));
            let declared = interface([("tree", blob_type(Multipart))]);
            command.args(task.sidecar_arguments(&declared));
            command.args(["--to-raw-output=file://data/raw", "--watcher=noop"]);
            binary::run(command.arg("--to-output-prefix=file://data/out"))
        });
        assert_eq!(ended.code(), 1, "{name} {operation:?}: {}", ended.stderr);
        assert!(ended.message().contains("quota"), "{}", ended.stderr);
        let left = files(&content);
        assert!(!left.contains_key("data/out/outputs.pb"), "{left:?}");
        assert!(left.contains_key("data/out/error.pb"), "{left:?}");
    }
}

/// A disk that fails when `is_broken` is set, in requests about outputs: not about the directory itself, and not
/// about the sidecar's notes.
fn broken_for<'a>(
    is_broken: &'a AtomicBool,
    (operation, path, offset): (Operation, &'a str, usize),
) -> impl Fn(&Request<'_>) -> Option<i32> + 'a {
    move |request| {
        let is_it = request.operation == operation
            && request.path == Path::new(path)
            && request.offset >= offset as u64;
        (is_it && is_broken.load(Ordering::Relaxed)).then_some(libc::EIO)
    }
}

/// Where a disk fails that main's outputs are on.
const READS: [(Operation, &str, usize); 6] = [
    (Operation::Look, "large", 0),
    (Operation::Open, "tree/b", 0),
    (Operation::Read, "tree/b", 0),
    (Operation::Read, "large", 9 * MIB),
    (Operation::List, "tree", 0),
    (Operation::List, "tree/deep", 0),
];

#[test]
fn outputs_on_a_disk_that_fails_are_an_error() {
    if !Requirement::FaultyDisks.is_met() {
        return;
    }
    for place in READS {
        let (task, content) = stage();
        write_outputs(&content);
        let is_broken = AtomicBool::new(true);
        let fault = broken_for(&is_broken, place);
        let ended = FaultyDisk::run(&content, &task.outputs_dir(), fault, || {
            binary::run(&mut task.sidecar(&outputs()))
        });
        fails(&task, &ended, &[place.1, "Input/output error"]);
    }
}

/// Without its notes the sidecar does not know what an earlier life sent. Main's outputs are worth more.
#[test]
fn outputs_go_up_where_the_notes_cannot_be_kept() {
    if !Requirement::FaultyDisks.is_met() {
        return;
    }
    for operation in [
        Operation::Look,
        Operation::Create,
        Operation::Open,
        Operation::Read,
        Operation::Write,
        Operation::Remove,
    ] {
        for (error, words) in ERRORS {
            let (task, content) = stage();
            write_outputs(&content);
            let exists = matches!(operation, Operation::Open | Operation::Read);
            if exists {
                fs::write(content.join(JOURNAL), "\"tree/of an earlier life\"\n").unwrap();
            }
            let fault = |request: &Request<'_>| {
                let is_it = request.operation == operation && request.path == Path::new(JOURNAL);
                is_it.then_some(error)
            };
            let ended = FaultyDisk::run(&content, &task.outputs_dir(), fault, || {
                binary::run(&mut task.sidecar(&outputs()))
            });
            commits(&task, &ended, &content);
            ended.assert_logged(&[JOURNAL, words]);
        }
    }
}

/// A sidecar that sends outputs while main runs, on such a disk.
fn early(task: &Task) -> Running {
    let mut command = binary::command();
    command
        .args(task.site.server.flags("data"))
        .args(task.sidecar_arguments(&outputs()))
        .args(["--watcher=signal", "--upload-mode=UPLOAD_EAGER"]);
    let mut sidecar = Running::start(&mut command);
    sidecar.watches();
    sidecar
}

/// `lasts`: also when main has ended.
#[test]
fn outputs_that_cannot_be_read_while_main_runs_are_read_again_at_its_end() {
    if !Requirement::FaultyDisks.is_met() {
        return;
    }
    for place in READS {
        for lasts in [true, false] {
            let (task, content) = stage();
            let (is_broken, failed) = (AtomicBool::new(true), AtomicBool::new(false));
            let breaks = broken_for(&is_broken, place);
            let fault = |request: &Request<'_>| {
                let fault = breaks(request);
                failed.fetch_or(fault.is_some(), Ordering::Relaxed);
                fault
            };
            let ended = FaultyDisk::run(&content, &task.outputs_dir(), fault, || {
                let sidecar = early(&task);
                write_outputs(&task.site.work("content"));
                binary::wait_until("the disk has failed", || failed.load(Ordering::Relaxed));
                is_broken.store(lasts, Ordering::Relaxed);
                sidecar.signal(Signal::TERM);
                sidecar.ended()
            });
            if lasts {
                fails(&task, &ended, &[place.1, "Input/output error"]);
            } else {
                commits(&task, &ended, &content);
            }
        }
    }
}

/// The volume turns read-only, or its quota is reached, after the first outputs went up.
#[test]
fn notes_that_fail_midway_end_the_early_uploads_and_not_the_run() {
    if !Requirement::FaultyDisks.is_met() {
        return;
    }
    for (error, words) in ERRORS {
        let (task, content) = stage();
        let is_broken = AtomicBool::new(false);
        let fault = |request: &Request<'_>| {
            let changes = matches!(
                request.operation,
                Operation::Write | Operation::Create | Operation::Remove | Operation::Rename
            );
            (changes && is_broken.load(Ordering::Relaxed)).then_some(error)
        };
        let ended = FaultyDisk::run(&content, &task.outputs_dir(), fault, || {
            let sidecar = early(&task);
            fs::create_dir(content.join("tree")).unwrap();
            fs::write(content.join("tree/first"), "first").unwrap();
            binary::wait_until("it is up", || !task.objects("task/raw").is_empty());
            is_broken.store(true, Ordering::Relaxed);
            write_outputs(&content);
            sidecar.says("outputs wait for main's end");
            sidecar.signal(Signal::TERM);
            sidecar.ended()
        });
        commits(&task, &ended, &content);
        ended.assert_logged(&[words]);
    }
}

//! Unusual outputs: special files, too many files, files that change while they are uploaded.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use copilot::idl::SimpleType;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::literal_type::Type;
use copilot::idl::{Literal, primitive};
use copilot_tests::binary::{self, Ended};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::requirement::Requirement;
use copilot_tests::site::bytes;
use copilot_tests::task::{Task, blob_type, interface, simple};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use super::outlook::{Bad, REPORTED, REPORTED_FOR_GOOD, check_all};

fn of(task: &Task, name: &str, declared: Type) -> Command {
    task.sidecar(&interface([(name, declared)]))
}

fn integer(task: &Task, content: &[u8]) -> Command {
    task.write_output("n", content);
    of(task, "n", simple(SimpleType::Integer))
}

fn tree(task: &Task) -> Command {
    of(task, "o", blob_type(Multipart))
}

const TABLE: &[Bad] = &[
    Bad {
        what: "a number with the line end of another system",
        arrange: |task| integer(task, b"7\r\n"),
        code: REPORTED,
        says: &["output \"n\"", "outputs/n", r"7\r"],
    },
    Bad {
        what: "a number behind a byte order mark",
        arrange: |task| integer(task, b"\xef\xbb\xbf7\n"),
        code: REPORTED,
        says: &["output \"n\"", "outputs/n", r"\u{feff}7"],
    },
    Bad {
        what: "a number that is not text",
        arrange: |task| integer(task, b"\xff\n"),
        code: REPORTED,
        says: &["output \"n\"", "outputs/n", "UTF-8"],
    },
    Bad {
        what: "a name that is not text, in a tree",
        arrange: |task| {
            let folder = task.outputs_dir().join("o");
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(OsStr::from_bytes(b"a\xffb")), "x").unwrap();
            tree(task)
        },
        code: REPORTED,
        says: &["output \"o\"", r"a\xffb", "not UTF-8", "rename it"],
    },
    Bad {
        what: "a name that is not text, because of its extension",
        arrange: |task| {
            let name = OsStr::from_bytes(b"o.\xff");
            fs::write(task.outputs_dir().join(name), "x").unwrap();
            of(task, "o", blob_type(Single))
        },
        code: REPORTED,
        says: &["output \"o\"", "outputs/o.", "not UTF-8", "rename the file"],
    },
    Bad {
        what: "a name that is longer than a key",
        arrange: |task| {
            let deep = vec!["d".repeat(250); 5].join("/");
            task.write_output(&format!("o/{deep}"), "x");
            tree(task)
        },
        code: REPORTED_FOR_GOOD,
        says: &["output \"o\"", "a key of more than 1024 bytes"],
    },
    Bad {
        what: "a variable of a name that no file has",
        arrange: |task| of(task, &"n".repeat(90_000), simple(SimpleType::Integer)),
        code: REPORTED,
        says: &[
            "output \"nnn",
            "… (90000 bytes)",
            "a file name has at most 255",
        ],
    },
    Bad {
        what: "links that multiply a tree",
        arrange: |task| {
            let folder = task.outputs_dir().join("o");
            fs::create_dir_all(folder.join("0")).unwrap();
            for level in 1..20 {
                let name = folder.join(level.to_string());
                fs::create_dir(&name).unwrap();
                for link in ["a", "b", "c", "d"] {
                    symlink(format!("../{}", level - 1), name.join(link)).unwrap();
                }
            }
            tree(task)
        },
        code: REPORTED,
        says: &[
            "output \"o\"",
            "100 links have led to",
            "copy the directory",
        ],
    },
];

#[test]
fn sidecars() {
    check_all(TABLE, "OutputUploadFailed");
}

/// A device is not read, and does not block.
#[test]
fn devices() {
    if !Requirement::Root.is_met() {
        return;
    }
    for (name, declared) in [
        ("n", simple(SimpleType::String)),
        ("n", blob_type(Single)),
        ("o/zero", blob_type(Multipart)),
    ] {
        let task = Task::start().unwrap();
        fs::create_dir(task.outputs_dir().join("o")).unwrap();
        let path = task.outputs_dir().join(name);
        // `/dev/zero`, which has no end.
        let made = mknodat(
            CWD,
            &path,
            FileType::CharacterDevice,
            Mode::RUSR | Mode::WUSR,
            makedev(1, 5),
        );
        made.unwrap();
        let variable = &name[..1];
        let ended = binary::run(&mut of(&task, variable, declared));
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        let said = task.document("error.pb").unwrap().message;
        for part in [
            &*format!("output \"{variable}\""),
            "device",
            &path.to_string_lossy(),
        ] {
            assert!(said.contains(part), "{said}");
        }
    }
}

/// Text keeps characters that are only invalid in numbers, as in the reference, which does not trim `\r`.
#[test]
fn text_keeps_carriage_returns_and_marks() {
    let task = Task::start().unwrap();
    task.write_output("s", b"\xef\xbb\xbfa\r\nb\r\n");
    let ended = binary::run(&mut of(&task, "s", simple(SimpleType::String)));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let expected: Literal = primitive::Value::StringValue("\u{feff}a\r\nb\r".to_owned()).into();
    assert_eq!(task.outputs().unwrap().literals["s"], expected);
}

/// Uploads a tree; `change` is called at the first request to the store.
fn changed(large: usize, change: impl Fn(&Path) + Send + Sync + 'static) -> (Task, Ended) {
    let task = Task::start().unwrap();
    task.write_output("o/large", bytes(large, 1));
    for number in 0..300 {
        task.write_output(&format!("o/more/{number:03}"), "x");
    }
    let folder = task.outputs_dir().join("o");
    let done = AtomicBool::new(false);
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        if seen.line.contains("/task/raw/") && !done.swap(true, Ordering::Relaxed) {
            change(&folder);
        }
        Fault::None
    })
    .unwrap();
    let mut command = tree(&task);
    let endpoint = format!("endpoint={}", proxy.endpoint());
    let ended = binary::run(command.args(["--storage.stow.config", &endpoint]));
    assert!(task.site.server.unfinished_uploads().unwrap().is_empty());
    (task, ended)
}

/// Checks that nothing is committed, and that the only document names the cause.
fn refused(task: &Task, ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert_eq!(task.outputs(), None);
    let said = task.document("error.pb").unwrap().message;
    for part in parts {
        assert!(said.contains(part), "{part}: {said}");
    }
}

const MIB: usize = 1 << 20;

#[test]
fn files_that_change_while_they_are_read() {
    let grow = |folder: &Path| {
        let mut file = File::options()
            .append(true)
            .open(folder.join("large"))
            .unwrap();
        file.write_all(b"more").unwrap();
    };
    let (task, ended) = changed(40 * MIB, grow);
    let parts = [
        "output \"o\"",
        "o/large had 41943040 bytes",
        "41943044",
        "do not change them afterwards",
    ];
    refused(&task, &ended, &parts);

    let shrink = |folder: &Path| {
        let file = File::options()
            .write(true)
            .open(folder.join("large"))
            .unwrap();
        file.set_len(1).unwrap();
    };
    let (task, ended) = changed(40 * MIB, shrink);
    refused(
        &task,
        &ended,
        &["output \"o\"", "o/large had 41943040 bytes"],
    );
}

#[test]
fn files_that_vanish() {
    let (task, ended) = changed(1, |folder| {
        fs::remove_file(folder.join("more/299")).unwrap();
    });
    refused(
        &task,
        &ended,
        &["output \"o\"", "o/more/299", "No such file"],
    );
    // A whole directory, whose names are known by then.
    let (task, ended) = changed(1, |folder| fs::remove_dir_all(folder.join("more")).unwrap());
    refused(&task, &ended, &["output \"o\"", "o/more/", "No such file"]);
    // A file that is already open can be read to its end.
    let (task, ended) = changed(40 * MIB, |folder| {
        fs::remove_file(folder.join("large")).unwrap();
    });
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(task.objects("task/raw")["o/large"] == bytes(40 * MIB, 1));
}

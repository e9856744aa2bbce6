//! Bad arguments of a sidecar, and bad outputs of main.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use copilot::idl::SimpleType;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::literal_type::Type;
use copilot_tests::binary;
use copilot_tests::task::{Task, blob_type, interface, simple};
use rustix::fs::{CWD, Mode, mkfifoat};

use super::outlook::{Bad, MISUSED, REFUSED, REPORTED, REPORTED_FOR_GOOD, check_all};

/// A sidecar that declares one output.
fn of(task: &Task, name: &str, declared: Type) -> Command {
    task.sidecar(&interface([(name, declared)]))
}

fn integer(task: &Task) -> Command {
    of(task, "n", simple(SimpleType::Integer))
}

fn tree(task: &Task) -> Command {
    of(task, "o", blob_type(Multipart))
}

/// The same, but as a user whose file permissions are checked.
fn unprivileged(task: &Task, declared: Type) -> Command {
    let mut command = binary::unprivileged(&task.site.work("copilot"));
    command
        .args(task.site.server.flags("data"))
        .args(task.sidecar_arguments(&interface([("n", declared)])))
        .arg("--watcher=noop");
    command
}

/// The sidecar's command line with one flag's value changed.
fn changed(task: &Task, flag: &str, value: &str) -> Command {
    task.write_output("o", "content");
    let mut arguments = task.sidecar_arguments(&interface([("o", blob_type(Single))]));
    let at = arguments
        .iter()
        .position(|argument| argument == flag)
        .unwrap();
    value.clone_into(&mut arguments[at + 1]);
    let mut command = binary::command();
    command
        .args(task.site.server.flags("data"))
        .args(arguments)
        .arg("--watcher=noop");
    command
}

fn link(task: &Task, target: &str, name: &str) {
    let path = task.outputs_dir().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    symlink(target, path).unwrap();
}

const TABLE: &[Bad] = &[
    Bad {
        what: "an interface that is not base64",
        arrange: |task| changed(task, "--interface", "%%%"),
        code: REFUSED,
        says: &["--interface", "%%%", "standard base64 with padding"],
    },
    Bad {
        what: "an interface that is not a message",
        arrange: |task| changed(task, "--interface", "aGVsbG8="),
        code: REPORTED,
        says: &["--interface", "TypedInterface", "the platform"],
    },
    Bad {
        what: "an unknown watcher",
        arrange: |task| {
            let mut command = integer(task);
            command.arg("--watcher=ebfp");
            command
        },
        code: MISUSED,
        says: &["--watcher", "\"ebfp\"", "did you mean ebpf?"],
    },
    Bad {
        what: "an unknown watcher of the reference",
        arrange: |task| {
            let mut command = integer(task);
            command.args(["--start-watcher-type", "nope"]);
            command
        },
        code: MISUSED,
        says: &["--start-watcher-type", "\"nope\"", "signal, noop"],
    },
    Bad {
        what: "no output prefix",
        arrange: |task| changed(task, "--to-output-prefix", ""),
        code: REFUSED,
        says: &["--to-output-prefix is required"],
    },
    Bad {
        what: "no output directory named",
        arrange: |task| changed(task, "--from-local-dir", ""),
        code: MISUSED,
        says: &["--from-local-dir is required"],
    },
    Bad {
        what: "an output directory that is not there",
        arrange: |task| changed(task, "--from-local-dir", "/nowhere/outputs"),
        code: REPORTED,
        says: &["/nowhere/outputs", "--from-local-dir", "the main container"],
    },
    Bad {
        what: "a file and no prefix for data",
        arrange: |task| changed(task, "--to-raw-output", ""),
        code: REPORTED,
        says: &["--to-raw-output"],
    },
    Bad {
        what: "a data prefix that is not a reference",
        arrange: |task| changed(task, "--to-raw-output", "s3://data/100%"),
        code: REPORTED,
        says: &["--to-raw-output", "s3://data/100%", "percent-encoded"],
    },
    Bad {
        what: "a data prefix that readers of references read differently",
        arrange: |task| changed(task, "--to-raw-output", "s3://data/a%23b/raw"),
        code: REPORTED,
        says: &[
            "--to-raw-output",
            "s3://data/a%23b/raw",
            "for syntax",
            "Choose another",
        ],
    },
    Bad {
        what: "a data prefix with a fragment",
        arrange: |task| changed(task, "--to-raw-output", "s3://data/a#b/raw"),
        code: REPORTED,
        says: &["--to-raw-output", "s3://data/a#b/raw", "different readers"],
    },
    Bad {
        what: "a prefix for data in a bucket that is not there",
        arrange: |task| {
            let mut command = changed(task, "--to-raw-output", "s3://elsewhere/raw");
            command.arg("--storage.enable-multicontainer");
            command
        },
        code: REPORTED_FOR_GOOD,
        says: &[
            "output \"o\"",
            "s3://elsewhere/raw/o",
            "does not exist",
            "Create it",
        ],
    },
    Bad {
        what: "an output that is missing",
        arrange: integer,
        code: REPORTED,
        says: &["output \"n\"", "outputs/n", "not found", "must write it"],
    },
    Bad {
        what: "an output that is malformed",
        arrange: |task| {
            task.write_output("n", "seven");
            integer(task)
        },
        code: REPORTED,
        says: &["output \"n\"", "outputs/n", "seven", "integer"],
    },
    Bad {
        what: "an output that is too large",
        arrange: |task| {
            task.write_output("n", vec![b'1'; (1 << 20) + 1]);
            integer(task)
        },
        code: REPORTED,
        says: &[
            "output \"n\"",
            "1048577 bytes",
            "1048576",
            "--max-simple-size",
        ],
    },
    Bad {
        what: "two files for one output",
        arrange: |task| {
            task.write_output("n.csv", "1");
            task.write_output("n.txt", "1");
            integer(task)
        },
        code: REPORTED,
        says: &["output \"n\"", "ambiguous", "n.csv", "n.txt", "keep one"],
    },
    Bad {
        what: "a directory where a value is declared",
        arrange: |task| {
            task.write_output("n/x", "1");
            integer(task)
        },
        code: REPORTED,
        says: &["output \"n\"", "integer", "directory", "write a file"],
    },
    Bad {
        what: "a directory where a file is declared",
        arrange: |task| {
            task.write_output("o/x", "1");
            of(task, "o", blob_type(Single))
        },
        code: REPORTED,
        says: &["output \"o\"", "directory", "write a file"],
    },
    Bad {
        what: "a file where a directory is declared",
        arrange: |task| {
            task.write_output("o", "1");
            tree(task)
        },
        code: REPORTED,
        says: &["output \"o\"", "is a file", "write a directory"],
    },
    Bad {
        what: "a name that leaves the directory",
        arrange: |task| of(task, "../n", simple(SimpleType::Integer)),
        code: REPORTED,
        says: &["\"../n\"", "another directory", "rename it"],
    },
    Bad {
        what: "a value that we may not read",
        arrange: |task| {
            task.write_output("n", "1");
            let path = task.outputs_dir().join("n");
            fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
            unprivileged(task, simple(SimpleType::Integer))
        },
        code: REPORTED,
        says: &[
            "output \"n\"",
            "outputs/n",
            "Permission denied",
            "DAC_READ_SEARCH",
            "mode 644",
            "fsGroup",
        ],
    },
    Bad {
        what: "a file that we may not read",
        arrange: |task| {
            task.write_output("n", "1");
            let path = task.outputs_dir().join("n");
            fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
            unprivileged(task, blob_type(Single))
        },
        code: REPORTED,
        says: &[
            "output \"n\"",
            "outputs/n",
            "Permission denied",
            "mode 644",
            "fsGroup",
        ],
    },
    Bad {
        what: "a directory that we may not read",
        arrange: |task| {
            task.write_output("n/deep/x", "1");
            let path = task.outputs_dir().join("n/deep");
            fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
            unprivileged(task, blob_type(Multipart))
        },
        code: REPORTED,
        says: &[
            "output \"n\"",
            "outputs/n/deep",
            "Permission denied",
            "directories 755",
            "fsGroup",
        ],
    },
    Bad {
        what: "an output directory that we may not enter",
        arrange: |task| {
            task.write_output("n", "1");
            fs::set_permissions(task.outputs_dir(), fs::Permissions::from_mode(0o000)).unwrap();
            unprivileged(task, simple(SimpleType::Integer))
        },
        code: REPORTED,
        says: &["outputs", "Permission denied", "fsGroup"],
    },
    Bad {
        what: "a named pipe as a value",
        arrange: |task| {
            mkfifoat(CWD, task.outputs_dir().join("n"), Mode::RUSR).unwrap();
            integer(task)
        },
        code: REPORTED,
        says: &["output \"n\"", "outputs/n", "named pipe", "write a file"],
    },
    Bad {
        what: "a socket in a directory",
        arrange: |task| {
            fs::create_dir(task.outputs_dir().join("o")).unwrap();
            drop(UnixListener::bind(task.outputs_dir().join("o/s")).unwrap());
            tree(task)
        },
        code: REPORTED,
        says: &["output \"o\"", "outputs/o/s", "socket", "regular file"],
    },
    Bad {
        what: "a link out of the directory",
        arrange: |task| {
            link(task, "/etc/passwd", "n");
            integer(task)
        },
        code: REPORTED,
        says: &["output \"n\"", "outputs/n", "out of the output directory"],
    },
    Bad {
        what: "a link out of the directory, deep in a tree",
        arrange: |task| {
            link(task, "../../../../copilot", "o/deep/x");
            tree(task)
        },
        code: REPORTED,
        says: &[
            "output \"o\"",
            "outputs/o/deep/x",
            "out of the output directory",
        ],
    },
    Bad {
        what: "a link that leads nowhere",
        arrange: |task| {
            link(task, "nothing", "n");
            integer(task)
        },
        code: REPORTED,
        says: &["output \"n\"", "outputs/n", "leads nowhere"],
    },
    Bad {
        what: "links in a circle",
        arrange: |task| {
            link(task, "n", "m");
            link(task, "m", "n");
            integer(task)
        },
        code: REPORTED,
        says: &["output \"n\"", "outputs/n", "circle"],
    },
    Bad {
        what: "a link to the directory that holds it",
        arrange: |task| {
            link(task, ".", "o/again");
            tree(task)
        },
        code: REPORTED,
        says: &[
            "output \"o\"",
            "outputs/o/again",
            "a directory that holds it",
        ],
    },
    Bad {
        what: "an error file that is a directory",
        arrange: |task| {
            task.write_output("_ERROR/x", "1");
            integer(task)
        },
        code: REPORTED,
        says: &["_ERROR", "is a directory", "write a file"],
    },
    Bad {
        what: "several at once",
        arrange: |task| {
            task.write_output("n", "seven");
            let integer = || simple(SimpleType::Integer);
            task.sidecar(&interface([("n", integer()), ("m", integer())]))
        },
        code: REPORTED,
        says: &["output \"m\"", "not found", "output \"n\"", "seven"],
    },
];

#[test]
fn sidecars() {
    check_all(TABLE, "OutputUploadFailed");
}

//! Bad arguments, inputs and folders of a download.

use std::fs;
use std::path::Path;
use std::process::Command;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{Literal, primitive};
use copilot_tests::binary;
use copilot_tests::namespace;
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{INPUTS, Task, blob};

use super::outlook::{Bad, MISUSED, REFUSED, REPORTED, REPORTED_FOR_GOOD, UNREPORTED, check_all};

/// A download with good inputs and further arguments.
fn with(task: &Task, arguments: &[&str]) -> Command {
    task.put_inputs([("n", primitive::Value::Integer(1).into())]);
    let mut command = task.download();
    command.args(arguments);
    command
}

/// A download of these inputs.
fn of(task: &Task, name: &str, literal: Literal) -> Command {
    task.put_inputs([(name, literal)]);
    task.download()
}

/// The command line with one flag's value changed, or without that flag.
fn changed(task: &Task, flag: &str, value: &str) -> Command {
    task.put_inputs([("n", primitive::Value::Integer(1).into())]);
    let mut arguments = task.download_arguments();
    let at = arguments
        .iter()
        .position(|argument| argument == flag)
        .unwrap();
    value.clone_into(&mut arguments[at + 1]);
    let mut command = binary::command();
    command.args(task.site.server.flags("data")).args(arguments);
    command
}

const TABLE: &[Bad] = &[
    Bad {
        what: "unknown flag",
        arrange: |task| with(task, &["--from-remotes", "x"]),
        code: REFUSED,
        says: &["unknown flag --from-remotes", "did you mean --from-remote?"],
    },
    Bad {
        what: "unknown format",
        arrange: |task| with(task, &["--format", "XML"]),
        code: MISUSED,
        says: &["--format", "\"XML\"", "JSON, YAML, PROTO"],
    },
    Bad {
        what: "unknown layout",
        arrange: |task| with(task, &["--file-input-layout", "FLAT"]),
        code: MISUSED,
        says: &["--file-input-layout", "\"FLAT\"", "NAMED_DIR"],
    },
    Bad {
        what: "bad base64",
        arrange: |task| with(task, &["--input-interface", "_-8="]),
        code: REFUSED,
        says: &["--input-interface", "_-8=", "standard base64 with padding"],
    },
    Bad {
        what: "bad duration",
        arrange: |task| with(task, &["--timeout", "5"]),
        code: REFUSED,
        says: &["--timeout", "\"5\"", "unit"],
    },
    Bad {
        what: "no reference of the inputs",
        arrange: |task| changed(task, "--from-remote", ""),
        code: MISUSED,
        says: &["--from-remote is required"],
    },
    Bad {
        what: "no input directory",
        arrange: |task| changed(task, "--to-local-dir", ""),
        code: MISUSED,
        says: &["--to-local-dir is required"],
    },
    Bad {
        what: "no output prefix",
        arrange: |task| changed(task, "--to-output-prefix", ""),
        code: REFUSED,
        says: &["--to-output-prefix is required"],
    },
    Bad {
        what: "an output prefix that is not a reference",
        arrange: |task| changed(task, "--to-output-prefix", "s3://data/100%"),
        code: REFUSED,
        says: &["--to-output-prefix", "s3://data/100%", "percent-encoded"],
    },
    Bad {
        what: "inputs that are no reference",
        arrange: |task| changed(task, "--from-remote", "s3://da ta/100%"),
        code: REPORTED,
        says: &["--from-remote", "s3://da ta/100%", "container name"],
    },
    Bad {
        what: "a bucket that may not be opened",
        arrange: |task| changed(task, "--from-remote", "s3://other/inputs.pb"),
        code: REPORTED_FOR_GOOD,
        says: &[
            "--from-remote",
            "s3://other/inputs.pb",
            "enable-multicontainer",
        ],
    },
    Bad {
        what: "a store that cannot be reached",
        arrange: |task| {
            with(
                task,
                &["--storage.stow.config", "endpoint=http://127.0.0.1:9"],
            )
        },
        code: UNREPORTED,
        says: &[
            "InputDownloadFailed (recoverable, system): ",
            INPUTS,
            "127.0.0.1:9",
            "Check the endpoint",
            "error document could not be written",
        ],
    },
    Bad {
        what: "a wrong secret key",
        arrange: |task| with(task, &["--storage.stow.config", "secret_key=not-the-one"]),
        code: UNREPORTED,
        says: &[
            "InputDownloadFailed (not recoverable, system): ",
            INPUTS,
            "credentials were not accepted",
            "Check auth_type, access_key_id and secret_key",
        ],
    },
    Bad {
        what: "inputs that are no map of literals",
        arrange: |task| {
            task.put("task/inputs.pb", "hello");
            task.download()
        },
        code: REPORTED,
        says: &[INPUTS, "LiteralMap"],
    },
    Bad {
        what: "no inputs",
        arrange: Task::download,
        code: REPORTED,
        says: &[
            INPUTS,
            "--from-remote",
            "does not exist",
            "Check the reference",
        ],
    },
    Bad {
        what: "a file that is not there",
        arrange: |task| of(task, "b", blob("s3://data/nothing", Single)),
        code: REPORTED,
        says: &[
            "input \"b\"",
            "s3://data/nothing",
            "does not exist",
            "Check the reference",
        ],
    },
    Bad {
        what: "a file of a directory that is larger than allowed",
        arrange: |task| {
            task.put("task/in/dir/large", vec![b'x'; 2 << 20]);
            let mut command = of(task, "d", blob("s3://data/task/in/dir", Multipart));
            command.arg("--storage.limits.maxDownloadMBs=1");
            command
        },
        code: REPORTED_FOR_GOOD,
        says: &[
            "input \"d\"",
            "s3://data/task/in/dir/large",
            "2.000000 MiB",
            "maxDownloadMBs",
        ],
    },
    Bad {
        what: "a blob whose uri is not a reference",
        arrange: |task| of(task, "b", blob("s3://da%20ta/k", Single)),
        code: REPORTED,
        says: &["input \"b\"", "s3://da%20ta/k", "container name"],
    },
    Bad {
        what: "a blob that exists at neither key of its uri",
        arrange: |task| of(task, "b", blob("s3://data/a%20b", Single)),
        code: REPORTED,
        says: &[
            "input \"b\"",
            "s3://data/a%20b",
            "\"a%20b\" as it stands",
            "\"a b\" as a URL",
            "does not exist",
        ],
    },
    Bad {
        what: "a store that ours does not have",
        arrange: |task| of(task, "b", blob("redis://host/x", Multipart)),
        code: REPORTED_FOR_GOOD,
        says: &[
            "input \"b\"",
            "redis",
            "not supported",
            "s3, google, azure or local",
        ],
    },
    Bad {
        what: "a name that leaves the directory",
        arrange: |task| of(task, "../outside", primitive::Value::Integer(1).into()),
        code: REPORTED,
        says: &["\"../outside\"", "another directory", "rename it"],
    },
    Bad {
        what: "the name of the directory above",
        arrange: |task| of(task, "..", primitive::Value::Integer(1).into()),
        code: REPORTED,
        says: &["\"..\"", "leave the directory", "rename it"],
    },
    Bad {
        what: "a name of the metadata",
        arrange: |task| of(task, "inputs.pb", primitive::Value::Integer(1).into()),
        code: REPORTED,
        says: &["\"inputs.pb\"", "metadata file", "rename the variable"],
    },
    Bad {
        what: "a file where the input directory is to be",
        arrange: |task| {
            fs::write(task.inputs_dir(), "").unwrap();
            with(task, &[])
        },
        code: REPORTED,
        says: &["/inputs", "exists", "has its name", "empty the directory"],
    },
    Bad {
        what: "an input directory that may not be written",
        arrange: |task| {
            fs::create_dir(task.inputs_dir()).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o555);
            fs::set_permissions(task.inputs_dir(), mode).unwrap();
            task.put_inputs([("n", primitive::Value::Integer(1).into())]);
            let mut command = binary::unprivileged(&task.site.work("copilot"));
            command
                .args(task.site.server.flags("data"))
                .args(task.download_arguments());
            command
        },
        code: REPORTED,
        says: &[
            "/inputs/n",
            "Permission denied",
            "/inputs has mode 0555",
            "we run as uid",
        ],
    },
    Bad {
        what: "no time",
        arrange: |task| with(task, &["--timeout", "1ns"]),
        code: REPORTED,
        says: &["time allowed is over", "--timeout"],
    },
];

#[test]
fn downloads() {
    check_all(TABLE, "InputDownloadFailed");
}

/// Runs on a small file system that only this run sees; its remaining files are printed.
const ON_A_SMALL_DISK: &str = r#"
mount -t tmpfs -o size=1m none "$0" || exit 125
"$@"
code=$?
find "$0" -type f
exit $code
"#;

#[test]
fn a_full_disk() {
    if !Requirement::Mounts.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    task.put("task/in/large", vec![b'x'; 3 << 20]);
    task.put_inputs([
        ("large", blob("s3://data/task/in/large", Single)),
        (
            "text",
            primitive::Value::StringValue("short".to_owned()).into(),
        ),
    ]);
    let inputs = task.inputs_dir();
    fs::create_dir(&inputs).unwrap();
    let mut command = Command::new("unshare");
    binary::isolate(&mut command);
    command
        .args(namespace::unshare().unwrap())
        .args(["/bin/sh", "-c", ON_A_SMALL_DISK])
        .arg(&inputs)
        .arg(binary::path())
        .args(task.site.server.flags("data"))
        .args(task.download_arguments());
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let document = task.document("error.pb").unwrap();
    let path = inputs.join("large").display().to_string();
    for word in ["input \"large\"", &path, "has no room", "sizeLimit"] {
        assert!(
            document.message.contains(word),
            "{word}: {}",
            document.message
        );
    }
    assert_eq!(task.document("errors.pb").unwrap(), document);
    // Complete files may stay; there must be no incomplete ones.
    let left: Vec<&Path> = ended.stdout.lines().map(Path::new).collect();
    assert_eq!(left, [inputs.join("text")], "{}", ended.stdout);
}

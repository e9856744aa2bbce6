//! Plausible mistakes of people who call the program by hand, or who write tasks: the exit code, what the last line
//! says, and of what kind the failure is for the platform.

use std::fs;
use std::path::Path;
use std::process::Command;

use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot::idl::container_error::Kind::{self, NonRecoverable, Recoverable};
use copilot::idl::execution_error::ErrorKind::{self, Unknown, User};
use copilot::idl::{SimpleType, literal_type::Type, primitive};
use copilot_tests::binary;
use copilot_tests::task::{Task, blob, blob_type, interface, simple};

/// To what a mistake is added.
#[derive(Clone, Copy, Debug)]
enum To {
    /// To nothing but the program's name.
    Program,
    /// To the command line of a download that would succeed.
    Download,
    /// To that of a sidecar for the integer `n`, which main has written.
    Sidecar,
}

use To::{Download, Program, Sidecar};

/// Arguments that are wrong or make something wrong, the exit code, and words of the last line.
type Mistake = (To, &'static [&'static str], i32, &'static [&'static str]);

/// What the platform reads in the error document.
type Told = Option<(Kind, ErrorKind)>;

/// A command line that cannot be read, or settings that describe no store: no document can be written.
const UNREADABLE: &[Mistake] = &[
    (Program, &[], 2, &["no command given", "--help"]),
    (Program, &["donwload"], 2, &["did you mean download?"]),
    (
        Program,
        &["download"],
        2,
        &[
            "--to-output-prefix is",
            "--to-local-dir is",
            "--from-remote is",
        ],
    ),
    (
        Program,
        &["sidecar", "-i", "EgkKBwoBbxICCgA="],
        2,
        &["--to-output-prefix is", "--from-local-dir is"],
    ),
    (
        Program,
        &["--exit-zero-on-error", "false", "download"],
        2,
        &["write --exit-zero-on-error=false"],
    ),
    (
        Download,
        &["--exit-zero-on-error", "false"],
        2,
        &["write --exit-zero-on-error=false"],
    ),
    (
        Download,
        &["--storage.enable-multicontainer", "no"],
        2,
        &["--storage.enable-multicontainer=no"],
    ),
    (
        Download,
        &["--verbose"],
        2,
        &["did you mean --logger.level=debug?"],
    ),
    (
        Download,
        &["--fromat", "JSON"],
        2,
        &["did you mean --format?"],
    ),
    (
        Download,
        &["--bucket=b"],
        2,
        &["did you mean --storage.container?"],
    ),
    (Download, &["--timeout", "5"], 2, &["--timeout", "no unit"]),
    (Download, &["--timeout"], 2, &["--timeout needs a value"]),
    (
        Download,
        &["--max-memory", "1KB"],
        2,
        &["--max-memory", "k, Ki, M, Mi"],
    ),
    (
        Download,
        &["--max-connections", "many"],
        2,
        &["--max-connections", "whole number"],
    ),
    (
        Download,
        &["--logger.level=loud"],
        2,
        &["--logger.level", "info or debug"],
    ),
    (
        Download,
        &["--storage.stow.config", "region"],
        2,
        &["--storage.stow.config", "key=value"],
    ),
    (
        Download,
        &["--storage.stow.kind", "S3"],
        2,
        &["[S3]", "Set it to s3"],
    ),
    (Download, &["--storage.type=nope"], 2, &["[nope]"]),
    (
        Download,
        &["--storage.container="],
        2,
        &["storage.container is empty"],
    ),
    (
        Download,
        &["--config", "/etc/hostname"],
        2,
        &["/etc/hostname", "no extension"],
    ),
    (
        Download,
        &["--logger.level=9", "--strict"],
        2,
        &["logger.level 9", "--strict"],
    ),
    (
        Download,
        &["--storage.s3.sign-payload=maybe"],
        2,
        &["auto, always or never"],
    ),
    (
        Sidecar,
        &["--interface", "{\"outputs\": {}}"],
        2,
        &["looks like JSON", "copilot make"],
    ),
    (
        Sidecar,
        &["--interface", "/etc/interface.pb"],
        2,
        &["name of a file", "base64 -w0"],
    ),
    (Sidecar, &["--interface", "EgA"], 2, &["padding is missing"]),
];

/// Flags whose values are wrong: the platform learns of it, and that no other run helps.
const MISUSED: &[Mistake] = &[
    (
        Download,
        &["--format", "json"],
        2,
        &["--format \"json\"", "did you mean JSON?"],
    ),
    (
        Download,
        &["--download-mode", "stream"],
        2,
        &["DOWNLOAD_STREAM"],
    ),
    (
        Download,
        &["--file-input-layout", "FLAT"],
        2,
        &["DIRECT, NAMED_DIR"],
    ),
    (
        Download,
        &["--to-local-dir", ""],
        2,
        &["--to-local-dir is required"],
    ),
    (Download, &["--exit-code", "7"], 2, &["auto, 0, 1"]),
    (
        Download,
        &["--log-format", "xml"],
        2,
        &["auto, text, json, gcp"],
    ),
    (
        Download,
        &["--strict", "extra"],
        2,
        &["extra: no flag takes this"],
    ),
    (Sidecar, &["--upload-mode", "EAGER"], 2, &["UPLOAD_EAGER"]),
    (Sidecar, &["--watcher", "ebfp"], 2, &["did you mean ebpf?"]),
    (
        Sidecar,
        &["--on-main-failure", "ignore"],
        2,
        &["report, salvage, upload"],
    ),
    (
        Sidecar,
        &["--exit-code=1", "--exit-zero-on-error"],
        2,
        &["give one of them"],
    ),
];

/// A mistake in our own settings: the file that holds them, a variable, further arguments, words of the last line, and
/// whether the platform is told.
type WrongSetting = (
    To,
    &'static str,
    Option<(&'static str, &'static str)>,
    &'static [&'static str],
    &'static [&'static str],
    Told,
);

/// What the platform is told of wrong usage.
const MISUSE: Told = Some((NonRecoverable, Unknown));

/// Each ends with exit code 2. A message names the key, where it stands, the rule, and what may be meant.
const WRONG_SETTINGS: &[WrongSetting] = &[
    (
        Sidecar,
        "copilot:\n  on-main-failure: ignore\n",
        None,
        &[],
        &[
            "copilot.on-main-failure (from file",
            "own.yaml, line 2) \"ignore\" is unknown",
            "report, salvage, upload",
        ],
        MISUSE,
    ),
    (
        Download,
        "copilot:\n\n  download-mode: stream\n",
        None,
        &[],
        &["copilot.download-mode (from", "line 3)", "DOWNLOAD_STREAM"],
        MISUSE,
    ),
    (
        Download,
        "copilot: {exit-code: 7}\n",
        Some(("COPILOT_EXIT_CODE", "8")),
        &[],
        &[
            "copilot.exit-code (from environment variable COPILOT_EXIT_CODE) \"8\"",
            "auto, 0, 1",
        ],
        MISUSE,
    ),
    (
        Sidecar,
        "copilot: {on-main-failure: salvage}\n",
        None,
        &["--upload-mode=DO_NOT_UPLOAD"],
        &["copilot.on-main-failure (from file", "give one of them"],
        MISUSE,
    ),
    (
        Download,
        "copilot:\n  max-memory: 1KB\n",
        None,
        &[],
        &["copilot.max-memory (from", "line 2)", "k, Ki, M, Mi"],
        None,
    ),
    (
        Sidecar,
        "copilot:\n  settle: 5\n",
        None,
        &[],
        &["copilot.settle (from", "line 2)", "no unit"],
        None,
    ),
    (
        Download,
        "",
        Some(("COPILOT_MAX_CONNECTIONS", "many")),
        &[],
        &["variable COPILOT_MAX_CONNECTIONS)", "whole number"],
        None,
    ),
    (
        Download,
        "copilot:\n  strict: maybe\n",
        None,
        &[],
        &["copilot.strict (from", "line 2)", "true or false"],
        None,
    ),
    (
        Download,
        "copilot: fast\n",
        None,
        &[],
        &["copilot (from", "line 1)", "takes settings"],
        None,
    ),
    (
        Download,
        "copilot:\n  volume-size-limit: [1Gi]\n",
        None,
        &[],
        &["copilot.volume-size-limit (from", "not a list"],
        None,
    ),
    (
        Sidecar,
        "copilot:\n  ignore-container: {name: x}\n",
        None,
        &[],
        &["copilot.ignore-container (from", "not a map"],
        None,
    ),
    (
        Download,
        "copilot:\n  watchers: proc\n",
        None,
        &["--strict"],
        &[
            "unknown key copilot.watchers in file",
            "line 2; did you mean copilot.watcher?",
            "--strict refuses it",
        ],
        None,
    ),
    (
        Download,
        "copilot:\n  strict: true\n  from-remote: x\n",
        None,
        &[],
        &["unknown key copilot.from-remote", "copilot.strict (from"],
        None,
    ),
    (
        Download,
        "copilots: {strict: true}\n",
        None,
        &["--strict"],
        &["unknown key copilots", "did you mean copilot?"],
        None,
    ),
    (
        Download,
        "",
        Some(("COPILOT_WATCHERS", "proc")),
        &["--strict"],
        &["COPILOT_WATCHERS", "did you mean COPILOT_WATCHER?"],
        None,
    ),
    (
        Download,
        "copilot: {strict: yes, Strict: no}\n",
        None,
        &[],
        &["own.yaml, line 1", "stands twice"],
        None,
    ),
];

/// Runs the command line of a mistake and checks how it ends.
fn check(mistake: &Mistake, task: &Task, expected: Told) {
    let (to, ..) = *mistake;
    check_command(mistake, command(to, task), task, expected);
}

/// The command line that a mistake is added to.
fn command(to: To, task: &Task) -> Command {
    match to {
        Program => binary::command(),
        Download => task.download(),
        Sidecar => task.sidecar(&interface([("n", simple(SimpleType::Integer))])),
    }
}

fn check_command(mistake: &Mistake, mut command: Command, task: &Task, expected: Told) {
    let (_, arguments, code, words) = *mistake;
    let ended = binary::run(command.args(arguments));
    assert_eq!(ended.code(), code, "{mistake:?}: {}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("Error: "), "{mistake:?}: {last}");
    for word in words {
        assert!(
            last.contains(word),
            "{mistake:?}: {word:?} is not in {last:?}"
        );
    }
    let document = task.document("error.pb");
    let told = document.map(|document| (document.kind(), document.origin()));
    assert_eq!(told, expected, "{mistake:?}: {last}");
}

/// A task whose download and sidecar succeed.
fn task() -> Task {
    let task = Task::start().unwrap();
    task.put_inputs([("n", primitive::Value::Integer(1).into())]);
    task.write_output("n", "1");
    task
}

#[test]
fn wrong_usage_without_a_document() {
    let task = task();
    for mistake in UNREADABLE {
        check(mistake, &task, None);
    }
}

#[test]
fn wrong_usage_that_the_platform_is_told() {
    for mistake in MISUSED {
        check(mistake, &task(), MISUSE);
    }
}

#[test]
fn mistakes_in_our_own_settings() {
    for (to, file, variable, arguments, words, told) in WRONG_SETTINGS {
        let task = task();
        let path = task.site.work("own.yaml");
        fs::write(&path, file).unwrap();
        let mut command = command(*to, &task);
        command.arg("--config").arg(&path).envs(*variable);
        check_command(&(*to, arguments, 2, words), command, &task, *told);
    }
}

#[test]
fn variables_and_words_that_nobody_reads_are_named() {
    let task = task();
    let mut command = task.download();
    command.env("STORAGE_STOW_CONFIG_PATH", "/x");
    let ended = binary::run(command.args(["--logger.level=9", "dowload", "secret_key=hunter2"]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    ended.assert_logged(&[
        "STORAGE_STOW_CONFIG_PATH",
        "STORAGE_STOW_CONFIG=path=VALUE",
        "logger.level 9",
        r#""word":"dowload""#,
        r#""word":"secret_key=…""#,
    ]);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    let mut command = task.download();
    command
        .env("STORAGE_STOW_CONFIG_PATH", "/x")
        .arg("--strict");
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 2, "{}", ended.stderr);
    assert!(
        ended.message().contains("STORAGE_STOW_CONFIG_PATH"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_unknown_key_of_the_store_is_named() {
    let task = task();
    let ended = binary::run(
        task.download()
            .args(["--storage.stow.config", "endpiont=x"]),
    );
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    ended.assert_logged(&["endpiont", "did you mean endpoint?"]);
}

/// What is done to a task before its download, and the mistake that this is.
type SpoiltInput = (fn(&Task), Mistake);

/// What is done to the output directory, the type of its output, and words of the last line.
type SpoiltOutput = (fn(&Path), Type, &'static [&'static str]);

/// What is wrong with the inputs or the store.
#[test]
fn mistakes_in_what_is_downloaded() {
    let prepared: [SpoiltInput; 5] = [
        (
            |task| fs::remove_file(task.site.server.file("data", "task/inputs.pb")).unwrap(),
            (
                Download,
                &[],
                1,
                &["inputs.pb", "does not exist", "--from-remote"],
            ),
        ),
        (
            |task| task.put("task/inputs.pb", r#"{"n": 1}"#),
            (
                Download,
                &[],
                1,
                &["LiteralMap", "look like JSON", "copilot make"],
            ),
        ),
        (
            |task| task.put("task/inputs.pb", "CgQKAggACgQKAggA"),
            (Download, &[], 1, &["look like base64"]),
        ),
        (
            |task| task.put_inputs([("f", blob("s3://data/nowhere", Single))]),
            (
                Download,
                &[],
                1,
                &["\"f\"", "s3://data/nowhere", "does not exist"],
            ),
        ),
        (
            |task| task.put_inputs([("f", blob("s3://data/d/", Single))]),
            (Download, &[], 1, &["\"f\""]),
        ),
    ];
    for (prepare, mistake) in prepared {
        let task = task();
        prepare(&task);
        check(&mistake, &task, Some((Recoverable, Unknown)));
    }
}

/// `storage.schemes.file.config.path` cannot be set by a flag, so the message says what can.
#[test]
fn a_local_file_beside_another_store_leads_to_no_dead_end() {
    let task = task();
    task.put_inputs([("f", blob("file:///etc/hostname", Single))]);
    let words = &[
        "--storage.type=local",
        "storage.schemes.file.config.path in a file of --config",
    ];
    check(
        &(Download, &[], 1, words),
        &task,
        Some((NonRecoverable, Unknown)),
    );
}

#[test]
fn the_last_line_says_why_no_document_was_written() {
    let task = task();
    for (key, words) in [
        (
            "secret_key=wrong",
            &[
                "credentials were not accepted",
                "the error document could not be written",
            ][..],
        ),
        (
            "endpoint=http://127.0.0.1:9",
            &[
                "cannot be reached",
                "the error document could not be written",
            ],
        ),
    ] {
        let ended = binary::run(task.download().args(["--storage.stow.config", key]));
        assert_eq!(ended.code(), 3, "{}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap();
        for word in words {
            assert!(last.contains(word), "{word:?}: {last}");
        }
    }
}

/// What is wrong with what main left is the user's, and the message says what is there.
#[test]
fn mistakes_in_what_main_leaves() {
    let integer = || simple(SimpleType::Integer);
    let outputs = |task: &Task| task.outputs_dir();
    let away = |path: &Path| fs::remove_file(path.join("n")).unwrap();
    let prepared: [SpoiltOutput; 8] = [
        (
            |_| {},
            simple(SimpleType::Duration),
            &["\"n\"", "\"1\"", "no unit"][..],
        ),
        (
            |path| fs::write(path.join("n"), "one").unwrap(),
            integer(),
            &["\"one\"", "integer"],
        ),
        (
            |path| fs::write(path.join("n"), "\u{feff}1").unwrap(),
            integer(),
            &["byte order mark"],
        ),
        (
            |path| fs::rename(path.join("n"), path.join("N")).unwrap(),
            integer(),
            &["file not found", "the directory holds \"N\""],
        ),
        (
            |path| {
                fs::rename(path.join("n"), path.join("n.txt")).unwrap();
                fs::write(path.join("n.csv"), "1").unwrap();
            },
            integer(),
            &["ambiguous", "n.csv, n.txt"],
        ),
        (
            |path| {
                fs::remove_file(path.join("n")).unwrap();
                fs::create_dir(path.join("n")).unwrap();
            },
            integer(),
            &["is a directory", "write a file"],
        ),
        (
            |_| {},
            blob_type(copilot::idl::blob_type::BlobDimensionality::Multipart),
            &["is a file; write a directory"],
        ),
        (
            |path| fs::write(path.join("n"), "2021-03-04").unwrap(),
            simple(SimpleType::Datetime),
            &["write 2021-03-04T00:00:00Z"],
        ),
    ];
    for (prepare, declared, words) in prepared {
        let task = task();
        prepare(&outputs(&task));
        let ended = binary::run(&mut task.sidecar(&interface([("n", declared)])));
        assert_eq!(ended.code(), 1, "{words:?}: {}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap();
        assert!(
            last.starts_with("Error: OutputUploadFailed (recoverable, user): "),
            "{last}"
        );
        for word in words {
            assert!(last.contains(word), "{word:?}: {last}");
        }
        let document = task.document("error.pb").unwrap();
        assert_eq!(
            (document.kind(), document.origin()),
            (Recoverable, User),
            "{last}"
        );
    }
    // An empty directory says so.
    let task = task();
    away(&task.outputs_dir());
    let ended = binary::run(&mut task.sidecar(&interface([("n", integer())])));
    assert!(
        ended.message().contains("the directory is empty"),
        "{}",
        ended.stderr
    );
}

/// Only the message is new: the failure is reported after main's end, as in the reference.
#[test]
fn an_interface_of_json_in_base64_is_told() {
    let task = task();
    let mistake: Mistake = (
        Sidecar,
        // {"outputs": {}}
        &["--interface", "eyJvdXRwdXRzIjoge319"],
        1,
        &["--interface", "look like JSON", "copilot make"],
    );
    check(&mistake, &task, Some((Recoverable, Unknown)));
}

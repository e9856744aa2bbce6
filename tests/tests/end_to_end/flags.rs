//! The recorded command lines of the reference (`tests/golden/flags.json`) through the built program
//! and a real S3 server: which succeed, which fail with an error document, which are refused.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::Command;

use copilot_tests::binary::{self, Ended};
use copilot_tests::requirement::Requirement;
use copilot_tests::site::Site;
use copilot_tests::task::{DOCUMENTS, files};
use serde_json::Value;

/// Success.
const DONE: i32 = 0;
/// A failure with an error document.
const REPORTED: i32 = 1;
/// Wrong usage.
const REFUSED: i32 = 2;

/// The command lines that are wrong usage, and that the reference reports with an error document. So does Copilot:
/// it knows the prefix by then. Any other wrong usage leaves nothing in the store.
const DOCUMENTED: [&str; 5] = [
    "bad format",
    "bad mode",
    "bad layout",
    "bad watcher",
    "bad watcher, void interface",
];

/// The command lines after which Copilot intentionally ends differently than the reference.
const OTHERWISE: &[(&str, i32, &str)] = &[
    (
        "unknown command",
        REFUSED,
        "`downloader` is an alias of ours; what the row then lacks is the output prefix",
    ),
    (
        "old connection flag",
        REFUSED,
        "older platforms pass it, so it is accepted; alone it describes no store, which is told",
    ),
    (
        "bad watcher, void interface",
        REFUSED,
        "ours waits for main even if it uploads nothing, so it needs the watcher",
    ),
];

struct Row {
    about: String,
    arguments: Vec<String>,
    code: i32,
    message: String,
}

fn recorded() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/flags.json");
    let rows: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let read = |row: &Value| Row {
        about: text(&row["about"]),
        arguments: row["argv"].as_array().unwrap().iter().map(text).collect(),
        code: row["exit_code"].as_i64().unwrap().try_into().unwrap(),
        message: text(&row["stderr"]),
    };
    rows.iter().map(read).collect()
}

/// How Copilot must end. None of the recorded downloads can succeed, since there are no inputs; the
/// reference ends with 0 anyway.
fn expected(row: &Row) -> i32 {
    if let Some((_, code, _)) = OTHERWISE.iter().find(|(about, ..)| *about == row.about) {
        return *code;
    }
    let has = |word: &str| row.arguments.iter().any(|argument| argument == word);
    if DOCUMENTED.contains(&row.about.as_str()) {
        return REFUSED;
    }
    let fails = has("download") && !has("--help");
    match row.code {
        0 if fails => REPORTED,
        0 => DONE,
        _ => REFUSED,
    }
}

fn run(row: &Row, site: &Site) -> Ended {
    let mut command: Command = binary::command();
    // A relative directory of one row.
    command.current_dir(site.work(""));
    for argument in &row.arguments {
        match argument.as_str() {
            "@STORE" => command.args(site.server.flags("data")),
            "/data/inputs" => command.arg(site.work("inputs")),
            "/data/outputs" => command.arg(site.work("outputs")),
            argument => command.arg(argument),
        };
    }
    if row.arguments.iter().any(|argument| argument == "sidecar") {
        let named = row
            .arguments
            .iter()
            .any(|argument| argument == "--start-watcher-type");
        // The recorder's watcher, with which Copilot would wait for a SIGTERM.
        command.args((!named).then_some("--watcher=noop"));
    }
    binary::run(&mut command)
}

#[test]
fn recorded_command_lines() {
    let rows = recorded();
    let mut wrong = Vec::new();
    for row in &rows {
        let site = Site::start().unwrap();
        fs::create_dir(site.work("outputs")).unwrap();
        let ended = run(row, &site);
        if let Err(difference) = check(row, &site, &ended) {
            wrong.push(format!("{}: {difference}\n{}", row.about, ended.stderr));
        }
    }
    println!("{} command lines", rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() >= 57, "only {} rows were found", rows.len());
    for (about, ..) in OTHERWISE {
        assert!(rows.iter().any(|row| row.about == *about), "{about}");
    }
}

/// The recorded command lines without outputs, with no flag of ours: they end at once, as in the reference. In a
/// pod kubelet would start the sidecar again, so there it waits for main (`privileged/sidecar.rs`).
#[test]
fn outside_a_pod_a_sidecar_without_outputs_ends_at_once() {
    let alone = [false, true].into_iter();
    for private in alone.filter(|private| !private || Requirement::Root.could_be_met()) {
        for interface in [&[][..], &["--interface", ""], &["--interface", " EgA=\n"]] {
            for watcher in [&[][..], &["--watcher=auto"], &["--watcher=signal"]] {
                let site = Site::start().unwrap();
                fs::create_dir(site.work("outputs")).unwrap();
                let mut command = if private {
                    let mut command = Command::new("unshare");
                    binary::isolate(&mut command);
                    command.args(["--cgroup", "--"]).arg(binary::path());
                    command
                } else {
                    binary::command()
                };
                command
                    .env_remove("KUBERNETES_SERVICE_HOST")
                    .args(site.server.flags("data"))
                    .args(["sidecar", "--to-output-prefix", "s3://data/flags/out"])
                    .args(["--to-raw-output", "s3://data/flags/raw", "--from-local-dir"])
                    .arg(site.work("outputs"))
                    .args(interface)
                    .args(watcher);
                let ended = binary::run(&mut command);
                assert_eq!(
                    ended.code(),
                    DONE,
                    "{interface:?} {watcher:?}: {}",
                    ended.stderr
                );
                assert!(files(&site.server.file("data", "")).is_empty());
            }
        }
    }
}

fn check(row: &Row, site: &Site, ended: &Ended) -> Result<(), String> {
    let (code, expected) = (ended.code(), expected(row));
    if code != expected {
        return Err(format!("exit {code}, expected {expected}"));
    }
    let left = files(&site.server.file("data", ""));
    let left: Vec<&str> = left.keys().map(String::as_str).collect();
    let documents = DOCUMENTS.map(|name| format!("flags/out/{name}"));
    let is_documented = code == REPORTED || DOCUMENTED.contains(&row.about.as_str());
    let expected: &[String] = if is_documented { &documents } else { &[] };
    if left != expected {
        return Err(format!("in the store: {left:?}"));
    }
    let message = ended.message();
    if message.is_empty() != (code == DONE) {
        return Err(format!("the last words are {message:?}"));
    }
    if message.to_lowercase().contains("usage:") {
        return Err("usage text hides the message".to_owned());
    }
    let otherwise = OTHERWISE.iter().any(|(about, ..)| *about == row.about);
    match named(row).into_iter().find(|word| !message.contains(word)) {
        Some(word) if code == REFUSED && !otherwise => {
            Err(format!("{message:?} does not name {word}"))
        }
        _ => Ok(()),
    }
}

/// The flag and the value that the reference's message names. The values of stow's keys are secret:
/// Copilot never prints them.
fn named(row: &Row) -> Vec<String> {
    let flag = row.message.find("--").map(|start| {
        let rest = &row.message[start..];
        let end = rest.find(['"', ' ']).unwrap_or(rest.len());
        rest[..end].to_owned()
    });
    let value = row
        .message
        .strip_prefix("Error: invalid argument ")
        .and_then(|rest| rest.split(" for ").next())
        .filter(|_| flag.as_deref() != Some("--storage.stow.config"));
    flag.into_iter().chain(value.map(str::to_owned)).collect()
}

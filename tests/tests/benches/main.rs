//! A small part of each bench: shows that it runs, and that its JSON has what the tables need. How fast
//! something is does not matter here.
//!
//! The bare program is not built here: it needs features that the product does not have. CI checks its code.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use copilot_tests::binary;
use copilot_tests::emulator;
use copilot_tests::minio::MINIO;
use copilot_tests::requirement::Requirement;
use serde_json::Value;

/// Runs the program `bench` with these words.
fn bench(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.arg("--copilot").arg(binary::path()).args(words);
    command.output().expect("the bench starts")
}

/// Runs a small part of a bench that must succeed, and returns its report.
fn part(words: &[&str]) -> Value {
    let file = tempfile::NamedTempFile::new().unwrap();
    let json = file.path().to_str().expect("a name of ASCII");
    let output = bench(&[words, &["--part", "--json", json]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{words:?}: {}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap();
    assert_eq!(report["bench"], words[0]);
    assert_eq!(report["part"], true);
    assert!(report["programs"]["copilot"].is_string(), "{report}");
    // Each table is printed with its name.
    let cases = report["cases"].as_array().expect("there are cases");
    for case in cases {
        let table = case["table"].as_str().expect("a case is of a table");
        let name = format!("{}-{table}", words[0]);
        let name = name.trim_end_matches('-');
        assert!(
            text.lines().any(|line| line == name),
            "no table {name}: {text}"
        );
        for row in case["rows"].as_array().expect("a case has rows") {
            let runs = row["runs"].as_array().expect("a row has runs");
            assert!(!runs.is_empty(), "{case}");
            for run in runs {
                assert!(run.get("failed").is_none(), "{case}");
                assert!(
                    run["figures"]
                        .as_object()
                        .is_some_and(|figures| !figures.is_empty())
                );
            }
        }
    }
    report
}

/// The names of a report's tables, each once.
fn tables(report: &Value) -> Vec<&str> {
    let cases = report["cases"].as_array().expect("there are cases");
    let mut names: Vec<&str> = cases
        .iter()
        .filter_map(|case| case["table"].as_str())
        .collect();
    names.dedup();
    names
}

#[test]
fn detect() {
    if Requirement::Bpf.is_met() {
        assert_eq!(
            tables(&part(&["detect"])),
            ["exits", "crowd", "cost", "waiting"]
        );
    }
}

#[test]
fn start() {
    if Requirement::Bpf.is_met() {
        assert_eq!(tables(&part(&["start"])), ["ready", "idle"]);
    }
}

#[test]
fn eager() {
    if Requirement::Bpf.is_met() && Requirement::Emulator(MINIO).is_met() {
        assert_eq!(tables(&part(&["eager"])), [""]);
    }
}

#[test]
fn literal() {
    assert_eq!(tables(&part(&["literal"])), [""]);
}

#[test]
fn memory() {
    if Requirement::MemoryLimits.is_met() {
        let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let place = place.path().to_str().expect("a name of ASCII");
        assert_eq!(tables(&part(&["memory", place])), [""]);
    }
}

/// The programs that can take part here. `bare` is not among them.
fn contenders() -> Vec<&'static str> {
    let mut words = vec!["--only", "copilot"];
    for (peer, programs) in [
        ("s5cmd", &["s5cmd"][..]),
        ("rclone", &["rclone", "rclone-64"]),
    ] {
        if Requirement::Peer(peer).is_met() {
            words.extend(programs.iter().flat_map(|program| ["--only", program]));
        }
    }
    words
}

#[test]
fn transfer() {
    if !Requirement::Emulator(MINIO).is_met() {
        return;
    }
    let limits = Requirement::MemoryLimits.is_met();
    let words = [
        &["transfer"][..],
        if limits { &[] } else { &["--free"] },
        &contenders(),
    ]
    .concat();
    let report = part(&words);
    assert_eq!(tables(&report)[0], "free");
    assert_eq!(tables(&report).contains(&"limited"), limits);
}

#[test]
fn transfer_at_a_distance_with_tls() {
    if Requirement::Emulator(MINIO).is_met() {
        let way = [
            "transfer",
            "--free",
            "--shape",
            "small",
            "--rtt",
            "5ms",
            "--bandwidth",
            "100",
            "--tls",
        ];
        let report = part(&[&way[..], &contenders()].concat());
        assert_eq!(tables(&report), ["free-5ms-100mib-tls"]);
    }
}

/// A program that is missing must not look like one that was compared.
#[test]
fn a_missing_program_is_an_error_if_peers_are_required() {
    if emulator::find("bare").is_none() {
        let output = bench(&[
            "transfer", "--part", "--peers", "required", "--only", "bare",
        ]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && error.contains("bare is not here"),
            "{error}"
        );
    }
}

#[test]
fn the_tables_of_the_document_are_those_of_the_committed_figures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the repository's root");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(["--copilot", "none", "report", "--check"]);
    let output = command
        .current_dir(root)
        .output()
        .expect("the bench starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

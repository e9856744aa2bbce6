//! Our own settings from files and variables: what they change, and what is said about them.

use std::ffi::OsString;
use std::time::Duration;

use super::*;
use crate::config::{ConfigError, FlagLayer, FlagSources, OwnSettings, SettingSources, load_own};
use crate::sidecar::MainFailure;
use crate::track::Watcher;

/// The settings of one file, which is called `own.yaml`, and of variables.
fn settings(
    file: &str,
    variables: &[(&str, &str)],
    pattern: Option<&str>,
) -> Result<OwnSettings, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("own.yaml");
    std::fs::write(&path, file).unwrap();
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
    load_own(&SettingSources {
        flags: &FlagLayer::default(),
        environment: &|name| find(name).map(|(_, value)| OsString::from(value)),
        pattern,
        default_files: &[path],
    })
}

fn with(
    arguments: &[&str],
    file: &str,
    variables: &[(&str, &str)],
) -> Result<Invocation, Rejection> {
    let argv = std::iter::once(&"copilot").chain(arguments);
    parse_with_settings(argv.map(OsString::from), &|pattern| {
        settings(file, variables, pattern)
    })
}

const SIDECAR: [&str; 5] = ["sidecar", "--to-output-prefix", "s3://b/o", "-f", "/out"];

fn sidecar_with(
    more: &[&str],
    file: &str,
    variables: &[(&str, &str)],
) -> Result<(Box<Global>, Box<SidecarRequest>), Rejection> {
    match with(&[&SIDECAR[..], more].concat(), file, variables)? {
        Invocation::Sidecar(global, request) => Ok((global, request)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_setting_sets_its_flag() {
    let file = "copilot:\n  watcher: [marker, pidfd]\n  ignore-container: [a, b]\n  settle: 3s\n  \
                on-main-failure: upload\n  strict: on\n  max-connections: 7\n  volume-size-limit: 1Gi\n";
    let variables = [("COPILOT_SETTLE", "4s"), ("COPILOT_EXIT_CODE", "1")];
    let (global, request) = sidecar_with(&["--poll-fast=1ms"], file, &variables).unwrap();
    let track = &request.track;
    assert_eq!(track.watchers, [Watcher::Marker, Watcher::Pidfd]);
    assert_eq!(track.ignore_containers, ["a", "b"]);
    assert_eq!(track.settle, Duration::from_secs(4));
    assert_eq!(request.on_main_failure, MainFailure::Upload);
    assert!(global.strict);
    assert_eq!(global.max_connections.unwrap().get(), 7);
    assert_eq!(global.reported_exit, crate::command::ReportedExit::One);
    // What is given as a flag is known as such.
    let given: Vec<&str> = global.settings.names().collect();
    assert_eq!(given, ["copilot.poll-fast"]);
    // The download has no flag for most of them.
    let arguments = [
        "download",
        "--to-output-prefix",
        "p",
        "-o",
        "/in",
        "-f",
        "r",
    ];
    let Ok(Invocation::Download(_, request)) = with(&arguments, file, &variables) else {
        panic!("a download");
    };
    assert_eq!(request.volume_size_limit, Some(1 << 30));
}

#[test]
fn a_flag_wins_also_one_that_decides_the_same() {
    let file = "copilot: {watcher: marker, ignore-container: a, settle: 3s, exit-code: 1}\n";
    let more = ["--settle", "5s", "--ignore-container=c", "--watcher=proc"];
    let (_, request) = sidecar_with(&more, file, &[]).unwrap();
    assert_eq!(request.track.settle, Duration::from_secs(5));
    assert_eq!(request.track.ignore_containers, ["c"]);
    assert_eq!(request.track.watchers, [Watcher::Proc]);
    let more = ["--start-watcher-type=kube-api", "--exit-zero-on-error"];
    let (global, request) = sidecar_with(&more, file, &[]).unwrap();
    assert_eq!(request.track.watchers, [Watcher::KubeApi]);
    assert_eq!(global.reported_exit, crate::command::ReportedExit::Zero);
    // A word after a flag that takes a value, or after --, is not read as a flag.
    let more = ["--main-container", "--settle", "--", "--settle=9s"];
    let (_, request) = sidecar_with(&more, file, &[]).unwrap();
    assert_eq!(request.track.settle, Duration::from_secs(3));
}

#[test]
fn messages_name_the_source() {
    for (file, variables, words) in [
        (
            "copilot:\n  watcher: ebfp\n",
            &[][..],
            "own.yaml, line 2) \"ebfp\" is unknown",
        ),
        ("copilot: {poll-fast: 0}\n", &[], "own.yaml, line 1) and"),
        (
            "copilot:\n\n  max-memory: 1KB\n",
            &[],
            "invalid value \"1KB\" for copilot.max-memory (from file",
        ),
        (
            "",
            &[("COPILOT_EXIT_CODE", "7")],
            "copilot.exit-code (from environment variable COPILOT_EXIT_CODE) \"7\" is unknown",
        ),
        (
            "copilot: {on-main-failure: salvage, upload-mode: DO_NOT_UPLOAD}\n",
            &[("COPILOT_UPLOAD_MODE", "")],
            "but copilot.upload-mode (from file",
        ),
    ] {
        let message = sidecar_with(&[], file, variables).unwrap_err().to_string();
        assert!(message.contains(words), "{file}: {message}");
        assert!(!message.contains("--poll-fast"), "{message}");
        // A flag that is given is at fault itself.
        let more = ["--exit-code=8", "--watcher=ebfp", "--max-memory=1KB"];
        let message = sidecar_with(&more, file, variables)
            .unwrap_err()
            .to_string();
        assert!(message.contains("for --max-memory"), "{message}");
    }
    // The platform learns of a wrong name, as of a wrong flag.
    let rejection = sidecar_with(&[], "copilot: {watcher: x}", &[]).unwrap_err();
    assert!(rejection.reportable().is_some());
}

#[test]
fn what_cannot_be_read_is_left_to_the_job() {
    let (global, request) = sidecar_with(&[], "copilot: [1]", &[]).unwrap();
    assert_eq!(request.track.watchers, [Watcher::Auto]);
    assert_eq!(global.own_sources, FlagSources::default());
    // A probe reads nothing.
    let read = |_: Option<&str>| -> Result<OwnSettings, ConfigError> { panic!("nobody asked") };
    let argv = ["copilot", "ready", "--config", "x"].map(OsString::from);
    let parsed = parse_with_settings(argv, &read);
    assert!(matches!(parsed, Ok(Invocation::Ready(_))));
}

#[test]
fn the_settings_of_the_flag_config_are_read() {
    // Nothing matches, so the default file serves.
    let more = ["--config=/nonexistent/*.yaml"];
    let (_, request) = sidecar_with(&more, "copilot: {settle: 9s}", &[]).unwrap();
    assert_eq!(request.track.settle, Duration::from_secs(9));
    let seen = std::cell::RefCell::new(None);
    let argv = ["copilot", "--config", "a*", "sidecar"].map(OsString::from);
    let read = |pattern: Option<&str>| {
        *seen.borrow_mut() = pattern.map(str::to_owned);
        Ok(OwnSettings::default())
    };
    parse_with_settings(argv, &read).unwrap();
    assert_eq!(seen.take().as_deref(), Some("a*"));
}

#[test]
fn a_run_keeps_its_command() {
    let file = "copilot: {term-wait: 3s, watcher: proc}";
    let Ok(Invocation::Run(_, request)) = with(&["run", "--", "sh", "--term-wait=9s"], file, &[])
    else {
        panic!("a run");
    };
    let crate::trial::Action::Run(runtime) = request.action else {
        panic!("a command");
    };
    assert_eq!(runtime.term_wait, Duration::from_secs(3));
    assert_eq!(runtime.command, ["sh", "--term-wait=9s"]);
}

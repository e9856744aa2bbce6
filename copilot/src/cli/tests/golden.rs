//! The recorded command lines of the reference, as far as flags and settings decide them.

use std::fs;

use serde_json::Value;

use super::run;
use crate::cli::Rejection;
use crate::command::Invocation;
use crate::config::{SettingSources, load};

/// What ours does with a command line.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// It goes on to the store.
    Accepted,
    /// It is rejected with an error document.
    Reported,
    /// It is rejected as wrong usage.
    Usage,
}

use Answer::{Accepted, Reported, Usage};

/// The cases in which the flags alone do not repeat the reference's exit code, with the reason.
const OTHERWISE: &[(&str, Answer, &str)] = &[
    ("old connection flag", Accepted, "older platforms pass it"),
    (
        "bad format",
        Reported,
        "the reference leaves with 0 once the document is written",
    ),
    ("bad mode", Reported, "likewise"),
    ("bad layout", Reported, "likewise"),
    ("bad watcher", Reported, "likewise"),
    (
        "bad watcher, void interface",
        Reported,
        "ours waits for main in any case, hence needs a watcher",
    ),
    ("no store", Accepted, "the store decides"),
    ("stow kind unknown", Accepted, "the store decides"),
    ("storage type unknown", Accepted, "the store decides"),
    ("container missing", Accepted, "the store decides"),
];

const STORE: &[&str] = &[
    "--storage.type=stow",
    "--storage.stow.kind=s3",
    "--storage.stow.config",
    "auth_type=accesskey",
    "--storage.stow.config",
    "access_key_id=k",
    "--storage.stow.config",
    "secret_key=s",
    "--storage.container=data",
];

fn recorded() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/flags.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn answer(result: &Result<Invocation, Rejection>) -> Answer {
    match result {
        Ok(
            Invocation::Download(global, _)
            | Invocation::Sidecar(global, _)
            | Invocation::Ready(global),
        ) => {
            load(&SettingSources {
                flags: &global.settings,
                environment: &|_| None,
                pattern: global.config.as_deref(),
                default_files: &[],
            })
            .unwrap();
            Accepted
        }
        Ok(_) => Accepted,
        Err(rejection) if rejection.reportable().is_some() => Reported,
        Err(_) => Usage,
    }
}

#[test]
fn recorded_command_lines() {
    let mut exceptions = OTHERWISE.iter().collect::<Vec<_>>();
    for case in recorded() {
        let about = case["about"].as_str().unwrap();
        let argv: Vec<&str> = case["argv"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|argument| match argument.as_str().unwrap() {
                "@STORE" => STORE.to_vec(),
                argument => vec![argument],
            })
            .collect();
        let result = run(&argv);
        let expected = match exceptions.iter().position(|(name, ..)| *name == about) {
            Some(position) => &exceptions.remove(position).1,
            None if case["exit_code"] == 0 => &Accepted,
            None => &Usage,
        };
        assert_eq!(&answer(&result), expected, "{about}: {result:?}");
        if let (Err(rejection), Usage) = (&result, expected) {
            names_the_same(about, case["stderr"].as_str().unwrap(), rejection);
        }
    }
    assert!(exceptions.is_empty(), "not recorded: {exceptions:?}");
}

/// Where the reference's message names a flag and its value, so must ours; a value of the store's
/// keys is a secret.
fn names_the_same(about: &str, theirs: &str, rejection: &Rejection) {
    let ours = rejection.to_string();
    if let Some(start) = theirs.find("--") {
        let flag: String = theirs[start..]
            .chars()
            .take_while(|c| *c != '"' && *c != ' ')
            .collect();
        assert!(ours.contains(&flag), "{about}: {flag} in {ours}");
        let value = theirs
            .strip_prefix("Error: invalid argument ")
            .and_then(|rest| rest.split(" for ").next());
        if let Some(value) = value.filter(|_| flag != "--storage.stow.config") {
            assert!(ours.contains(value), "{about}: {value} in {ours}");
        }
    }
}

//! Commands and flags that documents and manifests name exist: each is read by the program's own parser.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;

use copilot::{cli, command::Command};

use crate::documents::{Document, Part, files, root};

/// Flags of other programs that stand alone in a sentence: those of rclone and cargo.
const FOREIGN: [&str; 3] = ["--transfers", "--checkers", "--no-default-features"];

/// Words after the program's name that are not commands and take no flags.
const ABOUT: [&str; 4] = ["completions", "completion", "help", "man"];

/// Where a flag stands.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    /// Behind the program's name, and perhaps a command.
    Copilot(Option<String>),
    /// Behind `cargo xtask`.
    Xtask,
    /// Alone: one of ours, or of xtask.
    Anybody,
}

/// A flag, or the beginning of flags if it ends in `…` or `*`.
type Flag = (Owner, String);

/// What the program says to these words.
fn refusal(words: &[&str]) -> Option<String> {
    let argv = std::iter::once(&"copilot").chain(words).map(OsString::from);
    cli::parse(argv)
        .err()
        .map(|rejection| rejection.to_string())
}

fn is_command(word: &str) -> bool {
    ABOUT.contains(&word)
        || refusal(&[word]).is_none_or(|said| !said.starts_with("unknown command"))
}

fn has_flag(command: &str, flag: &str) -> bool {
    let unknown = format!("unknown flag {flag};");
    refusal(&[command, flag]).is_none_or(|said| !said.starts_with(&unknown))
}

fn is_ours(flag: &str) -> bool {
    Command::ALL
        .iter()
        .any(|command| has_flag(command.name(), flag))
}

/// The flags of xtask, and of the programs that it starts: each is a member of a type that clap reads.
fn flags_of_xtask() -> BTreeSet<String> {
    let folders = [
        "xtask/src",
        "tests/src/bench",
        "tests/src/kubelet",
        "tests/src/bin",
    ];
    let paths = folders
        .iter()
        .flat_map(|folder| files(&root().join(folder), "rs").unwrap());
    let mut flags = BTreeSet::new();
    for path in paths {
        let text = fs::read_to_string(root().join(path)).unwrap();
        let mut is_flag = false;
        for line in text.lines().map(str::trim) {
            is_flag |= line.starts_with("#[arg(") || line.starts_with("long");
            let member = line.trim_start_matches("pub ").split_once(": ");
            if let Some((name, _)) = member.filter(|(name, _)| name.chars().all(is_of_a_name))
                && is_flag
            {
                flags.insert(format!("--{}", name.replace('_', "-")));
                is_flag = false;
            }
        }
    }
    flags
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

/// The flag that a word is, without its value and what stands around it.
fn flag_in(word: &str) -> Option<String> {
    let word = word.trim_start_matches(['[', '(', '"', '\'', ',', '`']);
    let name = word.strip_prefix("--")?;
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.…*".contains(c)));
    let name = name[..end.unwrap_or(name.len())].trim_end_matches('.');
    // `--FLAG=VALUE` stands for any.
    let is_one = name.starts_with(|c: char| c.is_ascii_lowercase());
    is_one.then(|| format!("--{name}"))
}

fn is_program(word: &str) -> bool {
    let word = word.trim_matches(['[', ']', ',', '"']);
    matches!(word.rsplit('/').next(), Some("copilot" | "flyte-copilot")) && !word.ends_with(':')
}

/// The flags of one line of code.
fn flags_in(line: &str) -> Vec<Flag> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let alone = |word: &&str| flag_in(word).map(|flag| (Owner::Anybody, flag));
    if line.trim_start().starts_with("cargo xtask") {
        let flags = words.iter().filter_map(|word| flag_in(word));
        return flags.map(|flag| (Owner::Xtask, flag)).collect();
    }
    if line.trim_start().starts_with("cargo ") {
        return Vec::new();
    }
    if let Some(at) = words.iter().position(|word| is_program(word)) {
        let rest = &words[at + 1..];
        let command = rest
            .first()
            .filter(|word| word.chars().all(|c| c.is_ascii_lowercase()));
        let ends = |word: &&&str| !["--", "|", "&&", ";"].contains(*word);
        let flags = rest
            .iter()
            .take_while(ends)
            .filter_map(|word| flag_in(word));
        let owner = || Owner::Copilot(command.map(|word| (*word).to_owned()));
        return flags.map(|flag| (owner(), flag)).collect();
    }
    // A sentence names a flag alone, and so does a line of arguments in a manifest. The program's messages quote what
    // people have written.
    let first = words
        .first()
        .map_or("", |word| word.trim_start_matches(['[', '`']));
    let is_argument = first.starts_with("--") || first == "-" || first.ends_with(':');
    if is_argument && first != "Error:" {
        words.iter().filter_map(alone).collect()
    } else {
        Vec::new()
    }
}

/// The lines of a text; one that ends in `\` goes on in the next.
fn lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    joined.lines().map(str::to_owned).collect()
}

fn wrong(flag: &Flag, of_xtask: &BTreeSet<String>) -> bool {
    let (owner, name) = flag;
    if let Some(beginning) = name.strip_suffix(['…', '*']) {
        // A prefix: the parser cannot be asked for it.
        return ![
            "--storage.",
            "--logger.",
            "--storage.connection.",
            "--otel.",
        ]
        .contains(&beginning);
    }
    match owner {
        Owner::Copilot(Some(command)) if ABOUT.contains(&command.as_str()) => true,
        Owner::Copilot(Some(command)) if is_command(command) => !has_flag(command, name),
        Owner::Copilot(_) => !is_ours(name) && name != "--version",
        Owner::Xtask => !of_xtask.contains(name) && name != "--help",
        Owner::Anybody => {
            !is_ours(name) && !of_xtask.contains(name) && !FOREIGN.contains(&name.as_str())
        }
    }
}

/// The code of each document, and the manifests.
fn code() -> Vec<(String, String)> {
    let mut code = Vec::new();
    for document in Document::all().unwrap() {
        let path = document.path.display().to_string();
        for part in document.parts {
            if let Part::Span(text) | Part::Block { text, .. } = part {
                code.push((path.clone(), text));
            }
        }
    }
    for path in files(&root().join("deploy"), "yaml").unwrap() {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        code.push((path.display().to_string(), text));
    }
    code
}

#[test]
fn every_flag_that_a_document_names_exists() {
    let of_xtask = flags_of_xtask();
    // To ask the parser takes a moment, so each flag is asked for once.
    let mut places: BTreeMap<Flag, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in code() {
        for flag in lines(&text).iter().flat_map(|line| flags_in(line)) {
            places.entry(flag).or_default().insert(path.clone());
        }
    }
    let count = places.len();
    assert!(count > 100, "only {count} flags were found");
    places.retain(|flag, _| wrong(flag, &of_xtask));
    assert!(places.is_empty(), "{places:#?}");
}

#[test]
fn every_command_that_a_document_names_exists() {
    let mut failures = BTreeSet::new();
    for (path, text) in code() {
        for line in lines(&text) {
            let line = line.trim_start().trim_start_matches("$ ");
            let Some(rest) = line.strip_prefix("copilot ") else {
                continue;
            };
            let word = rest.split_whitespace().next().unwrap_or_default();
            let is_word =
                !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            if is_word && !word.starts_with('-') && !is_command(word) {
                failures.insert(format!("{path}: copilot {word}"));
            }
        }
    }
    let failures: Vec<String> = failures.into_iter().collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_flag_that_does_not_exist_is_found() {
    let of_xtask = flags_of_xtask();
    for (line, expected) in [
        ("copilot run --input x=3 -- sh --nothing", &[][..]),
        ("copilot run --inptu x=3", &["--inptu"]),
        // A flag of another command.
        (
            "copilot download --from-local-dir=/o",
            &["--from-local-dir"],
        ),
        (
            "kubectl exec x -n y --nothing -- /copilot doctor --probe --prob",
            &["--prob"],
        ),
        (
            "command: [/copilot, --storage.container=b, --storage.contianer=b]",
            &["--storage.contianer"],
        ),
        ("- --timeout=1h", &[]),
        ("- --timeuot=1h", &["--timeuot"]),
        ("--storage.…", &[]),
        ("--storrage.…", &["--storrage.…"]),
        ("cargo xtask kubelet --part --prat", &["--prat"]),
        ("cargo xtask bench transfer --rtt 20ms --tls", &[]),
        ("--token", &[]),
        ("--FLAG=VALUE", &[]),
        ("docker build --nothing .", &[]),
        ("cargo test --package copilot --nothing", &[]),
        (
            "Error: unknown flag --nothing; copilot download --help lists the flags",
            &[],
        ),
    ] {
        let found = flags_in(line);
        let wrong: Vec<&str> = found
            .iter()
            .filter(|flag| wrong(flag, &of_xtask))
            .map(|(_, name)| name.as_str())
            .collect();
        assert_eq!(wrong, expected, "{line}");
    }
    assert!(is_command("run") && is_command("man") && !is_command("rnu"));
}

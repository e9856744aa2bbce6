//! Texts that the program or its definitions give, as files of the repository: help, manual pages, completions, and the
//! reference of all settings. `cargo xtask generate` writes them; the test compares them.

mod configuration;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use super::run;
use crate::command::{Command, Invocation};

/// If this variable is set, the files are written.
const REGENERATE: &str = "COPILOT_REGENERATE";

/// Directories that hold nothing else.
const WHOLE: [&str; 2] = ["generated/completions", "generated/man"];

/// The name under which a shell looks for completions.
const COMPLETIONS: [(&str, &str); 5] = [
    ("bash", "copilot.bash"),
    ("elvish", "copilot.elv"),
    ("fish", "copilot.fish"),
    ("powershell", "copilot.ps1"),
    ("zsh", "_copilot"),
];

#[test]
fn committed_files_are_what_the_program_gives() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let texts = texts();
    if env::var_os(REGENERATE).is_some() {
        write(&root, &texts).unwrap();
    }
    let mut stale = Vec::new();
    for (path, text) in &texts {
        let committed = fs::read_to_string(root.join(path)).unwrap_or_default();
        if let Some(difference) = difference(&committed, text) {
            stale.push(format!("{}: {difference}", path.display()));
        }
    }
    for path in committed(&root).unwrap() {
        if !texts.contains_key(&path) {
            stale.push(format!("{}: nothing writes it any more", path.display()));
        }
    }
    assert!(
        stale.is_empty(),
        "run `cargo xtask generate`, and commit what it changes:\n{}",
        stale.join("\n")
    );
}

#[test]
fn a_difference_is_shown_by_its_first_line() {
    assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    for (committed, text, words) in [
        ("a\nb\n", "a\nc\n", "line 2 is \"b\", and should be \"c\""),
        ("a\n", "a\nb\n", "line 2 is \"\""),
        ("a\nb\n", "a\n", "should be \"\""),
        ("a", "a\n", "line 2"),
    ] {
        let shown = difference(committed, text).unwrap();
        assert!(shown.contains(words), "{shown}");
    }
}

/// The first line in which two texts differ.
fn difference(committed: &str, text: &str) -> Option<String> {
    if committed == text {
        return None;
    }
    let (mut is, mut should) = (committed.lines(), text.lines());
    let mut number = 1;
    loop {
        match (is.next(), should.next()) {
            (Some(is), Some(should)) if is == should => number += 1,
            (is, should) => {
                let (is, should) = (is.unwrap_or_default(), should.unwrap_or_default());
                return Some(format!("line {number} is {is:?}, and should be {should:?}"));
            }
        }
    }
}

/// All generated files, by their paths in the repository.
fn texts() -> BTreeMap<PathBuf, String> {
    let mut texts = BTreeMap::new();
    texts.insert("docs/configuration.md".into(), configuration::page());
    texts.insert("docs/help.md".into(), help());
    let pages = Command::ALL.map(|command| (format!("-{}", command.name()), vec![command.name()]));
    for (name, topic) in [(String::new(), Vec::new())].into_iter().chain(pages) {
        let path = format!("generated/man/copilot{name}.1");
        texts.insert(path.into(), answer(&[&["man"][..], &topic[..]].concat()));
    }
    for (shell, name) in COMPLETIONS {
        let path = format!("generated/completions/{name}");
        texts.insert(path.into(), answer(&["completions", shell]));
    }
    texts
}

/// What the program prints.
fn answer(arguments: &[&str]) -> String {
    match run(arguments) {
        Ok(Invocation::Help(text)) => text,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

/// The help of the program and of each command, on one page.
fn help() -> String {
    let mut page = "# Help\n\n\
        What `copilot --help` and `copilot COMMAND --help` print. `cargo xtask generate` writes this page. \
        [configuration.md](configuration.md) has all flags in tables, with their keys and variables.\n"
        .to_owned();
    let topics = Command::ALL.map(|command| Some(command.name()));
    for topic in [None].into_iter().chain(topics) {
        let (title, arguments) = match topic {
            None => ("copilot".to_owned(), vec!["--help"]),
            Some(name) => (format!("copilot {name}"), vec![name, "--help"]),
        };
        let text = answer(&arguments);
        // Some lines of the help end in blanks.
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let text = lines.join("\n");
        writeln!(page, "\n## {title}\n\n```text\n{text}\n```").unwrap();
    }
    page
}

/// Writes all files, and removes those that nothing writes any more.
fn write(root: &Path, texts: &BTreeMap<PathBuf, String>) -> io::Result<()> {
    for (path, text) in texts {
        let place = root.join(path);
        fs::create_dir_all(place.parent().unwrap_or(root))?;
        fs::write(place, text)?;
    }
    for path in committed(root)? {
        if !texts.contains_key(&path) {
            fs::remove_file(root.join(path))?;
        }
    }
    Ok(())
}

/// The files in the directories that hold generated files only.
fn committed(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for directory in WHOLE {
        for entry in fs::read_dir(root.join(directory))? {
            paths.push(Path::new(directory).join(entry?.file_name()));
        }
    }
    Ok(paths)
}

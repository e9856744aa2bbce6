//! Files and variables that documents, manifests and messages name exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use copilot::config;

use crate::documents::{Document, Part, files, root};

/// The folders whose files documents name by their whole path.
const FOLDERS: [&str; 10] = [
    ".ci/",
    ".github/",
    "copilot-common/",
    "copilot-ebpf/",
    "copilot/",
    "deploy/",
    "docs/",
    "proto/",
    "tests/",
    "xtask/",
];

/// Whether a path of the repository exists; `.rs` may be left out.
fn exists(path: &str) -> bool {
    let path = root().join(path);
    path.exists() || path.with_extension("rs").exists()
}

/// The path at the beginning of a piece of code, if it is one of this repository.
fn path_in(code: &str) -> Option<&str> {
    let path = code.split([' ', '#', ':']).next().unwrap_or_default();
    let is_ours = FOLDERS.iter().any(|folder| path.starts_with(folder));
    let is_one = !path.contains(['*', '…', '{', '<', '$']);
    (is_ours && is_one).then_some(path)
}

#[test]
fn every_path_of_the_repository_that_a_document_names_exists() {
    let mut failures = Vec::new();
    for document in Document::all().unwrap() {
        for part in &document.parts {
            let Part::Span(code) = part else { continue };
            if let Some(path) = path_in(code).filter(|path| !exists(path)) {
                failures.push(format!("{}: {path}", document.path.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(
        path_in("tests/tests/end_to_end"),
        Some("tests/tests/end_to_end")
    );
    assert!(exists("tests/tests/end_to_end/mistakes") && !exists("tests/tests/nothing"));
}

/// The sources of the program, its tests and its tools.
fn sources() -> Vec<(PathBuf, String)> {
    let folders = ["copilot", "copilot-ebpf", "tests", "xtask"];
    let paths = folders
        .iter()
        .flat_map(|folder| files(&root().join(folder), "rs").unwrap());
    paths
        .map(|path| {
            let text = fs::read_to_string(root().join(&path)).unwrap();
            (path, text)
        })
        .collect()
}

/// What begins with `prefix` in a text and goes on with these characters.
fn words<'a>(
    text: &'a str,
    prefix: &'a str,
    goes_on: fn(char) -> bool,
) -> impl Iterator<Item = &'a str> {
    text.match_indices(prefix).map(move |(at, _)| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !goes_on(c)).unwrap_or(rest.len());
        &rest[..end]
    })
}

/// Messages and manifests lead readers to documents.
#[test]
fn documents_that_the_program_or_a_manifest_names_exist() {
    let mut texts = sources();
    for path in files(&root().join("deploy"), "yaml").unwrap() {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        texts.push((path, text));
    }
    for (path, text) in texts {
        for name in words(&text, "docs/", |c| {
            c.is_ascii_alphanumeric() || "/-_.".contains(c)
        }) {
            let is_whole = Path::new(name).extension().is_some_and(|end| end == "md");
            if is_whole {
                assert!(root().join(name).exists(), "{}: {name}", path.display());
            }
        }
    }
}

#[test]
fn variables_of_ours_that_a_document_names_are_read_somewhere() {
    let texts = sources();
    // The names of settings' variables follow from their keys.
    let settings: Vec<_> = config::KEYS.iter().map(config::variable).collect();
    let is_read = |name: &str| {
        settings.iter().any(|known| known == name)
            || texts.iter().any(|(_, text)| text.contains(name))
    };
    let mut unread = BTreeSet::new();
    for document in Document::all().unwrap() {
        for part in &document.parts {
            let (Part::Span(code) | Part::Block { text: code, .. }) = part else {
                continue;
            };
            let names = words(code, "COPILOT_", |c| {
                c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
            });
            for name in names.filter(|name| *name != "COPILOT_" && !is_read(name)) {
                unread.insert(format!("{}: {name}", document.path.display()));
            }
        }
    }
    assert!(unread.is_empty(), "{unread:?}");
}

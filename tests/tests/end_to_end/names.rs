//! Names of files: all names that a file system allows are uploaded, and are the same after a download.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{Literal, literal, scalar};
use copilot_tests::binary;
use copilot_tests::task::{Task, blob_type, files, interface};

/// Usual names, and names that break URLs, XML, shells and stores.
const NAMES: &[&str] = &[
    "plain.txt",
    "with space",
    " space around ",
    "a?b",
    "a#b",
    "100%",
    "%41",
    "%2F",
    "%",
    "a:b",
    "C:\\x",
    "http:",
    "é",
    "e\u{301}",
    "日本",
    "😀",
    "a\nb",
    "a\tb",
    "a\rb",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}x",
    "a+b",
    "a&b=c;d",
    "<x>&amp;",
    "'quoted\"",
    "*[a]{b}!$(c)`d`",
    "~user",
    "-rf",
    "...",
    "..x",
    ".hidden",
    "trailing.",
    "@",
    "a,b|c^d",
    "inputs.json",
    "outputs.pb",
    "_ERROR",
];

/// As long as the tests' server allows: it stores objects in files and makes their names longer.
fn long() -> String {
    "é".repeat(60)
}

fn uri(literal: &Literal) -> String {
    match &literal.value {
        Some(literal::Value::Scalar(scalar)) => match &scalar.value {
            Some(scalar::Value::Blob(blob)) => blob.uri.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_name_in_a_directory_goes_up_and_comes_back() {
    let task = Task::start().unwrap();
    let mut laid = BTreeMap::new();
    let nested = |name: &&str| [(*name).to_owned(), format!("{name}.d/{name}")];
    for path in NAMES.iter().flat_map(nested).chain([long()]) {
        task.write_output(&format!("o/{path}"), &path);
        laid.insert(path.clone(), path.into_bytes());
    }
    let ended = binary::run(&mut task.sidecar(&interface([("o", blob_type(Multipart))])));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let outputs = task.outputs().unwrap();
    assert_eq!(uri(&outputs.literals["o"]), "s3://data/task/raw/o");

    let literals = outputs.literals.iter();
    task.put_inputs(literals.map(|(name, literal)| (name.as_str(), literal.clone())));
    let ended = binary::run(&mut task.download());
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let came = files(&task.inputs_dir().join("o"));
    let missing: Vec<_> = laid
        .iter()
        .filter(|(name, _)| !came.contains_key(*name))
        .collect();
    assert!(missing.is_empty(), "{missing:?} of {:?}", came.keys());
    assert!(came == laid);
}

/// Names of variables, which are part of references and of `outputs.pb`.
#[test]
fn every_name_of_a_variable_goes_up_and_comes_back() {
    let names = NAMES.iter().filter(|name| {
        // These are the names of metadata and of main's own error.
        !["inputs.json", "_ERROR"].contains(name)
    });
    let task = Task::start().unwrap();
    let declared: Vec<_> = names.map(|name| (*name, blob_type(Single))).collect();
    for (name, _) in &declared {
        task.write_output(name, name);
    }
    let ended = binary::run(&mut task.sidecar(&interface(declared.clone())));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let outputs = task.outputs().unwrap();
    let literals = outputs.literals.iter();
    task.put_inputs(literals.map(|(name, literal)| (name.as_str(), literal.clone())));
    let ended = binary::run(&mut task.download());
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    for (name, _) in declared {
        let came = fs::read(task.inputs_dir().join(name));
        assert_eq!(came.ok().as_deref(), Some(name.as_bytes()), "{name:?}");
    }
}

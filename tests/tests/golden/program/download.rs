//! Downloads: each vector's objects are written to a server, and the program's directory is compared
//! with the reference's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use copilot::idl::decode_literal_map;
use copilot_tests::binary::{self, Ended};
use copilot_tests::site::Site;

use super::report;
use crate::case::{Case, all, tree};
use crate::yaml11::{self, Yaml};

/// Where the reference's input directory was.
const THEIRS: &str = "/data/inputs";

/// A directory: files by name, empty directories without content.
type Files = BTreeMap<String, Option<Vec<u8>>>;

/// What Copilot does where the vector says that the reference's result is a bug.
enum Answer {
    /// It is refused, with a message that contains this; nothing is committed.
    Refused(&'static [&'static str]),
    /// It succeeds; only these files differ from the reference's.
    But(&'static [(&'static str, Content)]),
}

/// The content of such a file.
enum Content {
    Is(&'static str),
    /// The same as this object of the vector's store.
    Stored(&'static str),
    /// The same as the inputs, including `hash` and `metadata`.
    Given,
    /// Not compared, since the reference left no literals.
    Any,
    EmptyDirectory,
    Absent,
}

use Answer::{But, Refused};
use Content::{Absent, Any, EmptyDirectory, Given, Is, Stored};

const DEVIATIONS: &[(&str, Answer)] = &[
    ("blob-missing", Refused(&[])),
    ("error-name", Refused(&[])),
    (
        "float-inf",
        But(&[("inputs.json", Is(r#"{"x":"Infinity"}"#))]),
    ),
    (
        "float-minus-inf",
        But(&[("inputs.json", Is(r#"{"x":"-Infinity"}"#))]),
    ),
    ("float-nan", But(&[("inputs.json", Is(r#"{"x":"NaN"}"#))])),
    ("format-lower-case", Refused(&["--format", "\"json\""])),
    ("hash-and-metadata", But(&[("inputs.pb", Given)])),
    (
        "inputs-empty",
        But(&[("inputs.pb", Is("")), ("inputs.json", Is("{}"))]),
    ),
    ("inputs-garbage", Refused(&["LiteralMap"])),
    ("inputs-missing", Refused(&["--from-remote"])),
    (
        "multipart-empty",
        But(&[
            ("t", EmptyDirectory),
            ("inputs.json", Is(r#"{"t":"/data/inputs/t"}"#)),
        ]),
    ),
    ("multipart-sibling-prefix", But(&[("t/2/f", Absent)])),
    ("name-of-metadata", Refused(&["\"inputs.json\""])),
    ("name-with-dotdot", Refused(&["../"])),
    ("name-with-slash", Refused(&[])),
    (
        "offloaded-in-collection",
        But(&[
            // It is empty if the reference failed before it wrote a file.
            ("c", Absent),
            ("c/0/0", Is("1")),
            ("c/0/1", Is("two")),
            ("inputs.json", Is(r#"{"c":[[1,"two"]]}"#)),
            ("inputs.pb", Any),
        ]),
    ),
    (
        "string-with-del-yaml",
        But(&[("inputs.yaml", Is("s: \"\\x7F\"\n"))]),
    ),
    (
        "structured-dataset",
        But(&[
            ("d/x.txt", Stored("data/structured-dataset/blobs/dir/x.txt")),
            (
                "d/sub/y.txt",
                Stored("data/structured-dataset/blobs/dir/sub/y.txt"),
            ),
            (
                "d/sub/deep/z",
                Stored("data/structured-dataset/blobs/dir/sub/deep/z"),
            ),
            ("inputs.json", Is(r#"{"d":"/data/inputs/d"}"#)),
            ("inputs.pb", Any),
        ]),
    ),
];

#[test]
fn every_vector() {
    let site = Site::start().unwrap();
    fs::create_dir(site.server.file("other", "")).unwrap();
    let cases = all("download");
    let mut wrong = Vec::new();
    for case in &cases {
        lay(case, &site);
        if let Err(difference) = check(case, &site) {
            wrong.push(format!("{}: {difference}", case.name));
        }
    }
    println!("{} download vectors", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() >= 66, "only {} vectors were found", cases.len());
}

/// Puts a vector's objects into the store.
fn lay(case: &Case, site: &Site) {
    let put = |bucket: &str, key: &str, content: &[u8]| {
        let path = site.server.file(bucket, key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    for (name, content) in tree(&case.path.join("store")) {
        let (bucket, key) = name.split_once('/').unwrap();
        put(bucket, key, &content.unwrap());
    }
    if let Ok(inputs) = fs::read(case.path.join("inputs.pb")) {
        let from = case.json["from_remote"].as_str().unwrap();
        put("data", from.strip_prefix("s3://data/").unwrap(), &inputs);
    }
}

fn check(case: &Case, site: &Site) -> Result<(), String> {
    let place = site.work(&case.name);
    let local = place.join("inputs");
    let ended = run(case, site, &local, &[]);
    let left = tree(&place);
    if let Some(outside) = left.keys().find(|name| !is_beneath(name)) {
        return Err(format!("{outside} lies outside of the input directory"));
    }
    let deviation = DEVIATIONS.iter().find(|(name, _)| *name == case.name);
    match deviation.map(|(_, answer)| answer) {
        Some(Refused(words)) => {
            report::failed(case, site, &ended, words)?;
            let committed = tree(&local);
            if let Some(name) = committed.keys().find(|name| name.starts_with("inputs.")) {
                return Err(format!("{name} was committed after a failure"));
            }
            as_the_reference_leaves(case, site, &local)
        }
        Some(But(others)) => {
            report::succeeded(case, site, &ended)?;
            compare(case, &local, &expected(case, others))
        }
        None if case.deviates() => Err("deviates in a way that no test knows".to_owned()),
        None => {
            report::succeeded(case, site, &ended)?;
            compare(case, &local, &expected(case, &[]))
        }
    }
}

fn is_beneath(name: &str) -> bool {
    name == "inputs" || name.starts_with("inputs/")
}

/// With `--exit-zero-on-error` the exit code of a failure is the reference's.
fn as_the_reference_leaves(case: &Case, site: &Site, local: &Path) -> Result<(), String> {
    let ended = run(case, site, local, &["--exit-zero-on-error"]);
    match ended.code() {
        0 => Ok(()),
        code => Err(format!("exit {code} in spite of --exit-zero-on-error")),
    }
}

fn run(case: &Case, site: &Site, local: &Path, more: &[&str]) -> Ended {
    let strings = |name: &str| -> Vec<String> {
        let list = case.json[name].as_array().unwrap();
        list.iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    let mut command = binary::command();
    command
        .args(site.server.flags("data"))
        // One vector's blob is in another bucket.
        .arg("--storage.enable-multicontainer")
        .args(strings("root_flags"))
        .arg("download")
        .args(["--from-remote", case.json["from_remote"].as_str().unwrap()])
        .args([
            "--to-output-prefix",
            case.json["to_output_prefix"].as_str().unwrap(),
        ])
        .arg("--to-local-dir")
        .arg(local)
        .args(strings("flags"))
        .args(more);
    binary::run(&mut command)
}

/// The reference's directory, with Copilot's differences applied.
fn expected(case: &Case, others: &[(&str, Content)]) -> Files {
    let mut files = tree(&case.path.join("expect"));
    let empty = case.json["empty_dirs"].as_array().unwrap().iter();
    let empty = empty.map(|name| name.as_str().unwrap());
    files.extend(
        empty
            .filter(|name| *name != ".")
            .map(|name| (name.to_owned(), None)),
    );
    let read = |path: PathBuf| Some(fs::read(path).unwrap());
    for (name, content) in others {
        let content = match content {
            Absent => {
                files.remove(*name);
                continue;
            }
            EmptyDirectory => None,
            Is(text) => Some(text.as_bytes().to_vec()),
            Stored(object) => read(case.path.join("store").join(object)),
            Given => read(case.path.join("inputs.pb")),
            Any => Some(Vec::new()),
        };
        files.insert((*name).to_owned(), content);
    }
    files
}

fn compare(case: &Case, local: &Path, expected: &Files) -> Result<(), String> {
    let got = tree(local);
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    if names(&got) != names(expected) {
        return Err(format!(
            "files {:?}, expected {:?}",
            names(&got),
            names(expected)
        ));
    }
    let ours = local.to_str().unwrap();
    let unseen = DEVIATIONS.iter().any(|(name, answer)| {
        matches!(answer, But(others) if *name == case.name
            && others.iter().any(|(_, content)| matches!(content, Any)))
    });
    for (name, expected) in expected {
        let (got, expected) = (
            got[name].as_deref().unwrap_or_default(),
            expected.as_deref().unwrap_or_default(),
        );
        let same = match name.as_str() {
            "inputs.pb" if unseen => decode_literal_map(got).is_ok(),
            "inputs.pb" => message(got) == message(expected).replace(THEIRS, ours),
            "inputs.yaml" => yaml(got) == moved(yaml(expected), ours),
            "inputs.json" => text(got) == text(expected).replace(THEIRS, ours),
            _ => got == expected,
        };
        if !same {
            let (got, expected) = (
                String::from_utf8_lossy(got),
                String::from_utf8_lossy(expected),
            );
            return Err(format!("{name} is {got:.300}, expected {expected:.300}"));
        }
    }
    Ok(())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A message as text with sorted maps: NaN is equal to NaN, and paths in it can be replaced.
fn message(bytes: &[u8]) -> String {
    format!("{:?}", decode_literal_map(bytes).unwrap())
}

fn yaml(bytes: &[u8]) -> Yaml {
    yaml11::read(text(bytes))
}

/// The same document for another input directory.
fn moved(node: Yaml, ours: &str) -> Yaml {
    match node {
        Yaml::Text(text) => Yaml::Text(text.replace(THEIRS, ours)),
        Yaml::List(items) => Yaml::List(items.into_iter().map(|item| moved(item, ours)).collect()),
        Yaml::Map(entries) => {
            let entries = entries.into_iter();
            Yaml::Map(
                entries
                    .map(|(key, value)| (key, moved(value, ours)))
                    .collect(),
            )
        }
        other => other,
    }
}

//! Inputs: each vector's map is planned, its values written, its objects copied from the vector's
//! own store, and the directory is compared with the reference's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use copilot::idl::{LiteralMap, Message, decode_literal_map};
use copilot::literal::input::{Arrival, BlobKind, Layout, Offloaded, Target, plan};
use copilot::literal::render::{Binaries, MetadataFormat};

use crate::case::{Case, all, tree};
use crate::yaml11;

/// The result of a run: files by name, empty directories without content.
type Files = BTreeMap<String, Option<Vec<u8>>>;

/// Vectors about flags and stores, which do not matter to the pure parts.
const ELSEWHERE: [&str; 2] = ["format-lower-case", "inputs-missing"];

#[test]
fn every_vector() {
    let (mut count, mut wrong) = (0, Vec::new());
    for case in all("download") {
        if ELSEWHERE.contains(&case.name.as_str()) {
            continue;
        }
        count += 1;
        if let Err(difference) = check(&case) {
            wrong.push(format!("{}: {difference}", case.name));
        }
    }
    println!("{count} download vectors");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 60, "only {count} vectors were found");
}

/// Compares a run with the reference's, or if that is a bug, with what the vector says about Copilot.
fn check(case: &Case) -> Result<(), String> {
    let got = run(case);
    let refused = |words: &[&str]| match &got {
        Ok(_) => Err("was accepted".to_owned()),
        Err(message) if words.iter().all(|word| message.contains(word)) => Ok(()),
        Err(message) => Err(format!("{message:?} lacks one of {words:?}")),
    };
    let mut expected = tree(&case.path.join("expect"));
    let empty = case.json["empty_dirs"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|name| name.as_str());
    expected.extend(
        empty
            .filter(|name| *name != ".")
            .map(|name| (name.to_owned(), None)),
    );
    let given = || fs::read(case.path.join("inputs.pb")).unwrap();
    let mut put =
        |name: &str, content: &[u8]| expected.insert(name.to_owned(), Some(content.to_vec()));
    match case.name.as_str() {
        "blob-missing" | "error-name" => return refused(&["\"b\"", "s3://"]),
        "inputs-garbage" => return refused(&["LiteralMap"]),
        "name-of-metadata" => return refused(&["inputs.json"]),
        "name-with-dotdot" => return refused(&["../"]),
        "name-with-slash" => return refused(&["a/b"]),
        "float-nan" => put("inputs.json", br#"{"x":"NaN"}"#),
        "float-inf" => put("inputs.json", br#"{"x":"Infinity"}"#),
        "float-minus-inf" => put("inputs.json", br#"{"x":"-Infinity"}"#),
        "inputs-empty" => {
            put("inputs.pb", b"");
            put("inputs.json", b"{}")
        }
        "hash-and-metadata" => put("inputs.pb", &given()),
        "string-with-del-yaml" => put("inputs.yaml", b"s: \"\\x7F\""),
        "multipart-empty" => {
            expected.insert("t".to_owned(), None);
            expected.insert(
                "inputs.json".to_owned(),
                Some(br#"{"t":"/data/inputs/t"}"#.to_vec()),
            )
        }
        "multipart-sibling-prefix" => expected.remove("t/2/f"),
        "offloaded-in-collection" => return check_offloaded_in_collection(&got?),
        "structured-dataset" => return check_dataset(&got?),
        name if case.deviates() => {
            return Err(format!("{name} deviates in a way that no test knows"));
        }
        _ => None,
    };
    compare(&got?, &expected)
}

fn compare(got: &Files, expected: &Files) -> Result<(), String> {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    if names(got) != names(expected) {
        return Err(format!(
            "files {:?}, expected {:?}",
            names(got),
            names(expected)
        ));
    }
    for (name, content) in expected {
        let same = match (name.as_str(), &got[name], content) {
            ("inputs.pb", Some(got), Some(expected)) => canonical(got) == canonical(expected),
            ("inputs.yaml", Some(got), Some(expected)) => read_yaml(got) == read_yaml(expected),
            (_, got, expected) => got == expected,
        };
        if !same {
            let show = |content: &Option<Vec<u8>>| {
                format!(
                    "{:.300}",
                    String::from_utf8_lossy(content.as_deref().unwrap_or_default())
                )
            };
            return Err(format!(
                "{name} is {}, expected {}",
                show(&got[name]),
                show(content)
            ));
        }
    }
    Ok(())
}

/// The message with sorted maps, as bytes, so that NaN is equal to NaN.
fn canonical(bytes: &[u8]) -> Vec<u8> {
    decode_literal_map(bytes).unwrap().encode_to_vec()
}

fn read_yaml(bytes: &[u8]) -> yaml11::Yaml {
    yaml11::read(std::str::from_utf8(bytes).unwrap())
}

fn check_offloaded_in_collection(got: &Files) -> Result<(), String> {
    let json = String::from_utf8_lossy(got["inputs.json"].as_deref().unwrap_or_default());
    let files: Vec<&str> = got.keys().map(String::as_str).collect();
    if files == ["c/0/0", "c/0/1", "inputs.json", "inputs.pb"] && json == r#"{"c":[[1,"two"]]}"# {
        return Ok(());
    }
    Err(format!("{files:?} {json}"))
}

fn check_dataset(got: &Files) -> Result<(), String> {
    let json = String::from_utf8_lossy(got["inputs.json"].as_deref().unwrap_or_default());
    let files: Vec<&str> = got.keys().map(String::as_str).collect();
    if files
        == [
            "d/sub/deep/z",
            "d/sub/y.txt",
            "d/x.txt",
            "inputs.json",
            "inputs.pb",
        ]
        && json == r#"{"d":"/data/inputs/d"}"#
    {
        return Ok(());
    }
    Err(format!("{files:?} {json}"))
}

/// Does what the download command does, with a folder as the store. The metadata files name
/// `/data/inputs`, and the files are written to a temporary directory.
fn run(case: &Case) -> Result<Files, String> {
    let bytes = fs::read(case.path.join("inputs.pb")).map_err(|error| error.to_string())?;
    let map = decode_literal_map(&bytes[..]).map_err(|error| error.to_string())?;
    let format = match case.flag("--format") {
        Some("PROTO") => MetadataFormat::Proto,
        Some("YAML") => MetadataFormat::Yaml,
        _ => MetadataFormat::Json,
    };
    let layout = match case.flag("--file-input-layout") {
        Some("NAMED_DIR") => Layout::NamedDir,
        _ => Layout::Direct,
    };
    let target = Target {
        directory: Path::new("/data/inputs"),
        layout,
        metadata: format,
        data: Arrival::Before,
        binaries: &Binaries::default(),
    };
    let plan = plan(resolve(map, case)?, &target).map_err(|error| error.to_string())?;

    let local = tempfile::tempdir().unwrap();
    for directory in &plan.directories {
        fs::create_dir(local.path().join(directory)).unwrap();
    }
    for value in plan.values() {
        let mut file = fs::File::create_new(local.path().join(&value.path)).unwrap();
        value.write_to(&mut file).unwrap();
    }
    for blob in &plan.blobs {
        let (from, to) = (object(&blob.uri, case), local.path().join(&blob.path));
        match blob.kind {
            BlobKind::Object if from.is_file() => _ = fs::copy(from, to).unwrap(),
            BlobKind::Object => {
                return Err(format!(
                    "variable {:?}: no object at {}",
                    blob.variable(),
                    blob.uri
                ));
            }
            BlobKind::Prefix | BlobKind::Table => copy_tree(&from, &to),
        }
    }
    for file in format.files() {
        let mut out = Vec::new();
        file.write(&plan.literals, &plan.binaries, &mut out)
            .unwrap();
        fs::write(local.path().join(file.name()), out).unwrap();
    }
    Ok(tree(local.path()))
}

fn resolve(map: LiteralMap, case: &Case) -> Result<LiteralMap, String> {
    let mut offloaded = Offloaded::new(map);
    loop {
        let requests = offloaded
            .requests()
            .map_err(|error| error.to_string())?
            .to_vec();
        if requests.is_empty() {
            return Ok(offloaded.into_map());
        }
        for (index, request) in requests.iter().enumerate() {
            let bytes = fs::read(object(&request.uri, case)).map_err(|error| error.to_string())?;
            offloaded
                .answer(index, &bytes[..])
                .map_err(|error| error.to_string())?;
        }
    }
}

/// The file that stands for an object of the vector's store.
fn object(uri: &str, case: &Case) -> PathBuf {
    let key = uri.strip_prefix("s3://").unwrap_or(uri).replace("%20", " ");
    case.path.join("store").join(key)
}

fn copy_tree(from: &Path, to: &Path) {
    for (name, content) in tree(from) {
        let target = to.join(name);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, content.unwrap()).unwrap();
    }
}

//! Uploads: each vector's output directory is created, the sidecar uploads it, and the objects in the
//! store are compared with the reference's.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use copilot::idl::{Literal, LiteralMap, SimpleType, decode_literal_map, literal, scalar};
use copilot_tests::binary::{self, Ended};
use copilot_tests::site::Site;
use copilot_tests::task::files;
use copilot_tests::values;

use super::report;
use crate::case::{Case, all, tree};

/// Where the reference's output directory was.
const THEIRS: &str = "/data/outputs";

/// What Copilot does where the vector says that the reference's result is a bug.
enum Answer {
    /// It is refused, with a message that contains this; nothing is committed.
    Refused(&'static [&'static str]),
    /// The blob `o` is uploaded: the end of its uri, its format, each object and its local file.
    Blob(
        &'static str,
        &'static str,
        &'static [(&'static str, &'static str)],
    ),
    /// It is accepted.
    Accepted,
    /// The reference refuses the type: Copilot reads this literal, and uploads these objects.
    Supported(fn() -> Literal, &'static [(&'static str, &'static str)]),
    /// The reference refuses the type: Copilot refuses the vector's file with this message, and reads this
    /// content as this literal.
    SupportedElse(&'static [&'static str], &'static str, fn() -> Literal),
}

use Answer::{Accepted, Blob, Refused, Supported, SupportedElse};

const DEVIATIONS: &[(&str, Answer)] = &[
    ("bad-interface", Refused(&["--interface", "TypedInterface"])),
    (
        "blob-extension",
        Blob("/raw/o.csv", "", &[("o.csv", "o.csv")]),
    ),
    ("blob-file", Blob("/raw/o", "csv", &[("o", "o")])),
    (
        "blob-name-percent",
        Blob("/raw/o", "", &[("o/100%.txt", "o/100%.txt")]),
    ),
    (
        "blob-name-question",
        Blob(
            "/raw/o",
            "",
            &[("o/a?b.txt", "o/a?b.txt"), ("o/c.txt", "o/c.txt")],
        ),
    ),
    ("blob-symlink-dir", Blob("/raw/o", "", &[("o/x", "real/x")])),
    (
        "blob-two-extensions",
        Refused(&["\"o\"", "ambiguous", "o.csv", "o.txt"]),
    ),
    ("missing-output", Refused(&["\"n\"", "not found"])),
    ("simple-1025", Accepted),
    (
        "simple-is-directory",
        Refused(&["\"n\"", "integer", "directory"]),
    ),
    (
        "unsupported-collection",
        Supported(|| values::list([values::integer(1)]), &[]),
    ),
    (
        "unsupported-dataset",
        Supported(
            || values::dataset("s3://data/unsupported-dataset/raw/o", "parquet"),
            &[("o", "o")],
        ),
    ),
    ("unsupported-enum", Supported(|| values::text("A"), &[])),
    (
        "unsupported-map",
        SupportedElse(&["\"o\"", "\"A\"", "JSON object"], r#"{"k": "A"}"#, || {
            values::map([("k", values::text("A"))])
        }),
    ),
    (
        "unsupported-schema",
        Supported(
            || values::schema("s3://data/unsupported-schema/raw/o"),
            &[("o", "o")],
        ),
    ),
    (
        "unsupported-union",
        SupportedElse(&["\"o\"", "\"A\"", "integer"], "", || {
            values::union(SimpleType::None, values::nothing())
        }),
    ),
    ("user-error", Refused(&["User Error: it broke\n"])),
    ("user-error-empty", Refused(&["User Error: "])),
];

#[test]
fn every_vector() {
    let site = Site::start().unwrap();
    let cases = all("upload");
    let mut wrong = Vec::new();
    for case in &cases {
        if let Err(difference) = check(case, &site) {
            wrong.push(format!("{}: {difference}", case.name));
        }
    }
    println!("{} upload vectors", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() >= 28, "only {} vectors were found", cases.len());
}

fn check(case: &Case, site: &Site) -> Result<(), String> {
    let local = site.work(&case.name).join("outputs");
    lay(case, &local);
    let ended = run(case, site, &local, &[]);
    let deviation = DEVIATIONS.iter().find(|(name, _)| *name == case.name);
    match deviation.map(|(_, answer)| answer) {
        Some(Refused(words)) => {
            let moved = paths(case.message(), &local);
            let words: Vec<&str> = words
                .iter()
                .copied()
                .chain(moved.iter().map(String::as_str))
                .collect();
            report::failed(case, site, &ended, &words)?;
            expect_objects(case, site, &BTreeMap::new())?;
            match run(case, site, &local, &["--exit-zero-on-error"]).code() {
                0 => Ok(()),
                code => Err(format!("exit {code} in spite of --exit-zero-on-error")),
            }
        }
        Some(Blob(uri, format, objects)) => {
            report::succeeded(case, site, &ended)?;
            expect_blob(
                &outputs(case, site)?,
                &format!("s3://data/{}{uri}", case.name),
                format,
            )?;
            expect_objects(case, site, &contents(objects, &local))
        }
        Some(Supported(literal, objects)) => {
            report::succeeded(case, site, &ended)?;
            expect_literal(case, site, &literal())?;
            expect_objects(case, site, &contents(objects, &local))
        }
        Some(SupportedElse(words, content, literal)) => {
            report::failed(case, site, &ended, words)?;
            fs::write(local.join("o"), content).unwrap();
            let ended = run(case, site, &local, &[]);
            if ended.code() != 0 {
                return Err(format!("exit {}: {}", ended.code(), ended.stderr));
            }
            expect_literal(case, site, &literal())
        }
        Some(Accepted) => {
            report::succeeded(case, site, &ended)?;
            outputs(case, site).map(|_| ())
        }
        None if case.deviates() => Err("deviates in a way that no test knows".to_owned()),
        None => {
            report::succeeded(case, site, &ended)?;
            compare(case, site)
        }
    }
}

/// The objects that local files become.
fn contents(objects: &[(&str, &str)], local: &Path) -> BTreeMap<String, Vec<u8>> {
    let content =
        |(name, file): &(&str, &str)| ((*name).to_owned(), fs::read(local.join(file)).unwrap());
    objects.iter().map(content).collect()
}

fn expect_literal(case: &Case, site: &Site, literal: &Literal) -> Result<(), String> {
    match outputs(case, site)?.literals.get("o") {
        Some(got) if got == literal => Ok(()),
        other => Err(format!("{other:?}, expected {literal:?}")),
    }
}

/// A message of the reference with its local paths replaced by ours.
fn paths(message: &str, local: &Path) -> Vec<String> {
    let words = message
        .split([' ', '[', ']'])
        .filter(|word| word.starts_with(THEIRS));
    let ours = local.to_str().unwrap();
    words
        .map(|word| word.trim_end_matches([':', ',']).replace(THEIRS, ours))
        .collect()
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
        .args(strings("root_flags"))
        .args(["sidecar", "--watcher", "noop"])
        .args([
            "--to-output-prefix",
            case.json["to_output_prefix"].as_str().unwrap(),
        ])
        .args([
            "--to-raw-output",
            case.json["to_raw_output"].as_str().unwrap(),
        ])
        .arg("--from-local-dir")
        .arg(local)
        .args(strings("flags"))
        .args(more);
    if let Some(interface) = case.json["interface"].as_str() {
        command.args(["--interface", interface]);
    }
    binary::run(&mut command)
}

/// Creates the vector's output directory.
fn lay(case: &Case, local: &Path) {
    fs::create_dir_all(local).unwrap();
    for (name, content) in tree(&case.path.join("local")) {
        let path = local.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content.unwrap()).unwrap();
    }
    for special in case.json["special"].as_array().unwrap() {
        let path = local.join(special["path"].as_str().unwrap());
        match special["kind"].as_str() {
            Some("symlink") => symlink(special["target"].as_str().unwrap(), path).unwrap(),
            Some("dir") => fs::create_dir_all(path).unwrap(),
            other => panic!("{other:?} is not known"),
        }
    }
}

/// The name of the outputs' object below the output prefix.
fn meta_name(case: &Case) -> &str {
    case.flag("--meta-output-name").unwrap_or("outputs.pb")
}

fn outputs(case: &Case, site: &Site) -> Result<LiteralMap, String> {
    let path = site
        .server
        .file("data", &format!("{}/out/{}", case.name, meta_name(case)));
    let bytes = fs::read(path).map_err(|error| format!("no outputs: {error}"))?;
    decode_literal_map(&bytes[..]).map_err(|error| error.to_string())
}

/// Compares literals and objects with the reference's.
fn compare(case: &Case, site: &Site) -> Result<(), String> {
    let expected = fs::read(case.path.join("expect/outputs.pb"));
    match expected {
        Ok(expected) => {
            let expected = decode_literal_map(&expected[..]).unwrap();
            let got = outputs(case, site)?;
            // As text, so that NaN is equal to NaN.
            if format!("{got:?}") != format!("{expected:?}") {
                return Err(format!("{got:?}, expected {expected:?}"));
            }
        }
        // Recorded as missing if the object has another name than the recorder expected.
        Err(_) if meta_name(case) != "outputs.pb" => _ = outputs(case, site)?,
        Err(_) => {
            let left = files(&site.server.file("data", &format!("{}/out", case.name)));
            if !left.is_empty() {
                return Err(format!(
                    "nothing was to be written, but {:?} was",
                    left.keys()
                ));
            }
        }
    }
    expect_objects(case, site, &files(&case.path.join("expect/raw")))
}

fn expect_objects(
    case: &Case,
    site: &Site,
    expected: &BTreeMap<String, Vec<u8>>,
) -> Result<(), String> {
    let got = files(&site.server.file("data", &format!("{}/raw", case.name)));
    if got == *expected {
        return Ok(());
    }
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    Err(format!(
        "objects {:?}, expected {:?}",
        names(&got),
        names(expected)
    ))
}

fn expect_blob(outputs: &LiteralMap, uri: &str, format: &str) -> Result<(), String> {
    let found = outputs
        .literals
        .get("o")
        .and_then(|literal| match &literal.value {
            Some(literal::Value::Scalar(scalar)) => scalar.value.as_ref(),
            _ => None,
        });
    let Some(scalar::Value::Blob(blob)) = found else {
        return Err(format!("{outputs:?} has no blob"));
    };
    let declared = blob
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.r#type.as_ref());
    let got = (
        blob.uri.as_str(),
        declared.map_or("", |declared| &declared.format),
    );
    if got == (uri, format) {
        Ok(())
    } else {
        Err(format!("{got:?}, expected {:?}", (uri, format)))
    }
}

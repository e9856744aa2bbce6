//! Keys as they are: what a reference names is what is asked for, both ways. A text that URLs read
//! differently may have been written as a URL, too; then its second key is asked for.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{
    Literal, LiteralMap, Message as _, TypedInterface, decode_literal_map, literal, scalar,
};
use copilot_tests::binary::{self, Ended};
use copilot_tests::exact::ExactServer;
use copilot_tests::task::{blob, blob_type, files, interface};
use copilot_tests::values::{dataset, map, map_of, schema};

/// A server, and the directories of a task.
struct Place {
    server: ExactServer,
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("out")).unwrap();
        let server = ExactServer::start().unwrap();
        Self { server, dir }
    }

    fn inputs(&self) -> PathBuf {
        self.dir.path().join("in")
    }

    fn command(&self) -> Command {
        let mut command = binary::command();
        command.args(self.server.flags());
        command
    }

    /// A download of these inputs, which are at `from`, with these further flags.
    fn download_from(&self, from: &str, literals: &LiteralMap, flags: &[&str]) -> Ended {
        let key = from.strip_prefix("s3://data/").unwrap();
        self.server.put(key, literals.encode_to_vec());
        let mut command = self.command();
        command.args(["download", "--from-remote", from]);
        command.args(["--to-output-prefix", "s3://data/out"]);
        command.arg("--to-local-dir").arg(self.inputs()).args(flags);
        binary::run(&mut command)
    }

    /// What a download of this input brings to `x`.
    fn fetch(&self, literal: Literal, flags: &[&str]) -> Ended {
        let _ = fs::remove_dir_all(self.inputs());
        let literals = [("x".to_owned(), literal)].into();
        self.download_from("s3://data/inputs.pb", &LiteralMap { literals }, flags)
    }

    /// The file that a download of the object at `uri` brings.
    fn file(&self, uri: &str) -> Result<String, Ended> {
        let ended = self.fetch(blob(uri, Single), &[]);
        if ended.code() != 0 {
            return Err(ended);
        }
        Ok(fs::read_to_string(self.inputs().join("x")).unwrap())
    }

    /// The files that a download of this input brings to the directory `x`.
    fn tree(&self, literal: Literal) -> Vec<String> {
        let ended = self.fetch(literal, &[]);
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        files(&self.inputs().join("x")).into_keys().collect()
    }

    fn write(&self, name: &str) {
        let path = self.dir.path().join("out").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }

    fn upload(&self, declared: &TypedInterface, raw: &str, out: &str) -> Ended {
        let declared = BASE64_STANDARD.encode(declared.encode_to_vec());
        let mut command = self.command();
        command.args(["sidecar", "--watcher=noop", "--interface", &declared]);
        command.args(["--to-raw-output", raw, "--to-output-prefix", out]);
        command
            .arg("--from-local-dir")
            .arg(self.dir.path().join("out"));
        binary::run(&mut command)
    }

    fn outputs(&self, key: &str) -> LiteralMap {
        let bytes = self.server.get(key);
        let bytes = bytes.unwrap_or_else(|| panic!("{key} of {:?}", self.server.keys()));
        decode_literal_map(bytes).unwrap()
    }
}

fn uri(literal: &Literal) -> &str {
    match literal.value.as_ref().unwrap() {
        literal::Value::Scalar(scalar) => match scalar.value.as_ref().unwrap() {
            scalar::Value::Blob(blob) => &blob.uri,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_is_the_object_of_exactly_this_key() {
    let keys = [
        "/lead",
        "lead",
        "//lead",
        "end/",
        "end",
        "a//b",
        "a/b",
        " a b ",
        "a+b",
        "é",
        "a\tb\n",
        "\u{1}",
        "a'b(c)[d]{e}*",
        "a:b",
        "\\",
    ];
    let place = Place::new();
    for key in keys {
        place.server.put(key, key);
    }
    for key in keys {
        let found = place.file(&format!("s3://data/{key}"));
        assert_eq!(found.ok().as_deref(), Some(key), "{key:?}");
    }
    // Never another object.
    for key in ["//end", "/a/b", "a/b/", "a///b"] {
        let ended = place.file(&format!("s3://data/{key}")).unwrap_err();
        assert!(ended.message().contains("does not exist"), "{key}");
    }
    for key in ["a/../lead", "./lead", "a/.."] {
        let ended = place.file(&format!("s3://data/{key}")).unwrap_err();
        assert!(ended.message().contains("component `.` or `..`"), "{key}");
    }
}

#[test]
fn a_directory_is_what_is_beneath_exactly_this_prefix() {
    let place = Place::new();
    for key in [
        "/dir/lead",
        "dir/plain",
        "dir//double",
        "a//b/c",
        "a/b/single",
        " d /x",
        "é+/y",
    ] {
        place.server.put(key, key);
    }
    for (prefix, expected) in [
        ("/dir", "lead"),
        ("/dir/", "lead"),
        ("dir//", "double"),
        ("a//b", "c"),
        ("a/b", "single"),
        (" d ", "x"),
        ("é+", "y"),
    ] {
        let prefix = format!("s3://data/{prefix}");
        let found = place.tree(blob(&prefix, Multipart));
        assert_eq!(found, [expected], "{prefix}");
        assert_eq!(place.tree(schema(&prefix)), [expected], "{prefix}");
        assert_eq!(place.tree(dataset(&prefix, "csv")), [expected], "{prefix}");
    }
    assert!(place.tree(blob("s3://data//none", Multipart)).is_empty());
    // The marker of an empty directory is no file.
    place.server.put("made/", "");
    for prefix in ["s3://data/made", "s3://data/made/"] {
        assert!(place.tree(blob(prefix, Multipart)).is_empty(), "{prefix}");
        assert!(place.tree(dataset(prefix, "")).is_empty(), "{prefix}");
    }
}

#[test]
fn inputs_and_everything_that_is_written_have_exactly_these_keys() {
    let place = Place::new();
    let ended = place.download_from("s3://data//m//inputs.pb", &LiteralMap::default(), &[]);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);

    let declared = interface([("o", blob_type(Single)), ("t", blob_type(Multipart))]);
    place.write("o");
    place.write("t/f");
    for (raw, out, raw_key, out_key) in [
        ("s3://data//raw", "s3://data//out", "/raw", "/out"),
        ("s3://data/a//raw/", "s3://data/a//out/", "a//raw", "a//out"),
        ("s3://data/team a/é", "s3://data/x y+", "team a/é", "x y+"),
        ("s3://data/t%20b", "s3://data/o%23", "t b", "o#"),
    ] {
        // An error document of an earlier run goes, at this prefix and at no other.
        for key in ["out", out_key] {
            place.server.put(&format!("{key}/error.pb"), "stale");
        }
        let ended = place.upload(&declared, raw, out);
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        assert_eq!(place.server.get(&format!("{out_key}/error.pb")), None);
        assert!(place.server.get("out/error.pb").is_some());
        let outputs = place.outputs(&format!("{out_key}/outputs.pb"));
        for (name, key) in [("o", format!("{raw_key}/o")), ("t", format!("{raw_key}/t"))] {
            let expected = format!("s3://data/{key}");
            assert_eq!(uri(&outputs.literals[name]), expected);
        }
        assert!(place.server.get(&format!("{raw_key}/o")).is_some());
        assert!(place.server.get(&format!("{raw_key}/t/f")).is_some());
        assert_eq!(place.file(uri(&outputs.literals["o"])).unwrap(), "o");
    }
    fs::remove_file(place.dir.path().join("out/o")).unwrap();
    let ended = place.upload(&declared, "s3://data/raw", "s3://data//failed");
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert!(place.server.get("/failed/error.pb").is_some());
}

#[test]
fn of_two_keys_the_one_as_it_stands_comes_first() {
    let place = Place::new();
    for (text, second) in [
        ("f/a%20b.csv", Some("f/a b.csv")),
        ("f/a%41", Some("f/aA")),
        ("f/a#b.csv", Some("f/a")),
        ("g/a?b.csv", Some("g/a")),
        ("/f/%2Fx", Some("/f//x")),
        ("f/100%.csv", None),
        ("f/%ff", None),
    ] {
        let reference = format!("s3://data/{text}");
        let ended = place.file(&reference).unwrap_err();
        assert!(ended.message().contains("does not exist"), "{text}");
        if let Some(second) = second {
            for key in [text, second] {
                let named = format!("{key:?}");
                assert!(ended.message().contains(&named), "{}", ended.message());
            }
            place.server.put(second, "second");
            place.server.put(&format!("{second}/f"), "second");
            assert_eq!(place.file(&reference).unwrap(), "second", "{text}");
            assert_eq!(place.tree(blob(&reference, Multipart)), ["f"], "{text}");
        }
        place.server.put(text, "first");
        place.server.put(&format!("{text}/g"), "first");
        assert_eq!(place.file(&reference).unwrap(), "first", "{text}");
        for literal in [
            blob(&reference, Multipart),
            schema(&reference),
            dataset(&reference, ""),
        ] {
            assert_eq!(place.tree(literal), ["g"], "{text}");
        }
    }
}

/// A dataset may be one object, and then has that object's name.
#[test]
fn a_dataset_of_one_object_is_found_at_both_keys() {
    let place = Place::new();
    place.server.put("d/my rows.csv", "1");
    let reference = "s3://data/d/my%20rows.csv";
    assert_eq!(place.tree(dataset(reference, "csv")), ["my rows.csv"]);
    place.server.put("d/my%20rows.csv", "1");
    assert_eq!(place.tree(dataset(reference, "csv")), ["my%20rows.csv"]);
}

#[test]
fn inputs_themselves_may_have_two_keys() {
    let place = Place::new();
    let inputs = LiteralMap::default().encode_to_vec();
    place.server.put("m/a b/inputs.pb", inputs);
    let mut command = place.command();
    command.args(["download", "--from-remote", "s3://data/m/a%20b/inputs.pb"]);
    command.args(["--to-output-prefix", "s3://data/out"]);
    command.arg("--to-local-dir").arg(place.inputs());
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
}

/// Names that some reader takes for syntax become no part of a reference.
#[test]
fn odd_names_get_safe_keys_and_come_back() {
    let place = Place::new();
    let names = [
        "plain.csv",
        "foo bar.csv",
        "é.csv",
        "100%.csv",
        "a#b",
        "a?b",
        "%41",
        "[x]*",
        "a::b",
        "=a",
        "a\nb",
        "=a=23b",
    ];
    for name in names {
        place.write(&format!("m/{name}"));
        place.write(&format!("t.a#b/{name}"));
    }
    place.write("o.my ext");
    place.write("p.c#v");
    let declared = interface([
        ("m", map_of(blob_type(Single))),
        ("t", blob_type(Multipart)),
        ("o", blob_type(Single)),
        ("p", blob_type(Single)),
    ]);
    let ended = place.upload(&declared, "s3://data/raw", "s3://data/out");
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let outputs = place.outputs("out/outputs.pb");
    assert_eq!(uri(&outputs.literals["o"]), "s3://data/raw/o.my ext");
    assert_eq!(uri(&outputs.literals["p"]), "s3://data/raw/=p.c=23v");
    assert_eq!(uri(&outputs.literals["t"]), "s3://data/raw/=t.a=23b");
    let Some(literal::Value::Map(entries)) = &outputs.literals["m"].value else {
        panic!("{outputs:?}");
    };
    assert_eq!(entries.literals.len(), names.len());
    for (key, entry) in &entries.literals {
        let uri = uri(entry);
        let at = uri.strip_prefix("s3://data/").unwrap();
        let content = place.server.get(at);
        assert_eq!(content.as_deref(), Some(format!("m/{key}").as_bytes()));
        assert!(!uri.contains(['#', '?', '%', '*', '[', '\n']), "{uri}");
    }
    // Beneath a directory names are no part of a reference, so they stay.
    for name in names {
        assert!(place.server.get(&format!("raw/=t.a=23b/{name}")).is_some());
    }
    let ended = place.download_from("s3://data/inputs.pb", &outputs, &[]);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    for name in names {
        for (path, content) in [
            (format!("m/{name}"), format!("m/{name}")),
            (format!("t/{name}"), format!("t.a#b/{name}")),
        ] {
            let found = fs::read_to_string(place.inputs().join(&path));
            assert_eq!(found.ok(), Some(content), "{path}");
        }
    }
}

#[test]
fn named_dir_names_files_like_their_objects() {
    let place = Place::new();
    for key in [
        "d/my file#1.csv",
        "d/100%.csv",
        "d/a#b.csv",
        "d/a%41",
        "d/report.csv",
        "d/s/",
    ] {
        place.server.put(key, key);
    }
    let long = format!("d/{}.csv", "é".repeat(200));
    place.server.put(&long, "long");
    let flags = ["--file-input-layout", "NAMED_DIR"];
    for (uri, name) in [
        ("s3://data/d/my%20file%231.csv", "my file#1.csv"),
        ("s3://data/d/my file#1.csv", "my file#1.csv"),
        ("s3://data/d/100%25.csv", "100%.csv"),
        ("s3://data/d/100%.csv", "100%.csv"),
        ("s3://data/d/a#b.csv", "a#b.csv"),
        ("s3://data/d/a%41", "a%41"),
        ("s3://data/d/report.csv#part", "report.csv"),
        ("s3://data/d/report.csv?sig=a/b.csv", "report.csv"),
        ("s3://data/d/s/", "s"),
        (
            &format!("s3://data/{long}"),
            &format!("{}.csv", "é".repeat(125)),
        ),
    ] {
        let ended = place.fetch(blob(uri, Single), &flags);
        assert_eq!(ended.code(), 0, "{uri}: {}", ended.stderr);
        let found = files(&place.inputs().join("x"));
        assert_eq!(found.keys().collect::<Vec<_>>(), [name], "{uri}");
    }
    // What cannot be found is reported by the transfer.
    let ended = place.fetch(blob("s3://data/d/no%20file", Single), &flags);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert!(
        ended.message().contains("does not exist"),
        "{}",
        ended.stderr
    );
    let nested = map([("k", blob("s3://data/d/100%25.csv", Single))]);
    let ended = place.fetch(nested, &flags);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(Path::new(&place.inputs().join("x/k/100%.csv")).is_file());
}

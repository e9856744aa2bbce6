//! One key for each text: what is asked for and what is written.

use std::fs;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{LiteralMap, literal};
use copilot_tests::task::{blob, blob_type, interface};
use copilot_tests::values::{dataset, map_of, schema};

use super::{Place, uri};

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
    // The marker of an empty directory is not a file.
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

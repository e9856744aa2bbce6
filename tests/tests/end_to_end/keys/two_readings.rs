//! Texts that URLs read differently, and the names of files that come from references.

use std::fs;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{LiteralMap, Message as _};
use copilot_tests::binary;
use copilot_tests::task::{blob, files};
use copilot_tests::values::{dataset, list, map, schema};

use super::Place;

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
        "d/=o.a=23b",
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
        ("s3://data/d/=o.a=23b", "o.a#b"),
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
    assert!(place.inputs().join("x/k/100%.csv").is_file());
}

/// A volume outlives its containers. What the earlier run's metadata names is removed, and nothing else.
#[test]
fn a_file_of_an_earlier_run_does_not_stay_beside_the_new_one() {
    let place = Place::new();
    for key in ["d/old.csv", "d/new.csv"] {
        place.server.put(key, key);
    }
    let flags = ["--file-input-layout", "NAMED_DIR"];
    let file = |key: &str| blob(&format!("s3://data/d/{key}"), Single);
    let bring = |literal, flags: &[&str]| {
        let literals = [("x".to_owned(), literal)].into();
        let inputs = LiteralMap { literals };
        let ended = place.download_from("s3://data/inputs.pb", &inputs, flags);
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let found = files(&place.inputs().join("x"));
        found.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(bring(file("old.csv"), &flags), ["old.csv"]);
    fs::write(place.inputs().join("x/mine"), "of main").unwrap();
    assert_eq!(bring(file("new.csv"), &flags), ["mine", "new.csv"]);
    // A list that becomes shorter.
    fs::remove_dir_all(place.inputs()).unwrap();
    let two = list([file("old.csv"), file("new.csv")]);
    assert_eq!(bring(two, &[]), ["0", "1"]);
    assert_eq!(bring(list([file("new.csv")]), &[]), ["0"]);
    assert!(bring(list([]), &[]).is_empty());
}

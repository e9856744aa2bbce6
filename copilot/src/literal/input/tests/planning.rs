//! Layouts, names and what is refused.

use super::*;
use crate::idl::{ArtifactVersionId, Schema};

#[test]
fn references_become_local_paths_and_nothing_else_changes() {
    let mut tagged = blob("s3://b/k", 0);
    tagged.hash = "h".to_owned();
    tagged.metadata.insert("k".to_owned(), "v".to_owned());
    tagged.artifact_id = Some(Box::new(ArtifactVersionId {
        version: "1".to_owned(),
        key: None,
    }));
    let plan = plan_in(map([("f", tagged.clone()), ("n", int(1))]), Layout::Direct).unwrap();
    assert_eq!(blob_paths(&plan), [("f", "s3://b/k")]);
    let mut expected = blob("/in/f", 0);
    expected.hash.clone_from(&tagged.hash);
    expected.metadata.clone_from(&tagged.metadata);
    expected.artifact_id.clone_from(&tagged.artifact_id);
    assert_eq!(plan.literals, map([("f", expected), ("n", int(1))]));
}

#[test]
fn references_that_are_not_fetched_stay_unchanged_and_get_no_path() {
    let table = scalar::Value::Schema(Schema {
        uri: "any text".to_owned(),
        r#type: None,
    });
    let inputs = map([
        ("files", list(vec![blob("s3://b/x", 0), int(1)])),
        ("n", int(1)),
        // Under NAMED_DIR, were it fetched, `..` would be no name.
        ("odd", blob("s3://b/..", 0)),
        ("table", table.into()),
        ("tree", union(blob("s3://b/t/", 1))),
    ]);
    let target = Target {
        directory: Path::new("/in"),
        layout: Layout::NamedDir,
        metadata: MetadataFormat::Json,
        data: Arrival::Never,
        binaries: &Binaries::default(),
    };
    let plan = plan(inputs.clone(), &target).unwrap();
    assert_eq!(plan.literals, inputs);
    assert!(plan.blobs.is_empty());
    assert_eq!(plan.directories, [Path::new("files")]);
    assert_eq!(value_paths(&plan), ["files/1", "n"].map(Path::new));
    let empty = super::plan(map([("f", blob("", 0))]), &target);
    assert!(empty.is_err(), "a reference must not be empty");
}

#[test]
fn prefixes_have_a_directory_even_if_nothing_is_below_them() {
    let schema = scalar::Value::Schema(Schema {
        uri: "s3://b/s".to_owned(),
        r#type: None,
    });
    let plan = plan_in(
        map([("s", schema.into()), ("t", blob("s3://b/t/", 1))]),
        Layout::NamedDir,
    )
    .unwrap();
    assert_eq!(plan.directories, [Path::new("s"), Path::new("t")]);
    let kinds: Vec<BlobKind> = plan.blobs.iter().map(|blob| blob.kind).collect();
    assert_eq!(kinds, [BlobKind::Table, BlobKind::Prefix]);
}

#[test]
fn directories_come_before_what_is_in_them() {
    let nested = list(vec![list(vec![int(1), int(2)]), list(vec![])]);
    let inner = map([("k", nested)]);
    let plan = plan_in(
        map([("m", literal::Value::Map(inner).into()), ("z", int(0))]),
        Layout::Direct,
    )
    .unwrap();
    assert_eq!(
        plan.directories,
        ["m", "m/k", "m/k/0", "m/k/1"].map(Path::new)
    );
    assert_eq!(
        value_paths(&plan),
        ["m/k/0/0", "m/k/0/1", "z"].map(Path::new)
    );
}

#[test]
fn named_elements_give_way_until_they_are_free() {
    let elements = vec![
        blob("s3://b/1", 0),
        int(5),
        blob("s3://b/x", 0),
        blob("s3://b/0_1.v", 0),
        blob("s3://b/y/x", 0),
        blob("s3://b/4_x", 0),
        union(blob("s3://b/x", 0)),
        blob("s3://b/z/0_1", 0),
    ];
    let plan = plan_in(map([("c", list(elements))]), Layout::NamedDir).unwrap();
    let names: Vec<&str> = plan
        .blobs
        .iter()
        .map(|blob| blob.path.to_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "c/0_1", "c/x", "c/0_1.v", "c/4_x", "c/5_4_x", "c/6", "c/7_0_1"
        ]
    );
    assert_eq!(value_paths(&plan), [Path::new("c/1")]);
}

#[test]
fn names_that_would_leave_the_directory_are_refused_together() {
    let names = map([
        ("", int(1)),
        ("..", int(1)),
        ("../x", int(1)),
        ("/abs", int(1)),
        ("a/b", int(1)),
        (
            "fine",
            literal::Value::Map(map([("nul\0", int(1)), ("ok", int(1))])).into(),
        ),
        ("inputs.json", int(1)),
        ("inputs.yaml", int(1)),
    ]);
    let problems = refused(names, Layout::Direct);
    let variables: Vec<&str> = problems
        .iter()
        .map(|problem| problem.variable.as_str())
        .collect();
    assert_eq!(
        variables,
        ["inputs.json", "", "..", "../x", "/abs", "a/b", "fine/nul\0"]
    );
}

#[test]
fn an_object_without_a_usable_name_gets_one() {
    for uri in ["s3://b/..", "s3://b/.", "s3://b", "https://h/?x=1"] {
        let plan = plan_in(map([("x", blob(uri, 0))]), Layout::NamedDir).unwrap();
        assert_eq!(plan.blobs[0].path, Path::new("x/data"), "{uri}");
        let elements = vec![blob(uri, 0), blob(uri, 0)];
        let plan = plan_in(map([("c", list(elements))]), Layout::NamedDir).unwrap();
        let paths: Vec<&Path> = plan.blobs.iter().map(|blob| &*blob.path).collect();
        assert_eq!(paths, ["c/data", "c/1_data"].map(Path::new), "{uri}");
    }
}

#[test]
fn elements_with_long_names_stay_apart() {
    let uri = format!("s3://b/{}.csv", "x".repeat(300));
    let plan = plan_in(map([("c", list(vec![blob(&uri, 0); 3]))]), Layout::NamedDir).unwrap();
    let names: Vec<&str> = { plan.blobs.iter() }
        .map(|blob| blob.path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert!(names[1].starts_with("1_x") && names[2].starts_with("2_x"));
    for name in names {
        let extension = Path::new(name).extension().unwrap();
        assert_eq!((name.len(), extension.to_str()), (255, Some("csv")));
    }
}

#[test]
fn elements_that_take_every_name_are_refused() {
    let taken = (0..40).map(|count| format!("s3://b/{}x", "41_".repeat(count)));
    let elements = taken.map(|uri| blob(&uri, 0));
    let elements = elements.chain([int(1), blob("s3://b/x", 0)]).collect();
    let problems = refused(map([("c", list(elements))]), Layout::NamedDir);
    assert!(
        matches!(&problems[..], [InputProblem { rule: InputRule::NoFreeName(uri), .. }] if uri == "s3://b/x"),
        "{problems:?}"
    );
}

#[test]
fn values_without_a_layout_are_refused_by_name() {
    let table = [
        (Literal::default(), "no value"),
        (literal::Value::Scalar(Box::default()).into(), "no value"),
        (scalar::Value::Union(Box::default()).into(), "no value"),
        (offloaded("s3://b/o"), "s3://b/o"),
        (blob("s3://b/k", 2), "dimensionality 2"),
        (blob("", 0), "reference is empty"),
    ];
    for (literal, words) in table {
        let message = plan_in(map([("odd", list(vec![literal]))]), Layout::Direct)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("\"odd/0\"") && message.contains(words),
            "{message}"
        );
    }
}

#[test]
fn a_thousand_problems_make_one_short_message() {
    let literals = (0..1_000)
        .map(|number| (format!("{}/{number}", "x".repeat(100_000)), int(1)))
        .collect();
    let error = plan_in(LiteralMap { literals }, Layout::Direct).unwrap_err();
    assert_eq!(error.0.count(), 1_000);
    assert!(error.to_string().len() < 10_000);
}

#[test]
fn names_that_differ_in_case_are_warned_of() {
    let plan = plan_in(
        map([("A", int(1)), ("a", int(2)), ("b", int(3))]),
        Layout::Direct,
    )
    .unwrap();
    assert_eq!(plan.warnings.count(), 1);
    assert!(plan.warnings.to_string().contains("\"A\" and \"a\""));
}

#[test]
fn the_directory_is_written_without_extra_slashes() {
    for (directory, uri) in [
        ("/in//x/./", "/in/x/f"),
        ("/", "/f"),
        ("rel", "rel/f"),
        (".", "f"),
    ] {
        let target = Target {
            directory: Path::new(directory),
            layout: Layout::Direct,
            metadata: MetadataFormat::Proto,
            data: Arrival::Before,
            binaries: &Binaries::default(),
        };
        let plan = plan(map([("f", blob("s3://b/k", 0))]), &target).unwrap();
        assert_eq!(plan.literals, map([("f", blob(uri, 0))]));
    }
}

#[test]
fn a_directory_that_no_message_can_hold_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let directory = Path::new(std::ffi::OsStr::from_bytes(b"/in/\xff"));
    let target = Target {
        directory,
        layout: Layout::Direct,
        metadata: MetadataFormat::Proto,
        data: Arrival::Before,
        binaries: &Binaries::default(),
    };
    assert!(
        plan(LiteralMap::default(), &target)
            .unwrap_err()
            .to_string()
            .contains("--to-local-dir")
    );
}

#[test]
fn more_levels_than_a_message_can_hold_are_refused() {
    let deep = (0..200).fold(int(1), |inner, _| list(vec![inner]));
    let problems = refused(map([("d", deep)]), Layout::Direct);
    assert!(matches!(
        problems[..],
        [InputProblem {
            rule: InputRule::TooDeep,
            ..
        }]
    ));
}

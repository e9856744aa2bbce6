mod python;
mod references;
mod so_far;
mod structs;
mod types;
mod unions;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::idl::blob_type::BlobDimensionality;
use crate::idl::{
    BlobType, LiteralMap, LiteralType, SimpleType, Variable, VariableEntry, VariableMap, literal,
    literal_type, primitive,
};
use crate::literal::render::{BinaryForm, Place, write_scalar};

/// A directory in memory: what is at each path, or the error of looking.
#[derive(Default)]
struct Fake(BTreeMap<PathBuf, Node>);

enum Node {
    File(Vec<u8>),
    /// Says it is shorter than it is.
    Grows(Vec<u8>),
    Directory,
    Pipe,
    Denied,
    /// Can be seen, and not be read.
    Locked,
}

impl Fake {
    fn new<const N: usize>(nodes: [(&str, Node); N]) -> Self {
        Self(
            nodes
                .into_iter()
                .map(|(path, node)| (path.into(), node))
                .collect(),
        )
    }
}

impl OutputView for Fake {
    fn root(&self) -> &Path {
        Path::new("/out")
    }

    fn stat(&self, path: &Path) -> io::Result<Option<OutputEntry>> {
        let entry = |kind, size: usize| {
            Ok(Some(OutputEntry {
                kind,
                size: size as u64,
            }))
        };
        match self.0.get(path) {
            None if self.0.keys().any(|key| key.starts_with(path)) => {
                entry(EntryKind::Directory, 4_096)
            }
            None => Ok(None),
            Some(Node::File(content)) => entry(EntryKind::File, content.len()),
            Some(Node::Grows(_) | Node::Locked) => entry(EntryKind::File, 1),
            Some(Node::Directory) => entry(EntryKind::Directory, 4_096),
            Some(Node::Pipe) => entry(EntryKind::Special("named pipe"), 0),
            Some(Node::Denied) => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }

    fn names(
        &self,
        directory: &Path,
        see: &mut dyn FnMut(&OsStr) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let beneath = self
            .0
            .keys()
            .filter_map(|path| path.strip_prefix(directory).ok()?.iter().next());
        let names: BTreeSet<&OsStr> = beneath.collect();
        let _ = names.into_iter().try_for_each(see);
        Ok(())
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        match self.0.get(path) {
            Some(Node::File(content) | Node::Grows(content)) => Ok(content
                .iter()
                .copied()
                .take(usize::try_from(limit).unwrap())
                .collect()),
            Some(Node::Locked) => Err(io::ErrorKind::PermissionDenied.into()),
            _ => Err(io::ErrorKind::IsADirectory.into()),
        }
    }
}

fn file(content: &str) -> Node {
    Node::File(content.as_bytes().to_vec())
}

fn simple(kind: SimpleType) -> literal_type::Type {
    literal_type::Type::Simple(kind as i32)
}

fn blob(dimensionality: BlobDimensionality) -> literal_type::Type {
    literal_type::Type::Blob(BlobType {
        format: "csv".to_owned(),
        dimensionality: dimensionality as i32,
    })
}

fn interface<const N: usize>(outputs: [(&str, literal_type::Type); N]) -> VariableMap {
    let entry = |(name, kind): (&str, _)| {
        let declared = LiteralType {
            r#type: Some(kind),
            ..LiteralType::default()
        };
        let variable = Variable {
            r#type: Some(declared),
            description: String::new(),
        };
        VariableEntry {
            key: name.to_owned(),
            value: Some(variable),
        }
    };
    VariableMap {
        variables: outputs.into_iter().map(entry).collect(),
    }
}

fn run(outputs: &VariableMap, view: &Fake) -> Result<OutputPlan, OutputError> {
    plan(outputs, view, OutputOptions::default(), |segments| {
        format!("s3://b/raw/{}", segments.join("/"))
    })
}

fn refused(outputs: &VariableMap, view: &Fake) -> String {
    run(outputs, view).unwrap_err().to_string()
}

#[test]
fn every_output_that_fails_is_named() {
    let outputs = interface([
        ("gone", simple(SimpleType::String)),
        ("wrong", simple(SimpleType::Integer)),
        ("fine", simple(SimpleType::Integer)),
        ("list", literal_type::Type::CollectionType(Box::default())),
        ("../up", simple(SimpleType::String)),
    ]);
    let view = Fake::new([
        ("wrong", file("12\r\n")),
        ("fine", file("12\n")),
        ("list", Node::Directory),
    ]);
    let error = run(&outputs, &view).unwrap_err();
    let variables: Vec<&str> = error
        .0
        .kept()
        .iter()
        .map(|problem| problem.variable.as_str())
        .collect();
    assert_eq!(variables, ["../up", "gone", "list", "wrong"]);
    let message = error.to_string();
    for words in [
        "/out/gone",
        "list of a type that is not set",
        "12\\r",
        "carriage return",
    ] {
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn an_extension_is_found_if_it_is_the_only_one() {
    let outputs = interface([("o", blob(BlobDimensionality::Single))]);
    let view = Fake::new([
        ("o.csv", file("1")),
        ("other", file("")),
        ("op.csv", file("")),
    ]);
    let plan = run(&outputs, &view).unwrap();
    assert_eq!(plan.blobs[0].path, Path::new("o.csv"));
    assert_eq!(plan.blobs[0].remote, ["o.csv"]);

    let view = Fake::new([("o", file("0")), ("o.csv", file("1"))]);
    assert_eq!(run(&outputs, &view).unwrap().blobs[0].path, Path::new("o"));

    let view = Fake::new([("o.csv", file("1")), ("o.txt", file("1"))]);
    let message = refused(&outputs, &view);
    assert!(
        message.contains("o.csv, o.txt") && message.contains("ambiguous"),
        "{message}"
    );
}

#[test]
fn a_pattern_in_a_name_is_only_a_name() {
    let outputs = interface([
        ("a[b", simple(SimpleType::String)),
        ("*", simple(SimpleType::String)),
    ]);
    let view = Fake::new([("a[b.txt", file("x")), ("*.txt", file("y"))]);
    let plan = run(&outputs, &view).unwrap();
    let expected = ["*", "a[b"].into_iter().zip(["y", "x"]);
    let literals = expected.map(|(name, text)| {
        (
            name.to_owned(),
            primitive::Value::StringValue(text.to_owned()).into(),
        )
    });
    assert_eq!(
        plan.literals,
        LiteralMap {
            literals: literals.collect()
        }
    );
}

#[test]
fn a_name_that_no_reference_can_hold_is_refused() {
    let outputs = interface([("o", blob(BlobDimensionality::Single))]);
    let mut view = Fake::default();
    view.0
        .insert(OsString::from_vec(b"o.\xff".to_vec()).into(), file("1"));
    assert!(refused(&outputs, &view).contains("/out/o.\u{fffd}"));
}

#[test]
fn kinds_must_be_what_is_declared() {
    let table = [
        (
            blob(BlobDimensionality::Single),
            Node::Directory,
            "its type is file, but /out/o is a directory",
        ),
        (
            blob(BlobDimensionality::Multipart),
            file("1"),
            "its type is directory, but /out/o is a file",
        ),
        (
            blob(BlobDimensionality::Multipart),
            Node::Pipe,
            "/out/o is a named pipe",
        ),
        (
            blob(BlobDimensionality::Single),
            Node::Pipe,
            "/out/o is a named pipe",
        ),
        (
            simple(SimpleType::None),
            Node::Directory,
            "its type is none, but /out/o is a directory",
        ),
        (
            simple(SimpleType::String),
            Node::Pipe,
            "/out/o is a named pipe",
        ),
        (simple(SimpleType::String), Node::Denied, "fsGroup"),
        (
            literal_type::Type::Simple(42),
            file("1"),
            "simple type 42 is not supported",
        ),
    ];
    for (declared, node, words) in table {
        let message = refused(&interface([("o", declared)]), &Fake::new([("o", node)]));
        assert!(
            message.contains(words) && message.contains("\"o\""),
            "{message}"
        );
    }
}

#[test]
fn the_limit_counts_for_the_file_and_for_what_is_read() {
    let outputs = interface([("o", simple(SimpleType::Binary))]);
    let limit = usize::try_from(OutputOptions::default().max_simple_size).unwrap();
    assert!(run(&outputs, &Fake::new([("o", Node::File(vec![0; limit]))])).is_ok());
    for node in [
        Node::File(vec![0; limit + 1]),
        Node::Grows(vec![0; limit + 1]),
    ] {
        let message = refused(&outputs, &Fake::new([("o", node)]));
        assert!(
            message.contains("1048577 bytes") && message.contains("--max-simple-size"),
            "{message}"
        );
    }
}

#[test]
fn a_long_text_does_not_make_a_long_message() {
    let long = "x".repeat(1 << 20);
    for kind in [
        SimpleType::Integer,
        SimpleType::Float,
        SimpleType::Boolean,
        SimpleType::Datetime,
        SimpleType::Duration,
        SimpleType::Struct,
    ] {
        let message = refused(
            &interface([("o", simple(kind))]),
            &Fake::new([("o", file(&long))]),
        );
        assert!(
            message.len() < 1_000 && message.contains("(1048576 bytes)"),
            "{message:.2000}"
        );
    }
    let view = Fake::new([("o", Node::File(vec![0xff; 1 << 20]))]);
    assert!(refused(&interface([("o", simple(SimpleType::String))]), &view).len() < 1_000);
}

#[test]
fn what_cannot_be_seen_is_hinted_at() {
    let outputs = interface([("o", simple(SimpleType::Integer))]);
    assert!(refused(&outputs, &Fake::new([("o", file("\u{feff}12"))])).contains("byte order mark"));
    assert!(refused(&outputs, &Fake::new([("o", file("12\r\n"))])).contains("carriage return"));
}

#[test]
fn an_error_file_is_reported_as_it_is() {
    let text = |node| {
        user_error(&Fake::new([("_ERROR", node)])).map(|error| error.map(|error| error.to_string()))
    };
    assert_eq!(user_error(&Fake::default()).unwrap(), None);
    assert_eq!(
        text(file(" it broke\n")).unwrap().unwrap(),
        "User Error:  it broke\n"
    );
    assert_eq!(
        text(Node::File(b"\xff".to_vec())).unwrap().unwrap(),
        "User Error: \u{fffd}"
    );
    let large = text(Node::File(vec![b'x'; (1 << 20) + 1]))
        .unwrap()
        .unwrap();
    assert!(
        large.contains("too large: 1048577 bytes")
            && large.ends_with("xxx")
            && large.len() < 20_000
    );
    assert!(
        text(Node::Directory)
            .unwrap_err()
            .to_string()
            .contains("/out/_ERROR is a directory")
    );
    assert!(
        text(Node::Pipe)
            .unwrap_err()
            .to_string()
            .contains("named pipe")
    );
    assert!(text(Node::Denied).is_err());
}

proptest! {
    #[test]
    fn any_content_is_a_literal_or_an_error(kind in 0..11_i32, content: Vec<u8>) {
        let outputs = interface([("o", literal_type::Type::Simple(kind))]);
        let _ = run(&outputs, &Fake::new([("o", Node::File(content))]));
    }

    #[test]
    fn binary_keeps_every_byte(content: Vec<u8>) {
        let outputs = interface([("o", simple(SimpleType::Binary))]);
        let plan = run(&outputs, &Fake::new([("o", Node::File(content.clone()))])).unwrap();
        let mut file = Vec::new();
        let declared = outputs.types().remove("o").unwrap();
        let place = Place::unknown(BinaryForm::Json).of(Some(&declared));
        let scalar = match &plan.literals.literals["o"].value {
            Some(crate::idl::literal::Value::Scalar(scalar)) => scalar,
            other => panic!("{other:?}"),
        };
        write_scalar(scalar, place, &mut file).unwrap();
        prop_assert_eq!(file, content);
    }
}

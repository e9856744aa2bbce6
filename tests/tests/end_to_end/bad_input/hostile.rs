//! Hostile inputs.

use std::fs::File;
use std::process::Command;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{
    BlobType, Literal, LiteralCollection, LiteralMap, LiteralOffloadedMetadata, Message as _,
    literal, primitive, scalar,
};
use copilot_tests::binary;
use copilot_tests::task::{INPUTS, Task, blob, files};

use super::outlook::{Bad, REPORTED, REPORTED_FOR_GOOD, check_all};

fn of(task: &Task, name: &str, literal: Literal) -> Command {
    task.put_inputs([(name, literal)]);
    task.download()
}

fn integer() -> Literal {
    primitive::Value::Integer(1).into()
}

fn list(literals: Vec<Literal>) -> Literal {
    literal::Value::Collection(LiteralCollection { literals }).into()
}

fn offloaded(uri: &str) -> Literal {
    let metadata = LiteralOffloadedMetadata {
        uri: uri.to_owned(),
        ..LiteralOffloadedMetadata::default()
    };
    literal::Value::OffloadedMetadata(Box::new(metadata)).into()
}

/// A blob with a dimensionality that does not exist.
fn odd_blob() -> Literal {
    let mut value = blob("s3://data/x", Single);
    if let Some(literal::Value::Scalar(found)) = &mut value.value
        && let Some(scalar::Value::Blob(found)) = &mut found.value
        && let Some(metadata) = &mut found.metadata
    {
        metadata.r#type = Some(BlobType {
            dimensionality: 7,
            ..BlobType::default()
        });
    }
    value
}

/// A message that is cut off: it claims to be a megabyte long, but only the first bytes are there.
fn long(length: usize) -> String {
    "n".repeat(length)
}

const TABLE: &[Bad] = &[
    Bad {
        what: "inputs that are cut",
        arrange: |task| {
            let map = LiteralMap {
                literals: [("n".to_owned(), integer())].into(),
            };
            let bytes = map.encode_to_vec();
            task.put("task/inputs.pb", &bytes[..bytes.len() - 1]);
            task.download()
        },
        code: REPORTED,
        says: &[INPUTS, "LiteralMap", "buffer underflow"],
    },
    Bad {
        what: "inputs that nest without end",
        arrange: |task| {
            let deep = (0..200).fold(integer(), |inner, _| list(vec![inner]));
            of(task, "n", deep)
        },
        code: REPORTED,
        says: &[INPUTS, "LiteralMap", "recursion limit"],
    },
    Bad {
        what: "inputs without end",
        arrange: |task| {
            task.put("task/inputs.pb", "");
            let path = task.site.server.file("data", "task/inputs.pb");
            let file = File::options().write(true).open(path).unwrap();
            file.set_len(65 << 20).unwrap();
            task.download()
        },
        code: REPORTED_FOR_GOOD,
        says: &[
            INPUTS,
            "65.000000 MiB > 64 MiB",
            "store large values as files",
        ],
    },
    Bad {
        what: "more values than memory holds",
        arrange: |task| {
            let many = list(vec![Literal::default(); 2_000_001]);
            of(task, "n", many)
        },
        code: REPORTED,
        says: &[INPUTS, "more than 2000000 values", "store it as a file"],
    },
    Bad {
        what: "a name of a megabyte",
        arrange: |task| of(task, &long(1 << 20), integer()),
        code: REPORTED,
        says: &[
            "input \"nnn",
            "… (1048576 bytes)",
            "a file name has at most 255",
            "rename it",
        ],
    },
    Bad {
        what: "names that are too long together",
        arrange: |task| {
            let deep = (0..20).fold(integer(), |inner, _| {
                let literals = [(long(255), inner)].into();
                literal::Value::Map(LiteralMap { literals }).into()
            });
            of(task, "n", deep)
        },
        code: REPORTED,
        says: &["input \"n/nnn", "a path has at most 4095", "shorter names"],
    },
    Bad {
        what: "a reference of a megabyte",
        arrange: |task| {
            let uri = format!("s3://data/{}", long(1 << 20));
            of(task, "b", blob(&uri, Single))
        },
        code: REPORTED_FOR_GOOD,
        says: &[
            "input \"b\"",
            "s3://data/nnn",
            "a key of more than 1024 bytes",
        ],
    },
    Bad {
        what: "a prefix of a megabyte",
        arrange: |task| {
            let uri = format!("s3://data/{}", long(1 << 20));
            of(task, "b", blob(&uri, Multipart))
        },
        code: REPORTED_FOR_GOOD,
        says: &[
            "input \"b\"",
            "s3://data/nnn",
            "a key of more than 1024 bytes",
        ],
    },
    Bad {
        what: "a value of no kind",
        arrange: |task| of(task, "n", list(vec![integer(), Literal::default()])),
        code: REPORTED,
        says: &[
            "input \"n/1\"",
            "no value of a known kind",
            "newer platform",
        ],
    },
    Bad {
        what: "a blob of an unknown kind",
        arrange: |task| of(task, "b", odd_blob()),
        code: REPORTED,
        says: &["input \"b\"", "unknown dimensionality 7", "MULTIPART"],
    },
    Bad {
        what: "a blob of nothing",
        arrange: |task| of(task, "b", blob("", Single)),
        code: REPORTED,
        says: &["input \"b\"", "reference is empty"],
    },
    Bad {
        what: "an offloaded literal that is itself",
        arrange: |task| {
            task.put(
                "task/self",
                offloaded("s3://data/task/self").encode_to_vec(),
            );
            of(task, "n", offloaded("s3://data/task/self"))
        },
        code: REPORTED,
        says: &[
            "variable \"n\"",
            "s3://data/task/self",
            "more than 8 levels",
        ],
    },
    Bad {
        what: "an offloaded literal that is not a literal",
        arrange: |task| {
            task.put("task/garbage", "hello");
            of(task, "n", offloaded("s3://data/task/garbage"))
        },
        code: REPORTED,
        says: &["variable \"n\"", "s3://data/task/garbage", "cannot be read"],
    },
    Bad {
        what: "an offloaded literal that is not there",
        arrange: |task| of(task, "n", offloaded("s3://data/task/nothing")),
        code: REPORTED,
        says: &["input \"n\"", "s3://data/task/nothing", "does not exist"],
    },
];

#[test]
fn downloads() {
    check_all(TABLE, "InputDownloadFailed");
}

/// The last member of a oneof is used, as everywhere in protobuf; messages of the same field are merged.
#[test]
fn members_that_are_repeated() {
    let task = Task::start().unwrap();
    let text: Literal = primitive::Value::StringValue("first".to_owned()).into();
    let twice = [text.encode_to_vec(), integer().encode_to_vec()].concat();
    // LiteralMap { literals: { key: "n", value: <both> } }
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
    let entry = [&[0x0a, 1, b'n', 0x12, length(&twice)], &twice[..]].concat();
    let map = [&[0x0a, length(&entry)], &entry[..]].concat();
    task.put("task/inputs.pb", map);
    let ended = binary::run(&mut task.download());
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let left = files(&task.inputs_dir());
    assert_eq!(left["n"], b"1");
    assert_eq!(left["inputs.json"], br#"{"n":1}"#);
}

#[test]
fn names_that_differ_in_case_only() {
    let task = Task::start().unwrap();
    task.put("task/in/a/File", "1");
    task.put("task/in/a/file", "2");
    task.put_inputs([
        ("data", integer()),
        ("Data", integer()),
        ("in", blob("s3://data/task/in", Multipart)),
    ]);
    let ended = binary::run(&mut task.download());
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    for words in [
        r#"the inputs \"Data\" and \"data\" differ in case only"#,
        "differs from this one only in case",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    let left = files(&task.inputs_dir());
    assert_eq!((&*left["data"], &*left["Data"]), (&b"1"[..], &b"1"[..]));
    assert_eq!(
        (&*left["in/a/File"], &*left["in/a/file"]),
        (&b"1"[..], &b"2"[..])
    );
}

//! Binary scalars: what is shown as a value, where, and what stays bytes.

use super::*;
use crate::idl::literal_type::Type;
use crate::idl::{Binary, LiteralType, SchemaType, SimpleType, StructuredDatasetType, UnionType};
use crate::literal::msgpack;
use crate::literal::render::{BinaryForm, MetadataFile};

fn tagged(value: &[u8], tag: &str) -> Literal {
    scalar::Value::Binary(Binary {
        value: value.to_vec().into(),
        tag: tag.to_owned(),
    })
    .into()
}

fn packed(value: &[u8]) -> Literal {
    tagged(value, "msgpack")
}

fn kind(kind: Type) -> LiteralType {
    LiteralType {
        r#type: Some(kind),
        ..LiteralType::default()
    }
}

fn simple(simple: SimpleType) -> LiteralType {
    kind(Type::Simple(simple.into()))
}

fn optional(declared: LiteralType) -> LiteralType {
    let variants = vec![declared, simple(SimpleType::None)];
    kind(Type::UnionType(UnionType { variants }))
}

/// The plan with these types, its files, and `inputs.json`.
fn laid(
    literals: &LiteralMap,
    form: BinaryForm,
    types: Vec<(&str, LiteralType)>,
) -> (InputPlan, Vec<(String, Vec<u8>)>, String) {
    let types = types.into_iter();
    let binaries = Binaries {
        form,
        types: types
            .map(|(name, declared)| (name.to_owned(), declared))
            .collect(),
    };
    let target = Target {
        directory: Path::new("/in"),
        layout: Layout::Direct,
        metadata: MetadataFormat::Json,
        data: Arrival::Before,
        binaries: &binaries,
    };
    let plan = plan(literals.clone(), &target).unwrap();
    let files = plan.values().map(|value| {
        let mut content = Vec::new();
        value.write_to(&mut content).unwrap();
        (value.path.to_str().unwrap().to_owned(), content)
    });
    let files = files.collect();
    let mut json = Vec::new();
    MetadataFile::Json
        .write(&plan.literals, &plan.binaries, &mut json)
        .unwrap();
    (plan, files, String::from_utf8(json).unwrap())
}

fn lone(value: &[u8], declared: Option<LiteralType>) -> (String, String) {
    let types = declared.map(|declared| ("x", declared));
    let (plan, files, json) = laid(
        &map([("x", packed(value))]),
        BinaryForm::Json,
        types.into_iter().collect(),
    );
    assert_eq!(plan.warnings.count(), 0, "{}", plan.warnings);
    let file = String::from_utf8(files[0].1.clone()).unwrap();
    (file, json)
}

#[test]
fn a_lone_value_has_the_file_of_its_type() {
    for (value, file, json) in [
        (&b"\x2a"[..], "42", "42"),
        (b"\xe0", "-32", "-32"),
        (
            b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            "18446744073709551615",
            "18446744073709551615",
        ),
        (b"\xa3bob", "bob", r#""bob""#),
        (b"\xa0", "", r#""""#),
        (b"\xc3", "true", "true"),
        (b"\xc2", "false", "false"),
        (b"\xc0", "null", "null"),
        (b"\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", "0.1", "0.1"),
        // The file of a float as ours; JSON keeps that it is one.
        (b"\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", "1", "1.0"),
        (b"\xcb\x80\x00\x00\x00\x00\x00\x00\x00", "-0", "-0.0"),
        (
            b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00",
            "+Inf",
            r#""Infinity""#,
        ),
        (b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", "NaN", r#""NaN""#),
        (b"\x92\x01\xa1<", "[1,\"\\u003c\"]", "[1,\"\\u003c\"]"),
        (
            b"\x82\xa1b\xcb\x40\x00\x00\x00\x00\x00\x00\x00\xa1a\x90",
            r#"{"a":[],"b":2.0}"#,
            r#"{"a":[],"b":2.0}"#,
        ),
        (b"\x80", "{}", "{}"),
    ] {
        assert_eq!(
            lone(value, None),
            (file.to_owned(), format!(r#"{{"x":{json}}}"#)),
            "{value:?}"
        );
    }
}

#[test]
fn the_declared_type_counts_where_it_is_known() {
    use SimpleType::{Binary, Datetime, Duration, Float, Integer, Struct};
    let hour_and_a_half = b"\xcb\x40\xb5\x18\x00\x00\x00\x00\x00";
    let time = b"\xb92021-03-04T05:06:07+02:00";
    for (value, declared, file, json) in [
        (&b"\xa1*"[..], Binary, "\u{a1}*", r#""oSo=""#),
        (hour_and_a_half, Duration, "1h30m0s", "5400000000000"),
        (b"\xcd\x15\x18", Duration, "1h30m0s", "5400000000000"),
        (b"\xa11", Duration, "1", r#""1""#),
        (
            time,
            Datetime,
            "2021-03-04T03:06:07Z",
            r#""2021-03-04T03:06:07Z""#,
        ),
        (
            b"\xba2021-03-04T05:06:07.123456",
            Datetime,
            "2021-03-04T05:06:07.123456Z",
            r#""2021-03-04T05:06:07.123456Z""#,
        ),
        (
            b"\xaa2021-03-04",
            Datetime,
            "2021-03-04T00:00:00Z",
            r#""2021-03-04T00:00:00Z""#,
        ),
        (b"\xa4soon", Datetime, "soon", r#""soon""#),
        // A model of a single text: as JSON, like every struct.
        (b"\xa3bob", Struct, r#""bob""#, r#""bob""#),
        (b"\x03", Float, "3", "3"),
        (b"\xcb\x40\x45\x00\x00\x00\x00\x00\x00", Integer, "42", "42"),
        (
            b"\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00",
            Integer,
            "0.5",
            "0.5",
        ),
        (b"\xa17", Integer, "7", r#""7""#),
    ] {
        let expected_json = format!(r#"{{"x":{json}}}"#);
        for declared in [simple(declared), optional(simple(declared))] {
            let types = vec![("x", declared)];
            let (plan, files, json) = laid(&map([("x", packed(value))]), BinaryForm::Json, types);
            assert_eq!(plan.warnings.count(), 0, "{}", plan.warnings);
            let latin: String = files[0].1.iter().map(|byte| char::from(*byte)).collect();
            assert_eq!((latin.as_str(), &json), (file, &expected_json), "{value:?}");
        }
    }
}

#[test]
fn values_are_shown_at_every_place() {
    let stored = Union {
        value: Some(Box::new(packed(b"\x81\xa1k\x05"))),
        r#type: Some(simple(SimpleType::Struct)),
    };
    let raw = Union {
        value: Some(Box::new(packed(b"\x07"))),
        r#type: Some(simple(SimpleType::Binary)),
    };
    let inner = map([
        ("k", packed(b"\xa1v")),
        ("list", list(vec![packed(b"\x2a")])),
    ]);
    let literals = map([
        (
            "list",
            list(vec![packed(b"\x81\xa1a\x01"), packed(b"\x02"), int(3)]),
        ),
        ("map", literal::Value::Map(inner).into()),
        ("maybe", scalar::Value::Union(Box::new(stored)).into()),
        ("raw", scalar::Value::Union(Box::new(raw)).into()),
        ("raws", list(vec![packed(b"\x07")])),
        ("tagged", tagged(b"\x2a", "other")),
        ("untagged", tagged(b"\x2a", "")),
    ]);
    let raws = kind(Type::CollectionType(Box::new(simple(SimpleType::Binary))));
    let (plan, files, json) = laid(&literals, BinaryForm::Json, vec![("raws", raws)]);
    assert_eq!(
        json,
        r#"{"list":[{"a":1},2,3],"map":{"k":"v","list":[42]},"maybe":{"k":5},"raw":"Bw==","raws":["Bw=="],"tagged":"Kg==","untagged":"Kg=="}"#
    );
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, content)| (path.as_str(), &content[..]))
        .collect();
    let expected: [(&str, &[u8]); 10] = [
        ("list/0", br#"{"a":1}"#),
        ("list/1", b"2"),
        ("list/2", b"3"),
        ("map/k", b"v"),
        ("map/list/0", b"42"),
        ("maybe", br#"{"k":5}"#),
        ("raw", b"\x07"),
        ("raws/0", b"\x07"),
        ("tagged", b"*"),
        ("untagged", b"*"),
    ];
    assert_eq!(files, expected);
    assert_eq!(plan.warnings.count(), 0, "{}", plan.warnings);
    // `inputs.pb` stays as it came.
    assert_eq!(plan.literals, literals);
}

#[test]
fn members_that_refer_to_data_are_fetched() {
    let member = |name: &str, uri: &str| {
        let object = serde_json::json!({ name: uri, "file_format": "csv" });
        packed(&msgpack::encode(&object).unwrap())
    };
    let declared_blob = |dimensionality| {
        kind(Type::Blob(BlobType {
            format: "csv".to_owned(),
            dimensionality,
        }))
    };
    let dataset = kind(Type::StructuredDatasetType(StructuredDatasetType::default()));
    let types = || {
        vec![
            ("directory", declared_blob(1)),
            ("file", optional(declared_blob(0))),
            (
                "files",
                kind(Type::CollectionType(Box::new(declared_blob(0)))),
            ),
            ("rows", dataset.clone()),
            ("table", kind(Type::Schema(SchemaType::default()))),
            ("text", declared_blob(0)),
        ]
    };
    let literals = map([
        ("directory", member("path", "s3://b/tree")),
        ("file", member("path", "s3://b/k")),
        ("files", list(vec![member("path", "s3://b/0")])),
        ("rows", member("uri", "s3://b/rows")),
        ("table", member("remote_path", "s3://b/table")),
        ("text", packed(b"\xa3bob")),
        ("untyped", member("path", "s3://b/x")),
    ]);
    let (plan, files, json) = laid(&literals, BinaryForm::Json, types());
    assert_eq!(
        blob_paths(&plan),
        [
            ("directory", "s3://b/tree"),
            ("file", "s3://b/k"),
            ("files/0", "s3://b/0"),
            ("rows", "s3://b/rows"),
            ("table", "s3://b/table"),
        ]
    );
    let files: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(files, ["text", "untyped"]);
    assert_eq!(
        json,
        r#"{"directory":"/in/directory","file":"/in/file","files":["/in/files/0"],"rows":"/in/rows","table":"/in/table","text":"bob","untyped":{"file_format":"csv","path":"s3://b/x"}}"#
    );
    assert_eq!(plan.literals.literals["file"], blob("/in/file", 0));
    let Some(literal::Value::Scalar(rows)) = &plan.literals.literals["rows"].value else {
        panic!()
    };
    let Some(scalar::Value::StructuredDataset(rows)) = &rows.value else {
        panic!()
    };
    let metadata = rows.metadata.clone().unwrap();
    assert_eq!(metadata.structured_dataset_type.unwrap().format, "csv");
    let (plan, files, _) = laid(&literals, BinaryForm::Reference, types());
    assert!(plan.blobs.is_empty());
    assert_eq!(files.len(), 7);
}

#[test]
fn what_cannot_be_decoded_stays_bytes_and_says_why() {
    let table = [
        ("bytes", &b"\x81\xa1a\xc4\x01x"[..], "holds bytes"),
        ("cut", b"\x92\x01", "ends before"),
        ("empty", b"", "is empty"),
        ("extension", b"\xd6\xff\x00\x00\x00\x00", "extension type"),
        ("nan", b"\x91\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", "NaN"),
        ("trailing", b"\x2a\x2a", "1 bytes follow"),
        ("twice", b"\x82\xa11\xc0\x01\xc0", "\"1\""),
        ("utf8", b"\xa1\xff", "not UTF-8"),
    ];
    let literals = LiteralMap {
        literals: table
            .iter()
            .map(|(name, value, _)| ((*name).to_owned(), packed(value)))
            .collect(),
    };
    let (plan, files, json) = laid(&literals, BinaryForm::Json, Vec::new());
    let (_, as_reference, reference_json) = laid(&literals, BinaryForm::Reference, Vec::new());
    assert_eq!((&files, &json), (&as_reference, &reference_json));
    assert!(
        json.contains(r#""empty":null"#) && json.contains(r#""trailing":"Kio=""#),
        "{json}"
    );
    assert_eq!(plan.warnings.count(), table.len());
    for ((name, value, why), ((path, content), warning)) in
        table.iter().zip(files.iter().zip(plan.warnings.kept()))
    {
        assert_eq!((name, value), (&path.as_str(), &&content[..]));
        assert!(
            warning.contains(&format!("{name:?}")) && warning.contains(why),
            "{warning}"
        );
    }
}

#[test]
fn the_reference_s_form_is_bytes_everywhere() {
    let literals = map([
        ("l", list(vec![packed(b"\x2a")])),
        ("x", packed(b"\x81\xa1a\x01")),
    ]);
    let types = vec![("x", simple(SimpleType::Struct))];
    let (plan, files, json) = laid(&literals, BinaryForm::Reference, types);
    assert_eq!(json, r#"{"l":["Kg=="],"x":"gaFhAQ=="}"#);
    assert_eq!(files[1].1, b"\x81\xa1a\x01");
    assert_eq!(plan.warnings.count(), 0);
}

#[test]
fn floats_stay_floats_in_yaml() {
    let list = b"\x93\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\xcb\x44\x4b\x1a\xe4\xd6\xe2\xef\x50\x01";
    let (plan, _, _) = laid(&map([("x", packed(list))]), BinaryForm::Json, Vec::new());
    let mut yaml = Vec::new();
    MetadataFile::Yaml
        .write(&plan.literals, &plan.binaries, &mut yaml)
        .unwrap();
    assert_eq!(
        String::from_utf8(yaml).unwrap(),
        "x:\n- 1.0\n- 1.0e+21\n- 1\n"
    );
}

//! Forms that programs in Python write without thinking, and places where flytekit looks.

use super::types::{list_of, read, refusal};
use super::*;
use crate::idl::literal_type::Type;
use crate::idl::{StructuredDatasetType, scalar};
use crate::literal::datetime;

/// The datetimes that a list in this file holds, as text; or the message.
fn datetimes(name: &str, content: &str) -> Vec<String> {
    let declared = list_of(simple(SimpleType::Datetime));
    let literal = read(declared, &Fake::new([(name, file(content))]));
    let Some(literal::Value::Collection(list)) = literal.value else {
        panic!("{literal:?}");
    };
    let times = list
        .literals
        .into_iter()
        .map(|literal| match literal.value {
            Some(literal::Value::Scalar(scalar)) => match scalar.value {
                Some(scalar::Value::Primitive(primitive)) => match primitive.value {
                    Some(primitive::Value::Datetime(time)) => datetime::format(&time),
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        });
    times.collect()
}

#[test]
fn members_are_dates_and_times_as_isoformat_writes_them() {
    let json = r#"["2021-03-04", "2021-03-04T05:06:07", "2021-03-04 05:06:07.123456", "2021-03-04T05:06:07+02:00"]"#;
    let yaml = "- 2021-03-04\n- 2021-03-04T05:06:07\n- 2021-03-04 05:06:07.123456\n- '2021-03-04T05:06:07+02:00'\n";
    for (name, content) in [("o.json", json), ("o.yaml", yaml)] {
        assert_eq!(
            datetimes(name, content),
            [
                "2021-03-04T00:00:00Z",
                "2021-03-04T05:06:07Z",
                "2021-03-04T05:06:07.123456Z",
                "2021-03-04T03:06:07Z",
            ],
            "{name}"
        );
    }
    let message = refusal(
        list_of(simple(SimpleType::Datetime)),
        &Fake::new([("o.json", file(r#"["2021-02-30"]"#))]),
    );
    assert!(message.contains("$[0]"), "{message}");
}

/// The recorded answers refuse them, so the message says what to write.
#[test]
fn a_file_of_a_date_alone_is_told_what_to_write() {
    for (content, words) in [
        ("2021-03-04\n", "write 2021-03-04T00:00:00Z"),
        ("2021-03-04T05:06:07", "write 2021-03-04T05:06:07Z"),
        ("2021-03-04 05:06:07Z", "write for example"),
    ] {
        let message = refusal(
            simple(SimpleType::Datetime),
            &Fake::new([("o", file(content))]),
        );
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_csv_file_lies_where_flytekit_looks_for_it() {
    for (format, name, remote) in [
        ("csv", "o", "o/.csv"),
        ("csv", "o.txt", "o.txt/.csv"),
        ("", "o.csv", "o.csv/.csv"),
        ("parquet", "o.csv", "o.csv"),
        ("", "o.parquet", "o.parquet"),
    ] {
        let declared = Type::StructuredDatasetType(StructuredDatasetType {
            format: format.to_owned(),
            ..StructuredDatasetType::default()
        });
        let view = Fake::new([(name, file("a\n1\n"))]);
        let outputs = interface([("o", declared)]);
        let options = OutputOptions::default();
        let plan = plan(&outputs, &view, options, |names| names.join("/")).unwrap();
        assert_eq!(plan.blobs[0].remote.join("/"), remote);
        let Some(literal::Value::Scalar(scalar)) = plan.literals.literals["o"].value.clone() else {
            panic!();
        };
        let Some(scalar::Value::StructuredDataset(dataset)) = scalar.value else {
            panic!();
        };
        assert_eq!(dataset.uri, name);
    }
    // A directory stays as it is.
    let declared = Type::StructuredDatasetType(StructuredDatasetType {
        format: "csv".to_owned(),
        ..StructuredDatasetType::default()
    });
    let outputs = interface([("o", declared)]);
    let view = Fake::new([("o/part-0.csv", file("a\n"))]);
    let plan = plan(&outputs, &view, OutputOptions::default(), |names| {
        names.join("/")
    })
    .unwrap();
    assert_eq!(plan.blobs[0].remote, ["o"]);
}

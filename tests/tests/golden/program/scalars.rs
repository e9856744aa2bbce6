//! Simple outputs: the rows of `upload/scalars.json` as outputs of tasks. All rows that the reference
//! accepts are in one task; each row that it refuses has its own task.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{SimpleType, decode_literal, literal_type};
use copilot_tests::binary;
use copilot_tests::task::{Task, interface};
use serde_json::Value;

use crate::case::root;

struct Row {
    declared: literal_type::Type,
    content: Vec<u8>,
    /// The literal as text; `None` if it is refused.
    literal: Option<String>,
    deviates: bool,
}

fn rows() -> Vec<Row> {
    let text = fs::read(root().join("upload/scalars.json")).unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let decode = |text: &Value| BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap();
    let read = |row: &Value| Row {
        declared: literal_type::Type::Simple(match row["type"].as_str() {
            Some(name) => SimpleType::from_str_name(name).unwrap().into(),
            None => i32::try_from(row["type"].as_i64().unwrap()).unwrap(),
        }),
        content: decode(&row["text_base64"]),
        literal: row
            .get("literal_pb_base64")
            .map(|text| format!("{:?}", decode_literal(&decode(text)[..]).unwrap())),
        deviates: row.get("deviate").is_some(),
    };
    rows.iter().map(read).collect()
}

#[test]
fn what_the_reference_accepts() {
    let task = Task::start().unwrap();
    let rows: Vec<(String, Row)> = rows()
        .into_iter()
        .filter(|row| row.literal.is_some())
        .enumerate()
        .map(|(index, row)| (format!("v{index}"), row))
        .collect();
    for (name, row) in &rows {
        task.write_output(name, &row.content);
    }
    let declared = rows
        .iter()
        .map(|(name, row)| (name.as_str(), row.declared.clone()));
    let ended = binary::run(&mut task.sidecar(&interface(declared)));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let outputs = task.outputs().unwrap();
    assert_eq!(outputs.literals.len(), rows.len());
    for (name, row) in &rows {
        let got = &outputs.literals[name];
        if row.deviates {
            // The only difference: Copilot does not trim binary data.
            let binary = copilot::idl::Binary {
                value: row.content.clone().into(),
                tag: "msgpack".to_owned(),
            };
            assert_eq!(*got, copilot::idl::scalar::Value::Binary(binary).into());
        } else {
            let content = String::from_utf8_lossy(&row.content);
            assert_eq!(Some(format!("{got:?}")), row.literal, "{content:?}");
        }
    }
}

#[test]
fn what_the_reference_refuses() {
    let task = Task::start().unwrap();
    let refused: Vec<Row> = rows()
        .into_iter()
        .filter(|row| row.literal.is_none())
        .collect();
    assert!(refused.len() > 40, "only {} rows", refused.len());
    let path = task.outputs_dir().join("x");
    for row in refused {
        fs::write(&path, &row.content).unwrap();
        let ended = binary::run(&mut task.sidecar(&interface([("x", row.declared.clone())])));
        let shown = String::from_utf8_lossy(&row.content);
        assert_eq!(
            ended.code(),
            1,
            "{shown:?} as {:?}: {}",
            row.declared,
            ended.stderr
        );
        let document = task.document("error.pb").unwrap();
        assert_eq!(document.code, "OutputUploadFailed");
        assert!(document.message.contains("\"x\""), "{}", document.message);
        assert_eq!(task.outputs(), None, "{shown:?}");
    }
}

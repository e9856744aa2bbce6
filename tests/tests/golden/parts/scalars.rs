//! Simple outputs: every row of `upload/scalars.json` as the only output of an interface.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use copilot::idl::{
    LiteralType, Message, SimpleType, Variable, VariableEntry, VariableMap, decode_literal,
    literal_type, scalar,
};
use copilot::literal::output::{OutputOptions, plan};

use super::upload::Directory;
use crate::case::root;

#[test]
fn every_row() {
    let rows: serde_json::Value =
        serde_json::from_slice(&fs::read(root().join("upload/scalars.json")).unwrap()).unwrap();
    let rows = rows.as_array().unwrap();
    let mut wrong = Vec::new();
    for row in rows {
        let content = STANDARD
            .decode(row["text_base64"].as_str().unwrap())
            .unwrap();
        let got = read(&row["type"], &content);
        // Encoded again: the reference writes the empty key of a map's entry, prost leaves it out.
        let expected = row["literal_pb_base64"].as_str().map(|text| {
            let bytes = STANDARD.decode(text).unwrap();
            decode_literal(&bytes[..]).unwrap().encode_to_vec()
        });
        let right = match (&expected, &got) {
            (Some(_), Ok(got)) if row.get("deviate").is_some() => {
                assert_eq!(
                    row["type"], "BINARY",
                    "the only deviation that this test knows"
                );
                decode_literal(&got[..]).unwrap().value == binary(&content)
            }
            (Some(expected), Ok(got)) => got == expected,
            (None, Err(message)) => message.contains("\"x\""),
            _ => false,
        };
        if !right {
            wrong.push(format!("{row}: {got:?}"));
        }
    }
    println!("{} rows", rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() >= 163, "only {} rows were found", rows.len());
}

fn binary(content: &[u8]) -> Option<copilot::idl::literal::Value> {
    let binary = copilot::idl::Binary {
        value: content.to_vec().into(),
        tag: "msgpack".to_owned(),
    };
    copilot::idl::Literal::from(scalar::Value::Binary(binary)).value
}

/// The serialized literal of an output `x` with this declared type and content, or the message.
fn read(declared: &serde_json::Value, content: &[u8]) -> Result<Vec<u8>, String> {
    let number = match declared.as_str() {
        Some(name) => SimpleType::from_str_name(name).unwrap() as i32,
        None => i32::try_from(declared.as_i64().unwrap()).unwrap(),
    };
    let declared = LiteralType {
        r#type: Some(literal_type::Type::Simple(number)),
        ..LiteralType::default()
    };
    let variable = Variable {
        r#type: Some(declared),
        description: String::new(),
    };
    let outputs = VariableMap {
        variables: vec![VariableEntry {
            key: "x".to_owned(),
            value: Some(variable),
        }],
    };
    let directory = Directory::new();
    fs::write(directory.path().join("x"), content).unwrap();
    let plan = plan(&outputs, &directory, OutputOptions::default(), |_| {
        unreachable!("no blob")
    });
    plan.map(|plan| plan.literals.literals["x"].encode_to_vec())
        .map_err(|error| error.to_string())
}

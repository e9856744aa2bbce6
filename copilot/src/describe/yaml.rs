//! JSON and YAML texts to a tree, and a tree to YAML in block style. Each text stands in quotes as JSON writes
//! them, unless it is certainly plain: so every reader of YAML gets the same values.

use std::fmt::Write as _;

use serde_json::Value;

use super::error::DescribeError;
use crate::literal::output;

/// Reads JSON; else YAML, as outputs of programs are read.
pub(super) fn parse(text: &str) -> Result<Value, DescribeError> {
    let json = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    output::tree(text.as_bytes(), "YAML document", true).map_err(|yaml| {
        // Of a text that begins like JSON, the reader of JSON knows better what is wrong.
        let is_json = text.trim_start().starts_with(['{', '[']);
        DescribeError::Syntax(if is_json {
            json.to_string()
        } else {
            yaml.to_string()
        })
    })
}

/// The tree as a YAML document.
pub(super) fn write(value: &Value) -> String {
    let mut text = String::new();
    entry(value, 0, &mut text);
    text
}

/// Writes a value at the end of a line that has begun, or of none, and ends the line.
fn entry(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                let _ = write!(text, "{:indent$}{}:", "", scalar(name));
                nested(member, indent, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(text, "{:indent$}-", "");
                nested(item, indent, text);
            }
        }
        Value::String(word) => _ = writeln!(text, "{}", scalar(word)),
        other => _ = writeln!(text, "{other}"),
    }
}

/// Writes what stands behind a name or a dash.
fn nested(value: &Value, indent: usize, text: &mut String) {
    let is_block = match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    text.push(if is_block { '\n' } else { ' ' });
    entry(value, if is_block { indent + 2 } else { 0 }, text);
}

/// A text, in quotes unless every reader takes it for a text.
fn scalar(text: &str) -> String {
    /// Words that YAML 1.1 reads as something else.
    const WORDS: [&str; 11] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf",
    ];
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(is_word)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain {
        text.to_owned()
    } else {
        let mut quoted = String::new();
        for c in Value::from(text).to_string().chars() {
            // Some readers refuse characters that JSON leaves as they are; for those beyond 16 bits YAML has an
            // escape of its own.
            match u32::from(c) {
                0x20..0x7f => quoted.push(c),
                _ if c.is_alphanumeric() => quoted.push(c),
                code @ ..0x1_0000 => _ = write!(quoted, "\\u{code:04x}"),
                code => _ = write!(quoted, "\\U{code:08x}"),
            }
        }
        quoted
    }
}

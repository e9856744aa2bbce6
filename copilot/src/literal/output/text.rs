//! The text of an output's file as a literal (spec §4.4). One function per row of that table, and a
//! few for what the reference lacks: enumerations, and JSON and YAML trees.

use thiserror::Error;

use super::object::StructError;
use super::plan::StructOutputs;
use super::structure::Structure;
use super::yaml;
use crate::idl::literal_type::Type;
use crate::idl::{
    Binary, Error as ErrorLiteral, Literal, LiteralType, SimpleType, Void, primitive, scalar,
};
use crate::literal::datetime::DatetimeError;
use crate::literal::duration::DurationError;
use crate::literal::name::Shown;
use crate::literal::{datetime, duration, float, msgpack, python};

/// How many values of an enumeration a message names.
const SHOWN: usize = 8;

/// Why a text is not a value of its type.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TextError {
    /// The bytes are not text.
    #[error("the content is not UTF-8: {0}; write UTF-8, or declare the type BINARY or a file")]
    NotUtf8(String),
    /// The text breaks the rules of its type.
    #[error("{text} is not a valid {kind}: {rule}{hint}")]
    Malformed {
        /// What it should be.
        kind: &'static str,
        /// The text without white space around it, quoted, cut if long.
        text: String,
        /// The rule that it breaks, and an example.
        rule: String,
        /// A common cause that the eye misses; may be empty.
        hint: &'static str,
    },
}

fn malformed(kind: &'static str, text: &str, rule: String) -> TextError {
    let hint = if text.starts_with('\u{feff}') {
        " (it begins with a byte order mark: write UTF-8 without one)"
    } else if text.ends_with('\r') {
        " (it ends in a carriage return: write Unix line ends)"
    } else {
        ""
    };
    TextError::Malformed {
        kind,
        text: Shown(text).to_string(),
        rule,
        hint,
    }
}

/// Reads the content of an output's file.
///
/// Drops spaces, tabs and newlines around the text, except for binary data, where every byte counts.
/// Carriage returns stay, as in the reference. Structs are left to [`structure`].
pub fn parse(kind: SimpleType, content: &[u8]) -> Result<Literal, TextError> {
    match kind {
        SimpleType::None => Ok(scalar::Value::NoneType(Void {}).into()),
        SimpleType::Binary => Ok(binary(content.to_vec())),
        _ => {
            let text = utf8(trim(content))?;
            match kind {
                SimpleType::Error => Ok(error(text)),
                _ => primitive(kind, text).map(Literal::from),
            }
        }
    }
}

/// Reads a struct that is written as JSON, or as YAML.
pub fn structure(
    structure: Structure<'_>,
    content: &[u8],
    is_yaml: bool,
) -> Result<Literal, TextError> {
    if is_yaml {
        let tree = tree(content, "YAML map", true)?;
        let malformed = |error| malformed_bytes("YAML map", content, &error);
        return structure.of_tree(&tree).map_err(malformed);
    }
    let content = trim(content);
    structure.parse(content).map_err(|error| {
        let text = String::from_utf8_lossy(content);
        let rule = format!("{error}; write for example {{\"a\": 1}}");
        malformed("JSON object", &text, rule)
    })
}

/// Reads the content of a file that is a value of its own, if its type is a simple one or an enumeration. None for
/// any other type.
pub fn alone(
    declared: &LiteralType,
    content: &[u8],
    is_yaml: bool,
) -> Result<Option<Literal>, TextError> {
    let literal = match &declared.r#type {
        Some(Type::Simple(number)) => match SimpleType::try_from(*number) {
            Ok(SimpleType::Struct) => {
                let form = Structure::new(declared, StructOutputs::Declared);
                structure(form, content, is_yaml)?
            }
            Ok(kind) => parse(kind, content)?,
            Err(_) => return Ok(None),
        },
        Some(Type::EnumType(values)) => enumeration(&values.values, content)?,
        _ => return Ok(None),
    };
    Ok(Some(literal))
}

/// Bytes as a literal, with the tag that the reference sets.
pub fn binary(value: Vec<u8>) -> Literal {
    scalar::Value::Binary(Binary {
        value: value.into(),
        tag: msgpack::TAG.to_owned(),
    })
    .into()
}

/// An error message as a literal.
pub fn error(message: &str) -> Literal {
    scalar::Value::Error(ErrorLiteral {
        message: message.to_owned(),
        ..ErrorLiteral::default()
    })
    .into()
}

/// Reads one of the values of an enumeration, which is a string. White space around it counts only if
/// a declared value has it too.
pub fn enumeration(values: &[String], content: &[u8]) -> Result<Literal, TextError> {
    let whole = utf8(content)?;
    if values.iter().any(|value| value == whole) {
        return one_of(values, whole);
    }
    one_of(values, utf8(trim(content))?)
}

/// `text` as one of the values of an enumeration.
pub fn one_of(values: &[String], text: &str) -> Result<Literal, TextError> {
    if values.iter().any(|value| value == text) {
        return Ok(primitive::Value::StringValue(text.to_owned()).into());
    }
    let known = values.iter().take(SHOWN);
    let known: Vec<String> = known.map(|value| Shown(value).to_string()).collect();
    let more = values.len().saturating_sub(SHOWN);
    let more = if more > 0 {
        format!(" or one of {more} others")
    } else {
        String::new()
    };
    let rule = format!("write one of {}{more}", known.join(", "));
    Err(malformed("value of the enumeration", text, rule))
}

/// Reads JSON or YAML. The text must be one value and nothing else, unlike that of a struct, whose
/// rules are the reference's. `kind` is what messages call it.
pub fn tree(
    content: &[u8],
    kind: &'static str,
    is_yaml: bool,
) -> Result<serde_json::Value, TextError> {
    let text = utf8(content)?;
    let read = if is_yaml {
        yaml::parse(text).map_err(|error| error.to_string())
    } else {
        serde_json::from_str(text).map_err(|error| error.to_string())
    };
    read.map_err(|rule| malformed(kind, text, rule))
}

/// The error for content of the right syntax and the wrong kind.
fn malformed_bytes(kind: &'static str, content: &[u8], error: &StructError) -> TextError {
    malformed(kind, &String::from_utf8_lossy(content), error.to_string())
}

/// Reads a primitive. The other simple types are left to [`parse`].
pub fn primitive(kind: SimpleType, text: &str) -> Result<primitive::Value, TextError> {
    match kind {
        SimpleType::Integer => integer(text).map(primitive::Value::Integer),
        SimpleType::Float => match float::parse(text) {
            Ok(value) => Ok(primitive::Value::FloatValue(value)),
            Err(error) => Err(malformed("float", text, error.to_string())),
        },
        SimpleType::Boolean => boolean(text).map(primitive::Value::Boolean),
        SimpleType::Datetime => {
            let value = datetime::parse(text)
                .or_else(|error| python::str_of_datetime(text).ok_or(error))
                .map_err(|error| malformed("datetime", text, datetime_rule(text, &error)))?;
            Ok(primitive::Value::Datetime(value))
        }
        SimpleType::Duration => {
            let value = duration::parse(text)
                .or_else(|error| python::str_of_timedelta(text).ok_or(error))
                .map_err(|error| malformed("duration", text, duration_rule(error)))?;
            Ok(primitive::Value::Duration(duration::message(value)))
        }
        _ => Ok(primitive::Value::StringValue(text.to_owned())),
    }
}

/// The rule, and for what Python's `isoformat` writes the part that is missing.
fn datetime_rule(text: &str, error: &DatetimeError) -> String {
    match python::isoformat(text) {
        Some(_) if text.ends_with('Z') => error.to_string(),
        Some(_) if !text.contains(['T', ' ']) => {
            format!(
                "a date alone is not a point in time; write {text}T00:00:00Z for its first moment in UTC"
            )
        }
        Some(_) => format!("the offset is missing; write {text}Z for UTC"),
        None => error.to_string(),
    }
}

fn duration_rule(error: DurationError) -> String {
    match error {
        DurationError::Malformed { rule, .. } => {
            format!("{rule}; write for example 300ms, -1.5h or 2h45m")
        }
        DurationError::OutOfRange { .. } => "its nanoseconds do not fit in 64 bits".to_owned(),
    }
}

fn integer(text: &str) -> Result<i64, TextError> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        use std::num::IntErrorKind::{NegOverflow, PosOverflow};
        let rule = match error.kind() {
            PosOverflow | NegOverflow => "it does not fit in 64 bits",
            _ => "write decimal digits with an optional sign, for example 42 or -7",
        };
        malformed("integer", text, rule.to_owned())
    })
}

fn boolean(text: &str) -> Result<bool, TextError> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(malformed("boolean", text, "write true or false".to_owned())),
    }
}

/// The content without spaces, tabs and newlines around it.
pub fn trim(content: &[u8]) -> &[u8] {
    let space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\t');
    let start = content
        .iter()
        .position(|byte| !space(byte))
        .unwrap_or(content.len());
    let end = content
        .iter()
        .rposition(|byte| !space(byte))
        .map_or(start, |last| last + 1);
    &content[start..end]
}

fn utf8(content: &[u8]) -> Result<&str, TextError> {
    std::str::from_utf8(content)
        .map_err(|_| TextError::NotUtf8(Shown(&String::from_utf8_lossy(content)).to_string()))
}

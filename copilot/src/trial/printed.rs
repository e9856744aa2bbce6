//! Values in a command's arguments, as Flyte's plugins print them with Go's `%v` (flyteplugins,
//! `pluginmachinery/core/template`): not as in the files of inputs. Pure.

use thiserror::Error;

use crate::idl::{Literal, Primitive, Scalar, literal, primitive, scalar};
use crate::literal::{datetime, msgpack};

/// Why a value cannot stand in an argument.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum PrintError {
    /// The platform has no text for it.
    #[error(
        "the platform puts no {0} into a command; read it from its file in the input directory"
    )]
    NoText(&'static str),
    /// Its bytes are not MessagePack.
    #[error("its bytes are not MessagePack: {0}")]
    NotPacked(String),
}

/// The text of a value.
pub(super) fn print(value: &Literal) -> Result<String, PrintError> {
    match &value.value {
        Some(literal::Value::Collection(list)) => {
            let items = list.literals.iter().map(print);
            let items: Vec<String> = items.collect::<Result<_, _>>()?;
            Ok(format!("[{}]", items.join(",")))
        }
        Some(literal::Value::Scalar(scalar)) => print_scalar(scalar),
        Some(literal::Value::Map(_)) => Err(PrintError::NoText("map")),
        Some(literal::Value::OffloadedMetadata(_)) | None => {
            Err(PrintError::NoText("value that is stored elsewhere"))
        }
    }
}

fn print_scalar(scalar: &Scalar) -> Result<String, PrintError> {
    match &scalar.value {
        Some(scalar::Value::Primitive(value)) => print_primitive(value),
        Some(scalar::Value::Blob(blob)) => Ok(blob.uri.clone()),
        Some(scalar::Value::Schema(schema)) => Ok(schema.uri.clone()),
        Some(scalar::Value::Binary(binary)) if binary.tag == msgpack::TAG => {
            let checked = msgpack::check(&binary.value);
            let value = checked.map_err(|error| PrintError::NotPacked(error.to_string()))?;
            Ok(print_packed(value))
        }
        Some(scalar::Value::Binary(_)) => Err(PrintError::NoText("bytes")),
        Some(scalar::Value::NoneType(_)) => Err(PrintError::NoText("value of the type none")),
        Some(scalar::Value::Error(_)) => Err(PrintError::NoText("error")),
        Some(scalar::Value::Generic(_)) => Err(PrintError::NoText("struct")),
        Some(scalar::Value::StructuredDataset(_)) => Err(PrintError::NoText("dataset")),
        Some(scalar::Value::Union(_)) => Err(PrintError::NoText("value of a union type")),
        None => Err(PrintError::NoText("value of an unknown type")),
    }
}

fn print_primitive(value: &Primitive) -> Result<String, PrintError> {
    Ok(match &value.value {
        Some(primitive::Value::Integer(value)) => value.to_string(),
        Some(primitive::Value::FloatValue(value)) => print_float(*value),
        Some(primitive::Value::StringValue(text)) => text.clone(),
        Some(primitive::Value::Boolean(value)) => value.to_string(),
        Some(primitive::Value::Datetime(at)) => datetime::format(at),
        // The message, not the duration: a quirk of the platform.
        Some(primitive::Value::Duration(duration)) => {
            let seconds = ("seconds", duration.seconds);
            let fields = [seconds, ("nanos", duration.nanos.into())];
            let fields = fields.into_iter().filter(|(_, value)| *value != 0);
            let fields: Vec<String> = fields
                .map(|(name, value)| format!("{name}:{value}"))
                .collect();
            fields.join(" ")
        }
        None => return Err(PrintError::NoText("value that was never set")),
    })
}

/// A double as `%v` has it: the shortest digits, an exponent of at least two digits below 1e-4 and from 1e6.
fn print_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value == 0.0 || (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

fn print_packed(value: msgpack::Value<'_>) -> String {
    match value {
        msgpack::Value::Nil => "<nil>".to_owned(),
        msgpack::Value::Boolean(value) => value.to_string(),
        msgpack::Value::Integer(value) => value.to_string(),
        msgpack::Value::Unsigned(value) => value.to_string(),
        msgpack::Value::Float(value) => print_float(value),
        msgpack::Value::Text(text) => text.to_owned(),
        msgpack::Value::List(list) => {
            let items: Vec<String> = list.iter().map(print_packed).collect();
            format!("[{}]", items.join(" "))
        }
        msgpack::Value::Map(map) => {
            let entries = map.entries().into_iter();
            let entries = entries.map(|(key, value)| format!("{key}:{}", print_packed(value)));
            format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idl::{Binary, Duration, LiteralCollection, Struct, Timestamp};

    #[test]
    fn values_as_go_prints_them() {
        let integer = |value| Literal::from(primitive::Value::Integer(value));
        let float = |value| Literal::from(primitive::Value::FloatValue(value));
        let text = |value: &str| Literal::from(primitive::Value::StringValue(value.to_owned()));
        let list =
            |literals| Literal::from(literal::Value::Collection(LiteralCollection { literals }));
        let duration =
            |seconds, nanos| Literal::from(primitive::Value::Duration(Duration { seconds, nanos }));
        let packed = |json: &str| {
            let value = serde_json::from_str(json).unwrap();
            Literal::from(scalar::Value::Binary(Binary {
                value: msgpack::encode(&value).unwrap().into(),
                tag: msgpack::TAG.to_owned(),
            }))
        };
        let seconds = -2_208_985_139;
        let at = Timestamp { seconds, nanos: 1 };
        for (value, expected) in [
            (integer(-3), "-3"),
            (float(3.0), "3"),
            (float(0.5), "0.5"),
            (float(100_000.0), "100000"),
            (float(1e6), "1e+06"),
            (float(1_234_567.0), "1.234567e+06"),
            (float(1e-5), "1e-05"),
            (float(-2.5e-300), "-2.5e-300"),
            (float(f64::INFINITY), "+Inf"),
            (text("a b"), "a b"),
            (primitive::Value::Boolean(true).into(), "true"),
            (
                primitive::Value::Datetime(at).into(),
                "1900-01-01T01:01:01.000000001Z",
            ),
            (duration(90, 0), "seconds:90"),
            (duration(1, 500), "seconds:1 nanos:500"),
            (list(vec![text("a"), list(vec![integer(1)])]), "[a,[1]]"),
            (packed("3"), "3"),
            (
                packed("{\"b\": [1, 0.5], \"a\": null}"),
                "map[a:<nil> b:[1 0.5]]",
            ),
        ] {
            assert_eq!(print(&value).as_deref(), Ok(expected));
        }
        let refused = print(&scalar::Value::Generic(Struct::default()).into());
        assert_eq!(refused, Err(PrintError::NoText("struct")));
    }
}

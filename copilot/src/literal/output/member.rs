//! A member of a JSON or YAML file as a literal of its declared type. The forms are those in which
//! `inputs.json` shows the same types (spec §3.2, last column but one), so that one may become the
//! other; texts of datetimes and durations may have all the forms that a file of their own may have.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::planner::{Planner, unsupported};
use super::problem::OutputRule;
use super::view::OutputView;
use super::{object, text};
use crate::idl::literal_type::Type;
use crate::idl::{
    Literal, LiteralCollection, LiteralMap, LiteralType, SimpleType, Void, literal, primitive,
    scalar,
};
use crate::literal::duration;
use crate::literal::name::Shown;

/// Why a member is none of its type.
#[derive(Debug)]
pub struct Misfit {
    /// The indexes and keys that lead to it.
    at: String,
    rule: String,
}

impl Misfit {
    pub(super) fn new(rule: impl fmt::Display) -> Self {
        Self {
            at: String::new(),
            rule: format!("{rule}"),
        }
    }

    fn beneath(mut self, step: &str) -> Self {
        self.at.insert_str(0, step);
        self
    }

    /// The rule that a file breaks.
    pub(super) fn in_file(self, path: PathBuf) -> OutputRule {
        OutputRule::Member {
            path,
            at: format!("${}", self.at),
            rule: self.rule,
        }
    }
}

impl<V: OutputView> Planner<'_, V> {
    /// The literal of one value, and of all in it.
    pub(super) fn member(
        &mut self,
        declared: &LiteralType,
        value: &Value,
    ) -> Result<Literal, Misfit> {
        self.count(0).map_err(Misfit::new)?;
        match &declared.r#type {
            Some(Type::Simple(number)) => match SimpleType::try_from(*number) {
                Ok(kind) => simple(kind, value),
                Err(_) => Err(Misfit::new(unsupported(declared))),
            },
            Some(Type::EnumType(values)) => {
                text::one_of(&values.values, string(value)?).map_err(Misfit::new)
            }
            Some(Type::CollectionType(element)) => self.list(element, value),
            Some(Type::MapValueType(of)) => self.object(of, value),
            Some(Type::UnionType(union)) => self.union_member(&union.variants, declared, value),
            Some(Type::Blob(_) | Type::Schema(_) | Type::StructuredDatasetType(_)) => {
                Err(Misfit::new(format_args!(
                    "a {declared} cannot stand in a file of JSON or YAML; make a directory with an entry for each"
                )))
            }
            None => Err(Misfit::new(unsupported(declared))),
        }
    }

    fn list(&mut self, element: &LiteralType, value: &Value) -> Result<Literal, Misfit> {
        let Value::Array(items) = value else {
            return Err(expected("an array", value));
        };
        let mut literals = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let literal = self
                .member(element, item)
                .map_err(|misfit| misfit.beneath(&format!("[{index}]")))?;
            literals.push(literal);
        }
        Ok(literal::Value::Collection(LiteralCollection { literals }).into())
    }

    fn object(&mut self, of: &LiteralType, value: &Value) -> Result<Literal, Misfit> {
        let Value::Object(members) = value else {
            return Err(expected("an object", value));
        };
        let mut literals = LiteralMap::default();
        for (key, member) in members {
            let literal = self
                .member(of, member)
                .map_err(|misfit| misfit.beneath(&format!("[{}]", Shown(key))))?;
            literals.literals.insert(key.clone(), literal);
        }
        Ok(literal::Value::Map(literals).into())
    }
}

fn simple(kind: SimpleType, value: &Value) -> Result<Literal, Misfit> {
    Ok(match kind {
        SimpleType::None => match value {
            Value::Null => scalar::Value::NoneType(Void {}).into(),
            _ => return Err(expected("null", value)),
        },
        SimpleType::Integer => primitive::Value::Integer(integer(value)?).into(),
        SimpleType::Float => primitive::Value::FloatValue(float(value)?).into(),
        SimpleType::Boolean => match value {
            Value::Bool(value) => primitive::Value::Boolean(*value).into(),
            _ => return Err(expected("true or false", value)),
        },
        SimpleType::Duration if value.is_number() => {
            // As in `inputs.json`.
            primitive::Value::Duration(duration::message(integer(value)?)).into()
        }
        SimpleType::String | SimpleType::Datetime | SimpleType::Duration => {
            let read = text::primitive(kind, string(value)?);
            read.map_err(Misfit::new)?.into()
        }
        SimpleType::Binary => text::binary(bytes(value)?),
        SimpleType::Error => text::error(string(value)?),
        SimpleType::Struct => match value {
            Value::Object(_) | Value::Null => {
                let fields = object::from_value(value.clone()).map_err(Misfit::new)?;
                scalar::Value::Generic(fields).into()
            }
            _ => return Err(expected("an object", value)),
        },
    })
}

fn integer(value: &Value) -> Result<i64, Misfit> {
    value.as_i64().ok_or_else(|| {
        expected(
            "a whole number of 64 bits, without a point or exponent",
            value,
        )
    })
}

/// A number, or one of the words that protobuf's JSON has for what is none.
fn float(value: &Value) -> Result<f64, Misfit> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
    .ok_or_else(|| expected("a number, or \"NaN\", \"Infinity\", \"-Infinity\"", value))
}

fn string(value: &Value) -> Result<&str, Misfit> {
    value.as_str().ok_or_else(|| expected("a string", value))
}

/// Base64; null is no byte, as in `inputs.json`.
fn bytes(value: &Value) -> Result<Vec<u8>, Misfit> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => STANDARD
            .decode(text)
            .map_err(|error| Misfit::new(format_args!("it is no base64 with padding: {error}"))),
        _ => Err(expected("a string of base64", value)),
    }
}

fn expected(what: &str, value: &Value) -> Misfit {
    let found = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("the string {}", Shown(text)),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    Misfit::new(format_args!("it is {found}; write {what}"))
}

//! A member of a JSON or YAML file as a literal of its declared type. The forms are those that
//! `inputs.json` uses for the same types (spec §3.2, last column but one), so an input file can become
//! an output. Texts of datetimes and durations may also have every form that a file of their own may
//! have, and datetimes those of Python's `isoformat`.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use thiserror::Error;

use super::data;
use super::draft::Draft;
use super::object::StructError;
use super::plan::{OutputOptions, StructOutputs};
use super::problem::OutputRule;
use super::structure::Structure;
use super::text;
use super::union::{Rank, in_order, only, wrap};
use crate::idl::literal_type::Type;
use crate::idl::{
    Literal, LiteralCollection, LiteralMap, LiteralType, SimpleType, Void, literal, primitive,
    scalar,
};
use crate::literal::name::Shown;
use crate::literal::{duration, python};

/// Why a member is not a value of its declared type.
#[derive(Debug, Error)]
#[error("{}{rule}", in_words(at))]
pub struct TypeMismatch {
    /// The indexes and keys that lead to the member.
    at: String,
    rule: String,
}

/// The way to a member, in front of the rule; empty for the value itself.
fn in_words(at: &str) -> String {
    match at {
        "" => String::new(),
        at => format!("at ${at}: "),
    }
}

impl TypeMismatch {
    fn new(rule: impl fmt::Display) -> Self {
        Self {
            at: String::new(),
            rule: rule.to_string(),
        }
    }

    fn beneath(mut self, step: &str) -> Self {
        self.at.insert_str(0, step);
        self
    }

    /// The rule that the file at `path` breaks.
    pub(super) fn in_file(self, path: PathBuf) -> OutputRule {
        OutputRule::Member {
            path,
            at: format!("${}", self.at),
            rule: self.rule,
        }
    }
}

/// Reads a value that stands alone: an input of a person's own. Data is named by its reference, a string.
///
/// # Errors
/// Where and why the value is not of the declared type.
pub fn value(declared: &LiteralType, value: &Value) -> Result<Literal, TypeMismatch> {
    let mut draft = Draft::new(OutputOptions::default().max_simple_size);
    let mut reader = MemberReader::new(&mut draft, true, StructOutputs::Declared);
    reader.takes_references = true;
    reader.literal(declared, value)
}

/// Reads the members of one file.
pub struct MemberReader<'a> {
    draft: &'a mut Draft,
    is_referenced: bool,
    /// A string may stand for data, as its reference.
    takes_references: bool,
    structs: StructOutputs,
}

impl<'a> MemberReader<'a> {
    /// Counts each value in `draft`. `is_referenced` says that files hold references in place of data.
    pub fn new(draft: &'a mut Draft, is_referenced: bool, structs: StructOutputs) -> Self {
        Self {
            draft,
            is_referenced,
            takes_references: false,
            structs,
        }
    }

    /// The literal of one value and everything in it.
    pub fn literal(
        &mut self,
        declared: &LiteralType,
        value: &Value,
    ) -> Result<Literal, TypeMismatch> {
        self.draft.count(0).map_err(TypeMismatch::new)?;
        match &declared.r#type {
            Some(Type::Simple(number)) => match SimpleType::try_from(*number) {
                Ok(SimpleType::Struct) => self.structure(declared, value),
                Ok(kind) => simple(kind, value),
                Err(_) => Err(TypeMismatch::new(OutputRule::unsupported(declared))),
            },
            Some(Type::EnumType(values)) => {
                text::one_of(&values.values, string(value)?).map_err(TypeMismatch::new)
            }
            Some(Type::CollectionType(element)) => self.list(element, value),
            Some(Type::MapValueType(of)) => self.object(of, value),
            Some(Type::UnionType(union)) => self.union(&union.variants, declared, value),
            Some(Type::Blob(_) | Type::Schema(_) | Type::StructuredDatasetType(_))
                if self.takes_references =>
            {
                let uri = string(value)?.to_owned();
                self.draft
                    .count_bytes(uri.len() as u64)
                    .map_err(TypeMismatch::new)?;
                data::referring(declared, uri)
                    .ok_or_else(|| TypeMismatch::new(OutputRule::unsupported(declared)))
            }
            Some(Type::Blob(_) | Type::Schema(_) | Type::StructuredDatasetType(_)) => {
                Err(TypeMismatch::new(format_args!(
                    "a {declared} cannot stand in a file of JSON or YAML; make a directory with an entry for each"
                )))
            }
            None => Err(TypeMismatch::new(OutputRule::unsupported(declared))),
        }
    }

    fn structure(
        &mut self,
        declared: &LiteralType,
        value: &Value,
    ) -> Result<Literal, TypeMismatch> {
        let structure = Structure::new(declared, self.structs);
        let weight = structure.weight(value.to_string().as_bytes(), false);
        self.draft
            .count_members(weight)
            .map_err(TypeMismatch::new)?;
        structure.of_tree(value).map_err(|error| match error {
            StructError::Array | StructError::Single => expected("an object", value),
            error => TypeMismatch::new(error),
        })
    }

    fn list(&mut self, element: &LiteralType, value: &Value) -> Result<Literal, TypeMismatch> {
        let Value::Array(items) = value else {
            return Err(expected("an array", value));
        };
        let mut literals = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let literal = self
                .literal(element, item)
                .map_err(|mismatch| mismatch.beneath(&format!("[{index}]")))?;
            literals.push(literal);
        }
        Ok(literal::Value::Collection(LiteralCollection { literals }).into())
    }

    fn object(&mut self, of: &LiteralType, value: &Value) -> Result<Literal, TypeMismatch> {
        let Value::Object(members) = value else {
            return Err(expected("an object", value));
        };
        let mut literals = LiteralMap::default();
        for (key, member) in members {
            let literal = self
                .literal(of, member)
                .map_err(|mismatch| mismatch.beneath(&format!("[{}]", Shown(key))))?;
            literals.literals.insert(key.clone(), literal);
        }
        Ok(literal::Value::Map(literals).into())
    }

    /// The first variant of a union that takes the value.
    fn union(
        &mut self,
        variants: &[LiteralType],
        declared: &LiteralType,
        value: &Value,
    ) -> Result<Literal, TypeMismatch> {
        let mut refusal = None;
        for (rank, variant) in in_order(variants, self.is_referenced) {
            // Null is NONE if the union has it; else it is the empty binary or struct.
            if rank == Rank::Nothing && !value.is_null() {
                continue;
            }
            let mark = self.draft.mark();
            match self.literal(variant, value) {
                Ok(inner) => return Ok(wrap(variant, inner)),
                Err(mismatch) => refusal = Some(mismatch),
            }
            self.draft.go_back(mark);
        }
        match refusal {
            Some(mismatch) if only(variants).is_some() => Err(mismatch),
            _ => Err(TypeMismatch::new(format_args!(
                "its type is {declared}, and the value fits none of them"
            ))),
        }
    }
}

fn simple(kind: SimpleType, value: &Value) -> Result<Literal, TypeMismatch> {
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
        SimpleType::Datetime => datetime(string(value)?)?.into(),
        SimpleType::String | SimpleType::Duration => {
            let read = text::primitive(kind, string(value)?);
            read.map_err(TypeMismatch::new)?.into()
        }
        SimpleType::Binary => text::binary(bytes(value)?),
        SimpleType::Error => text::error(string(value)?),
        SimpleType::Struct => return Err(expected("an object", value)),
    })
}

/// A point in time as a file may hold it, or as Python's `isoformat` writes it: also a date alone, and a time without
/// an offset, which is UTC. The recorded answers of the reference refuse those two in a file of their own.
fn datetime(text: &str) -> Result<primitive::Value, TypeMismatch> {
    text::primitive(SimpleType::Datetime, text).or_else(|error| {
        let read = python::isoformat(text).map(primitive::Value::Datetime);
        read.ok_or_else(|| TypeMismatch::new(error))
    })
}

fn integer(value: &Value) -> Result<i64, TypeMismatch> {
    value.as_i64().ok_or_else(|| {
        expected(
            "a whole number of 64 bits, without a point or exponent",
            value,
        )
    })
}

/// A number, or one of the words that protobuf's JSON uses for NaN and the infinities.
fn float(value: &Value) -> Result<f64, TypeMismatch> {
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

fn string(value: &Value) -> Result<&str, TypeMismatch> {
    value.as_str().ok_or_else(|| expected("a string", value))
}

/// Base64; null means no bytes, as in `inputs.json`.
fn bytes(value: &Value) -> Result<Vec<u8>, TypeMismatch> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => STANDARD.decode(text).map_err(|error| {
            TypeMismatch::new(format_args!("it is not base64 with padding: {error}"))
        }),
        _ => Err(expected("a string of base64", value)),
    }
}

fn expected(what: &str, value: &Value) -> TypeMismatch {
    let found = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("the string {}", Shown(text)),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    TypeMismatch::new(format_args!("it is {found}; write {what}"))
}

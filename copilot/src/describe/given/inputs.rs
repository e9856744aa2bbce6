//! All inputs of a task: those of a document, and above them those of single arguments.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::local::with_local_data;
use super::{Given, GivenError};
use crate::describe::error::DescribeError;
use crate::describe::json::{kind_of, read_literal};
use crate::describe::source::read_file;
use crate::describe::{Document, infer, type_words, yaml};
use crate::idl::literal_type::Type;
use crate::idl::{
    Literal, LiteralMap, LiteralType, SimpleType, VariableMap, Void, primitive, scalar,
};
use crate::literal::output;

/// Inputs with their types.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    /// The values.
    pub literals: LiteralMap,
    /// The types, as far as they are known.
    pub types: BTreeMap<String, LiteralType>,
}

impl Inputs {
    /// Reads the inputs that a person gives: those of a document (`--inputs`), and above them single ones.
    /// `interface` has the types and the names, if it is known.
    ///
    /// # Errors
    /// The first input that is wrong, or all that are missing.
    pub fn read(
        document: Option<&Value>,
        given: &[Given],
        interface: Option<&VariableMap>,
    ) -> Result<Self, GivenError> {
        let declared = interface.map(VariableMap::types);
        let mut inputs = Self::default();
        if let Some(document) = document {
            inputs.literals = of_document(document, declared.as_ref())?;
        }
        let mut seen: Vec<&str> = Vec::new();
        for one in given {
            if seen.contains(&one.name.as_str()) {
                return Err(GivenError::Twice(one.name.clone()));
            }
            seen.push(&one.name);
            let of_interface = declared.as_ref().and_then(|all| all.get(one.name.as_str()));
            let (kind, literal) = read_one(one, of_interface)?;
            inputs.types.insert(one.name.clone(), kind);
            inputs.literals.literals.insert(one.name.clone(), literal);
        }
        if let Some(declared) = &declared {
            inputs.check(declared)?;
            let known = declared.iter();
            inputs.types = known
                .map(|(name, kind)| ((*name).to_owned(), kind.clone()))
                .collect();
        }
        Ok(inputs)
    }

    /// The inputs must be those of the interface.
    fn check(&self, declared: &BTreeMap<&str, LiteralType>) -> Result<(), GivenError> {
        let given = &self.literals.literals;
        if let Some(name) = given
            .keys()
            .find(|name| !declared.contains_key(name.as_str()))
        {
            let known: Vec<&str> = declared.keys().copied().collect();
            return Err(GivenError::Undeclared {
                name: name.clone(),
                known: if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                },
            });
        }
        let missing = declared.keys().filter(|name| !given.contains_key(**name));
        let missing: Vec<&str> = missing.copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(GivenError::Missing(missing.join(", ")))
    }
}

/// The inputs of a document of JSON or YAML: those of `copilot inspect --json`, or names and values.
fn of_document(
    document: &Value,
    declared: Option<&BTreeMap<&str, LiteralType>>,
) -> Result<LiteralMap, GivenError> {
    let wrong = |rule| GivenError::from(DescribeError::form("$", rule));
    let members = document.as_object();
    let members = members.ok_or_else(|| wrong("the document must be an object"))?;
    if kind_of(members).is_some() {
        return match Document::from_json(document)? {
            Document::Values(values) => Ok(values),
            _ => Err(wrong("the document must hold inputs")),
        };
    }
    let literals = members.iter().map(|(name, value)| {
        let kind = declared.and_then(|all| all.get(name.as_str())).cloned();
        let (kind, value) = with_local_data(name, kind, value.clone())?;
        Ok((name.clone(), read_literal(name, kind.as_ref(), &value)?))
    });
    let literals = literals.collect::<Result<_, GivenError>>()?;
    Ok(LiteralMap { literals })
}

/// The type and the value of one argument.
fn read_one(
    given: &Given,
    of_interface: Option<&LiteralType>,
) -> Result<(LiteralType, Literal), GivenError> {
    let name = &given.name;
    if let (Some(own), Some(interface)) = (&given.declared, of_interface)
        && own != interface
    {
        return Err(GivenError::OtherType {
            name: name.clone(),
            given: type_words(own),
            declared: type_words(interface),
        });
    }
    let declared = of_interface.or(given.declared.as_ref()).cloned();
    let text = given.value.as_deref();
    let text = text.ok_or_else(|| GivenError::NoValue(name.clone()))?;
    if let Some(path) = text.strip_prefix('@').filter(|path| !path.starts_with('@')) {
        return match declared {
            Some(kind) if !output::has_data(&kind) => of_file(name, kind, Path::new(path)),
            kind => {
                let (kind, value) = with_local_data(name, kind, text.into())?;
                finish(name, kind, &value)
            }
        };
    }
    // `@@` stands for a text that begins with `@`.
    let escaped = text.strip_prefix('@');
    match (declared, escaped) {
        (None, Some(text)) => finish(name, None, &text.into()),
        (None, None) => {
            let (kind, value) = with_local_data(name, None, untyped(text))?;
            finish(name, kind, &value)
        }
        (Some(kind), _) => of_text(name, kind, escaped.unwrap_or(text)),
    }
}

fn finish(
    name: &str,
    kind: Option<LiteralType>,
    value: &Value,
) -> Result<(LiteralType, Literal), GivenError> {
    let kind = match kind {
        Some(kind) => kind,
        None => infer::of_json(value).map_err(|rule| DescribeError::Untyped {
            name: name.to_owned(),
            rule,
        })?,
    };
    let literal = read_literal(name, Some(&kind), value)?;
    Ok((kind, literal))
}

/// A text without a type: what JSON reads, unless that is a text in quotes; else the text itself.
fn untyped(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(Value::String(_)) | Err(_) => text.into(),
        Ok(value) => value,
    }
}

/// The content of a file as a value of a type without data.
fn of_file(
    name: &str,
    kind: LiteralType,
    path: &Path,
) -> Result<(LiteralType, Literal), GivenError> {
    let content = read_file(path).map_err(|cause| GivenError::Source {
        name: name.to_owned(),
        cause,
    })?;
    let extension = path.extension().and_then(|extension| extension.to_str());
    let is_yaml = matches!(extension, Some("yaml" | "yml"));
    let wrong = |cause| GivenError::Text {
        name: name.to_owned(),
        cause,
    };
    if let Some(literal) = output::alone(&kind, &content, is_yaml).map_err(wrong)? {
        return Ok((kind, literal));
    }
    let syntax = if is_yaml {
        "YAML document"
    } else {
        "JSON document"
    };
    let value = output::tree(&content, syntax, is_yaml).map_err(wrong)?;
    let (kind, value) = with_local_data(name, Some(kind), value)?;
    finish(name, kind, &value)
}

/// A text as a value of its type.
fn of_text(
    name: &str,
    kind: LiteralType,
    text: &str,
) -> Result<(LiteralType, Literal), GivenError> {
    let literal = match &kind.r#type {
        Some(Type::Simple(number)) => match SimpleType::try_from(*number) {
            Ok(SimpleType::String) => primitive::Value::StringValue(text.to_owned()).into(),
            Ok(SimpleType::None) if matches!(text, "" | "null") => {
                scalar::Value::NoneType(Void {}).into()
            }
            Ok(SimpleType::None) => {
                return finish(name, Some(kind), &text.into());
            }
            _ => {
                let read = output::alone(&kind, text.as_bytes(), false);
                let read = read.map_err(|cause| GivenError::Text {
                    name: name.to_owned(),
                    cause,
                })?;
                match read {
                    Some(literal) => literal,
                    None => return finish(name, Some(kind), &text.into()),
                }
            }
        },
        Some(Type::EnumType(_)) => return finish(name, Some(kind), &text.into()),
        Some(Type::Blob(_) | Type::Schema(_) | Type::StructuredDatasetType(_)) => {
            if !text.contains("://") {
                return Err(GivenError::NotData {
                    name: name.to_owned(),
                    text: text.chars().take(80).collect(),
                    declared: type_words(&kind),
                });
            }
            return finish(name, Some(kind), &text.into());
        }
        Some(Type::UnionType(_)) => {
            let value = if text.is_empty() {
                Value::Null
            } else {
                untyped(text)
            };
            let as_text = |_| finish(name, Some(kind.clone()), &text.into());
            return finish(name, Some(kind.clone()), &value).or_else(as_text);
        }
        _ => {
            let value = yaml::parse(text).map_err(|_| {
                DescribeError::Syntax(format!(
                    "{name} is a {}: write it as JSON, for example [1, 2] or {{\"a\": 1}}",
                    type_words(&kind)
                ))
            })?;
            let (kind, value) = with_local_data(name, Some(kind), value)?;
            return finish(name, kind, &value);
        }
    };
    Ok((kind, literal))
}
